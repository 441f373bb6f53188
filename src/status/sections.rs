//! The sections of a status beside its conditions.

use std::collections::BTreeSet;

use kube::ResourceExt;

use super::{
    Facts, MESSAGE_LIMIT,
    dated::{Clock, instant, text},
};
use crate::{
    api::{
        ACCEPT_LOSS, DataProductStatus, Enforcement,
        product::OutputPort,
        status::{
            AccessStatus, DomainStatus, Drift, Endpoint, ErrorClass, GovernanceStatus, GrantStatus,
            LastError, LineageStatus, ObjectiveStatus, Outputs, PlanAction, PlanStatus, PolicyEnforcement,
            ResourceState, ResourceStatus, SloStatus, UpstreamStatus, Violation,
        },
    },
    model::{
        owner::Claim,
        resource::{Delta, Kind},
    },
    plan::{
        Step, StepResult, Verb,
        assess::{Assessment, Fault, State, Wanted},
        desired::roles,
        loss_token, summarize_steps,
    },
    slo::{self, Verdict},
};

const MAX_VIOLATIONS: usize = 50;
const MAX_DRIFT: usize = 10;
const MAX_NEIGHBOURS: usize = 128;
const MAX_DOMAINS: usize = 64;
const VALUE_LIMIT: usize = 512;
const ID_LIMIT: usize = 1024;
const NAME_LIMIT: usize = 63;
/// What the built-in rules are called in a status: they read the platform's standards.
const BUILT_IN_POLICY: &str = "PlatformStandards/default";

pub(super) fn domain(facts: &Facts<'_>, old: &DataProductStatus) -> Option<DomainStatus> {
    match &facts.world.scope {
        Ok(scope) => Some(DomainStatus {
            name: scope.domain.clone(),
            kind: scope.domain_spec.as_ref().map(|domain| domain.spec.kind.as_str().to_owned()),
            bound: scope.domain_spec.is_some(),
            provider_class: Some(scope.class_name.clone()),
            account_id: Some(scope.account.clone()),
            region: Some(scope.region.clone()),
        }),
        // What was resolved once is needed when the product is deleted, even after its domain is gone.
        Err(_) => old.domain.clone().map(|domain| DomainStatus { bound: false, ..domain }),
    }
}

pub(super) fn governance(
    facts: &Facts<'_>,
    old: &DataProductStatus,
    clock: Clock,
) -> Option<GovernanceStatus> {
    let report = facts.decision.report.as_ref()?;
    let before = old.governance.as_ref().map_or(&[][..], |governance| &governance.violations);
    let violations = report.violations.iter().take(MAX_VIOLATIONS).map(|violation| {
        let seen = before
            .iter()
            .find(|seen| seen.id == violation.id && seen.path == text(&violation.path, VALUE_LIMIT));
        Violation {
            id: violation.id.to_owned(),
            severity: violation.severity,
            message: text(&violation.message, MESSAGE_LIMIT),
            remediation: text(&violation.remediation, MESSAGE_LIMIT),
            path: text(&violation.path, VALUE_LIMIT),
            policy: BUILT_IN_POLICY.to_owned(),
            enforcement: enforcement(violation.enforcement(facts.decision.enforcement)),
            since: seen.map_or_else(|| Some(instant(clock.now)), |seen| seen.since.clone()),
            deadline: None,
            exception_ref: None,
        }
    });
    Some(GovernanceStatus {
        score: Some(report.score),
        result: Some(report.result),
        errors: report.errors,
        warnings: report.warnings,
        infos: report.infos,
        excepted: 0,
        policy_set_hash: Some(report.rule_set_hash.clone()),
        violations: violations.collect(),
        truncated: report.violations.len() > MAX_VIOLATIONS,
    })
}

const fn enforcement(enforcement: Enforcement) -> PolicyEnforcement {
    match enforcement {
        Enforcement::Draft => PolicyEnforcement::Draft,
        Enforcement::Grace => PolicyEnforcement::Grace,
        Enforcement::Enforced => PolicyEnforcement::Enforced,
    }
}

pub(super) fn plan(facts: &Facts<'_>, clock: Clock) -> Option<PlanStatus> {
    facts.world.scope.as_ref().ok()?;
    let plan = &facts.decision.plan;
    let applied = |step: &&Step| {
        let outcome = facts.outcomes.iter().find(|outcome| outcome.key == step.key);
        outcome.is_some_and(|outcome| outcome.result == StepResult::Applied)
    };
    let left = plan.steps.iter().filter(|step| !applied(step)).chain(&plan.held);
    Some(PlanStatus {
        hash: Some(facts.decision.hash.clone()),
        generation: Some(clock.generation),
        summary: Some(summarize_steps(left.clone())),
        actions: left.map(action).collect(),
    })
}

fn action(step: &Step) -> PlanAction {
    let changes = step.action.delta().into_iter().flat_map(|delta| &delta.0);
    PlanAction {
        verb: step.action.verb().to_string(),
        resource: step.key.to_string(),
        changes: changes.take(MAX_DRIFT).map(|change| text(&change.to_string(), VALUE_LIMIT)).collect(),
    }
}

pub(super) fn resources(facts: &Facts<'_>, old: &DataProductStatus, clock: Clock) -> Vec<ResourceStatus> {
    if facts.after.is_empty() {
        // Nothing could be observed: what was known stays known.
        return old.resources.clone();
    }
    facts
        .after
        .iter()
        .filter(|assessment| {
            matches!(assessment.wanted, Wanted::Present(_)) || assessment.state != State::InSync
        })
        .map(|assessment| resource(facts, assessment, old, clock))
        .collect()
}

fn resource(
    facts: &Facts<'_>,
    assessment: &Assessment,
    old: &DataProductStatus,
    clock: Clock,
) -> ResourceStatus {
    let key = assessment.key();
    let before =
        old.resources.iter().find(|before| before.kind == key.kind.as_str() && before.name == key.name);
    let (state, error) = describe(facts, assessment, before);
    let mut resource = ResourceStatus {
        kind: key.kind.as_str().to_owned(),
        name: text(&key.name, 255),
        id: assessment
            .id
            .clone()
            .or_else(|| before.and_then(|before| before.id.clone()))
            .map(|id| text(&id, ID_LIMIT)),
        state,
        drift: drift(&assessment.state),
        last_error: None,
        last_observed_at: before
            .filter(|before| before.state == state)
            .map_or_else(|| Some(instant(clock.now)), |before| before.last_observed_at.clone()),
    };
    resource.last_error = error.map(|(class, message)| {
        let how = match loss_token(&resource).filter(|_| matches!(assessment.state, State::Lost(_))) {
            Some(token) => {
                format!(
                    "{message}; restore it, or accept the loss with the annotation {ACCEPT_LOSS}: \"{token}\""
                )
            }
            None => message,
        };
        LastError { class, message: text(&how, MESSAGE_LIMIT) }
    });
    resource
}

/// The state that people see, and the error beside it.
fn describe(
    facts: &Facts<'_>,
    assessment: &Assessment,
    before: Option<&ResourceStatus>,
) -> (ResourceState, Option<(ErrorClass, String)>) {
    let terminal = |message: String| Some((ErrorClass::Terminal, message));
    let failure = facts.failure(assessment.key()).filter(|_| assessment.state != State::InSync);
    let failed = failure.map(|fault| (class_of(fault), fault.message.clone()));
    if assessment.state == State::Missing
        && before.is_some_and(|before| before.state == ResourceState::Lost)
        && facts.decision.memory.accepted_loss.contains(assessment.key())
    {
        // Until it is made anew it stays lost, so that the word that accepted the loss goes on to count.
        let message = || (ErrorClass::Transient, "its loss is accepted, and it is made anew".to_owned());
        return (ResourceState::Lost, failed.or_else(|| Some(message())));
    }
    if failed.is_some() {
        return (ResourceState::Failed, failed);
    }
    let adopted = before.is_some_and(|before| before.state == ResourceState::Adopted)
        || facts
            .outcomes
            .iter()
            .any(|outcome| outcome.key == *assessment.key() && outcome.verb == Verb::Adopt);
    match &assessment.state {
        State::InSync if adopted => (ResourceState::Adopted, None),
        State::InSync => (ResourceState::InSync, None),
        State::Missing | State::Claimable(Claim::Released | Claim::Predecessor, _) => {
            (ResourceState::Pending, blocked(facts))
        }
        State::Differs(_) => (ResourceState::Drifted, blocked(facts)),
        State::Surplus(_) => (ResourceState::Deleting, None),
        State::Lost(last_known) => (ResourceState::Lost, terminal(format!("it is gone; {last_known}"))),
        State::Foreign(whose) => {
            (ResourceState::Failed, terminal(format!("it is not this product's: {whose}")))
        }
        State::Claimable(..) => {
            (ResourceState::Failed, terminal("it carries no mark of this product".to_owned()))
        }
        State::PendingDeletion => (ResourceState::Failed, terminal("its deletion is scheduled".to_owned())),
        State::Disabled => (ResourceState::Failed, terminal("it is disabled".to_owned())),
        State::Unknown(fault) => (ResourceState::Failed, Some((class_of(fault), fault.message.clone()))),
    }
}

/// What to expect of a provider's failure.
pub(super) const fn class_of(fault: &Fault) -> ErrorClass {
    if fault.kind.is_transient() { ErrorClass::Transient } else { ErrorClass::Terminal }
}

fn blocked(facts: &Facts<'_>) -> Option<(ErrorClass, String)> {
    facts.decision.blockers.first().map(|blocker| (ErrorClass::Blocked, blocker.to_string()))
}

fn drift(state: &State) -> Vec<Drift> {
    let (State::Differs(Delta(changes)) | State::Claimable(_, Delta(changes))) = state else {
        return Vec::new();
    };
    changes
        .iter()
        .take(MAX_DRIFT)
        .map(|change| Drift {
            path: text(&change.path, VALUE_LIMIT),
            want: change.want.as_ref().map(|want| text(want, VALUE_LIMIT)),
            have: change.have.as_ref().map(|have| text(have, VALUE_LIMIT)),
        })
        .collect()
}

pub(super) fn outputs(facts: &Facts<'_>, old: &DataProductStatus) -> Option<Outputs> {
    if facts.after.is_empty() {
        return old.outputs.clone();
    }
    let found = |kind| {
        let assessment = facts.after.iter().find(|assessment| assessment.key().kind == kind)?;
        assessment.is_usable().then_some(assessment).filter(|it| matches!(it.wanted, Wanted::Present(_)))
    };
    let name = |kind| found(kind).map(|assessment| assessment.key().name.clone());
    let id = |kind| found(kind).and_then(|assessment| Some(text(assessment.id.as_ref()?, ID_LIMIT)));
    let outputs = Outputs {
        bucket: name(Kind::Bucket),
        bucket_arn: id(Kind::Bucket),
        catalog_database: name(Kind::CatalogDatabase),
        encryption_key_arn: id(Kind::EncryptionKey),
        alarm_name: name(Kind::FreshnessAlarm),
    };
    (outputs != Outputs::default()).then_some(outputs)
}

pub(super) fn endpoints(facts: &Facts<'_>) -> Vec<Endpoint> {
    let bucket =
        facts.after.iter().find(|assessment| assessment.key().kind == Kind::Bucket && assessment.is_usable());
    let bucket = bucket.and_then(|assessment| assessment.id.as_deref());
    let ports = facts.world.declared.product.spec.output_ports.iter();
    ports
        .filter_map(|port| {
            Some(Endpoint {
                name: port.name.clone(),
                uri: text(&uri(port, bucket)?, 2048),
                authentication: port.authentication.map(|authentication| authentication.as_str().to_owned()),
                reachable: None,
            })
        })
        .collect()
}

fn uri(port: &OutputPort, bucket: Option<&str>) -> Option<String> {
    if let Some(endpoint) = &port.endpoint {
        return Some(endpoint.clone());
    }
    if let (Some(database), Some(schema), Some(table)) = (&port.database, &port.schema, &port.table) {
        return Some(format!("{}://{database}/{schema}/{table}", port.type_));
    }
    let location = port.location.clone().unwrap_or_else(|| format!("{}/", port.name));
    bucket.map(|bucket| format!("{}/{location}", bucket.trim_end_matches('/')))
}

pub(super) fn slo(facts: &Facts<'_>, old: &DataProductStatus, clock: Clock) -> Option<SloStatus> {
    let verdicts = &facts.verdicts;
    if verdicts.is_empty() {
        return None;
    }
    let before = old.slo.as_ref().map_or(&[][..], |slo| &slo.objectives);
    let objectives = verdicts.iter().map(|verdict| {
        objective(verdict, before.iter().find(|before| before.name == verdict.objective.as_str()), clock)
    });
    Some(SloStatus { state: Some(slo::worst(verdicts)), objectives: objectives.collect() })
}

fn objective(verdict: &Verdict, before: Option<&ObjectiveStatus>, clock: Clock) -> ObjectiveStatus {
    let same = before.filter(|before| before.state == verdict.state && before.target == verdict.target);
    ObjectiveStatus {
        name: verdict.objective.as_str().to_owned(),
        target: verdict.target.clone(),
        target_value: verdict.target_value.clone(),
        current: current(verdict, same),
        state: verdict.state,
        message: Some(text(&verdict.message, VALUE_LIMIT)),
        window: verdict.window.clone(),
        since: same.map_or_else(|| Some(instant(clock.now)), |same| same.since.clone()),
        source: verdict.source.as_ref().map(|source| text(source, 128)),
        ..ObjectiveStatus::default()
    }
}

/// The measured value, which moves only when the verdict flips or the value has moved by a whole step.
fn current(verdict: &Verdict, same: Option<&ObjectiveStatus>) -> Option<String> {
    let measured = instant(verdict.measured?).0;
    let shown: Option<jiff::Timestamp> = same.and_then(|same| same.current.as_ref()?.parse().ok());
    match shown {
        Some(shown) if measured.duration_since(shown).abs() < verdict.step => Some(shown.to_string()),
        _ => Some(measured.to_string()),
    }
}

pub(super) fn lineage(facts: &Facts<'_>) -> LineageStatus {
    let neighbours = &facts.world.declared.neighbours;
    let upstream = neighbours.upstreams.iter().take(MAX_NEIGHBOURS).map(|upstream| UpstreamStatus {
        // The spec may name what no object can be called.
        name: text(&upstream.name.name, NAME_LIMIT),
        namespace: text(&upstream.name.namespace, NAME_LIMIT),
        resolved: upstream.found.is_some(),
        ready: upstream.found.as_ref().is_some_and(|found| found.ready),
        version: upstream.found.as_ref().map(|found| found.version.clone()),
    });
    let domains = neighbours.consumers.iter().map(|(_, domain)| domain.clone()).collect::<BTreeSet<_>>();
    LineageStatus {
        upstream: upstream.collect(),
        downstream_count: i32::try_from(neighbours.consumers.len()).unwrap_or(i32::MAX),
        consumer_domains: domains.into_iter().take(MAX_DOMAINS).collect(),
        cycle: neighbours.cycle.iter().take(MAX_NEIGHBOURS).map(ToString::to_string).collect(),
    }
}

pub(super) fn access(facts: &Facts<'_>) -> Option<AccessStatus> {
    let scope = facts.world.scope.as_ref().ok()?;
    let product = &facts.world.declared.product;
    let grants = facts.after.iter().find(|assessment| assessment.key().kind == Kind::Grant)?;
    let Wanted::Present(_) = grants.wanted else {
        return None;
    };
    let observed = |principal: &str| match &grants.state {
        State::InSync => true,
        State::Differs(delta) => !delta.touches(&format!("principals.{principal}")),
        _ => false,
    };
    let team = GrantStatus {
        principal: scope.team_role.clone(),
        role: "domain-team".to_owned(),
        permissions: vec!["ALL".to_owned()],
        from: format!("DataDomain/{}", scope.domain),
        expires_at: None,
        observed: observed(&scope.team_role),
    };
    let from_roles = roles(&product.spec).flat_map(|role| {
        role.principals.iter().map(|principal| GrantStatus {
            principal: principal.clone(),
            role: role.name.clone(),
            permissions: role.permissions.iter().map(|permission| permission.as_str().to_owned()).collect(),
            from: format!("DataProduct/{}", product.name_any()),
            expires_at: None,
            observed: observed(principal),
        })
    });
    let mut grants = std::iter::once(team).chain(from_roles).collect::<Vec<_>>();
    grants.sort_by(|a, b| (&a.principal, &a.role).cmp(&(&b.principal, &b.role)));
    grants.truncate(MAX_NEIGHBOURS);
    Some(AccessStatus { grants })
}
