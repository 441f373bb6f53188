//! The IAM policies of the backend, made from the table of calls: a permission that no call needs cannot be in them, and a
//! call whose permission is missing cannot be made.
//!
//! AWS narrows an action down by resources and conditions, not alike for every action. What is said here about an action
//! is what its service documents; where nothing is documented, nothing is narrowed. The wildcard for the partition makes
//! the policies those of the clouds in China and for governments as well.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Call;
use crate::model::{arn, owner::MANAGED_BY};

/// Version of the policy language.
const LANGUAGE: &str = "2012-10-17";
/// The tag that is on every resource from the call that makes it.
const OURS: &str = "ManagedBy";
/// The role of the operator itself, in the account of its cluster, as the documents name it.
const OPERATOR: &str = "arn:aws:iam::111111111111:role/dataproduct-operator";
/// The roles that the operator assumes, as the documents name them.
const DOMAIN_ROLES: &str = "arn:*:iam::*:role/datamesh-operator";
/// What assuming a role needs. Pods that have their identity from EKS Pod Identity carry tags along into every further
/// role, and each role on the way has to allow that.
const ASSUME: [&str; 2] = ["sts:AssumeRole", "sts:TagSession"];

/// A policy document of IAM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

/// One statement of a policy; each allows something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<BTreeMap<&'static str, &'static str>>,
    action: BTreeSet<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<BTreeMap<&'static str, BTreeMap<String, &'static str>>>,
}

/// On what an action is allowed. Each scope is a statement of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    KmsList,
    KmsNames,
    KmsKeys,
    KmsNewKeys,
    KmsOwnKeys,
    TaggedResources,
    S3Buckets,
    GlueDatabases,
    GlueTables,
    LakeFormationGrants,
    CloudWatchAlarms,
    CloudWatchMetrics,
    SnsTopics,
}

impl Scope {
    const fn sid(self) -> &'static str {
        match self {
            Self::KmsList => "KmsList",
            Self::KmsNames => "KmsNames",
            Self::KmsKeys => "KmsKeys",
            Self::KmsNewKeys => "KmsNewKeys",
            Self::KmsOwnKeys => "KmsOwnKeys",
            Self::TaggedResources => "TaggedResources",
            Self::S3Buckets => "S3Buckets",
            Self::GlueDatabases => "GlueDatabases",
            Self::GlueTables => "GlueTables",
            Self::LakeFormationGrants => "LakeFormationGrants",
            Self::CloudWatchAlarms => "CloudWatchAlarms",
            Self::CloudWatchMetrics => "CloudWatchMetrics",
            Self::SnsTopics => "SnsTopics",
        }
    }

    /// Names are chosen by domains and products, so that no prefix narrows them down.
    fn resources(self) -> Vec<String> {
        let all = |of: &[&str]| of.iter().map(|&one| one.to_owned()).collect();
        match self {
            // These know no resources.
            Self::KmsList
            | Self::KmsNewKeys
            | Self::TaggedResources
            | Self::LakeFormationGrants
            | Self::CloudWatchMetrics => all(&["*"]),
            Self::KmsNames => all(&["arn:*:kms:*:*:alias/*"]),
            Self::KmsKeys | Self::KmsOwnKeys => all(&["arn:*:kms:*:*:key/*"]),
            // The pattern would reach objects as well. No action of the policy is one on objects.
            Self::S3Buckets => all(&["arn:*:s3:::*"]),
            // An action on a database is looked at on the catalog above it as well.
            Self::GlueDatabases => all(&["arn:*:glue:*:*:catalog", "arn:*:glue:*:*:database/*"]),
            Self::GlueTables => all(&["arn:*:glue:*:*:table/*/*", "arn:*:glue:*:*:userDefinedFunction/*/*"]),
            Self::CloudWatchAlarms => all(&["arn:*:cloudwatch:*:*:alarm:*"]),
            Self::SnsTopics => vec![format!("arn:*:sns:*:*:{}", arn::alerts_topic("*"))],
        }
    }

    /// The tag that has to be in the request, or on the resource.
    const fn tag(self) -> Option<&'static str> {
        match self {
            Self::KmsNewKeys => Some("aws:RequestTag"),
            Self::KmsOwnKeys => Some("aws:ResourceTag"),
            _ => None,
        }
    }

    fn statement(self, action: BTreeSet<&'static str>) -> Statement {
        let ours = |on: &str| {
            BTreeMap::from([("StringEquals", BTreeMap::from([(format!("{on}/{OURS}"), MANAGED_BY)]))])
        };
        Statement {
            sid: self.sid(),
            effect: "Allow",
            principal: None,
            action,
            resource: self.resources(),
            condition: self.tag().map(ours),
        }
    }
}

/// Where an action is allowed; nowhere when nobody has thought about it.
fn scopes(action: &str) -> &'static [Scope] {
    use Scope::{
        CloudWatchAlarms, CloudWatchMetrics, GlueDatabases, GlueTables, KmsKeys, KmsList, KmsNames,
        KmsNewKeys, KmsOwnKeys, LakeFormationGrants, S3Buckets, SnsTopics, TaggedResources,
    };
    let (service, name) = action.split_once(':').unwrap_or_default();
    match (service, name) {
        ("kms", "ListAliases") => &[KmsList],
        ("kms", "CreateKey") => &[KmsNewKeys],
        // A key is also looked for by its name while the name leads nowhere; a name is given to a key, and both are looked
        // at.
        ("kms", "DescribeKey" | "CreateAlias") => &[KmsNames, KmsKeys],
        // A new key is named and rotated at once, and its tags may need five minutes until a condition sees them. Neither
        // harms the key of somebody else.
        ("kms", "GetKeyRotationStatus" | "ListResourceTags" | "EnableKeyRotation") => &[KmsKeys],
        ("kms", "DeleteAlias") => &[KmsNames, KmsOwnKeys],
        // A key gets our tag when it is made or adopted, and only with it the others.
        ("kms", "TagResource") => &[KmsNewKeys, KmsOwnKeys],
        ("kms", _) => &[KmsOwnKeys],
        ("tag", _) => &[TaggedResources],
        ("s3", _) => &[S3Buckets],
        // These are looked at on everything in the database as well.
        ("glue", "GetTable" | "GetTables" | "DeleteDatabase") => &[GlueDatabases, GlueTables],
        ("glue", _) => &[GlueDatabases],
        ("lakeformation", _) => &[LakeFormationGrants],
        ("cloudwatch", "GetMetricData") => &[CloudWatchMetrics],
        ("cloudwatch", _) => &[CloudWatchAlarms],
        ("sns", _) => &[SnsTopics],
        _ => &[],
    }
}

impl Policy {
    /// What the role may do that the operator assumes in the account of a domain.
    pub fn of_role() -> Self {
        let mut statements: BTreeMap<Scope, BTreeSet<&'static str>> = BTreeMap::new();
        for action in Call::ALL.iter().flat_map(|call| call.actions()) {
            for scope in scopes(action) {
                statements.entry(*scope).or_default().insert(action);
            }
        }
        let statement = statements.into_iter().map(|(scope, actions)| scope.statement(actions)).collect();
        Self { version: LANGUAGE, statement }
    }

    /// What the operator itself may do: assume those roles.
    pub fn of_operator() -> Self {
        let statement = Statement {
            sid: "DomainRoles",
            effect: "Allow",
            principal: None,
            action: ASSUME.into(),
            resource: vec![DOMAIN_ROLES.to_owned()],
            condition: None,
        };
        Self { version: LANGUAGE, statement: vec![statement] }
    }

    /// Who may assume such a role: the operator. An example, with the account of the operator to be filled in.
    pub fn of_trust() -> Self {
        let statement = Statement {
            sid: "Operator",
            effect: "Allow",
            principal: Some([("AWS", OPERATOR)].into()),
            action: ASSUME.into(),
            resource: Vec::new(),
            condition: None,
        };
        Self { version: LANGUAGE, statement: vec![statement] }
    }

    /// Every action that is allowed.
    pub fn actions(&self) -> BTreeSet<&'static str> {
        self.statement.iter().flat_map(|statement| &statement.action).copied().collect()
    }

    /// The policy without an action.
    #[must_use]
    pub fn without(mut self, action: &str) -> Self {
        for statement in &mut self.statement {
            statement.action.retain(|allowed| *allowed != action);
        }
        self.statement.retain(|statement| !statement.action.is_empty());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_may_do_what_the_calls_need_and_nothing_else() {
        let needed: BTreeSet<_> = Call::ALL.iter().flat_map(|call| call.actions()).copied().collect();
        assert_eq!(Policy::of_role().actions(), needed);
    }

    #[test]
    fn no_policy_has_a_wildcard_among_its_actions_touches_an_object_or_an_identity() {
        // Buckets are told from objects by the names of the actions.
        let on_objects = ["Object", "Upload", "Version"];
        for action in Policy::of_role().actions() {
            let (service, name) = action.split_once(':').expect("a service and a name");
            assert!(!action.contains(['*', '?']), "{action}");
            assert!(!["iam", "sts", "organizations"].contains(&service), "{action}");
            let bucket = ["s3:GetBucketVersioning", "s3:PutBucketVersioning", "s3:ListBucketVersions"];
            let objects = on_objects.iter().any(|word| name.contains(word)) && !bucket.contains(&action);
            assert!(service != "s3" || !objects, "{action}");
            assert!(service != "kms" || !["Decrypt", "Encrypt", "ReEncrypt"].contains(&name), "{action}");
        }
        for policy in [Policy::of_operator(), Policy::of_trust()] {
            assert_eq!(policy.actions(), ASSUME.into());
        }
    }

    #[test]
    fn a_key_ends_only_with_our_tag() {
        let policy = Policy::of_role();
        for ending in ["kms:ScheduleKeyDeletion", "kms:DeleteAlias", "kms:CancelKeyDeletion", "kms:EnableKey"]
        {
            let on_keys = policy.statement.iter().filter(|statement| {
                let keys = statement.resource.iter().any(|on| on == "*" || on.ends_with(":key/*"));
                keys && statement.action.contains(ending)
            });
            let conditions = on_keys.map(|statement| statement.condition.is_some()).collect::<Vec<_>>();
            assert_eq!(conditions, [true], "{ending}");
        }
    }

    #[test]
    fn a_policy_is_small_enough_and_its_statements_have_names_of_their_own() {
        for policy in [Policy::of_role(), Policy::of_operator(), Policy::of_trust()] {
            // Spaces do not count.
            let text = serde_json::to_string(&policy).expect("a document");
            assert!(text.len() <= 6144, "a managed policy has at most 6144 characters: {}", text.len());
            let names: BTreeSet<_> = policy.statement.iter().map(|statement| statement.sid).collect();
            assert_eq!(names.len(), policy.statement.len());
            assert!(names.iter().all(|name| name.chars().all(|c| c.is_ascii_alphanumeric())));
        }
    }

    #[test]
    fn an_action_is_taken_out_everywhere() {
        let policy = Policy::of_role().without("kms:TagResource");
        assert!(!policy.actions().contains("kms:TagResource"));
        assert_eq!(policy.actions().len() + 1, Policy::of_role().actions().len());
    }
}
