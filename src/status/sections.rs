//! What a status says of the product's place in the mesh: domain, governance, service levels, lineage, access.

use std::collections::BTreeSet;

use jiff::{civil::Date, tz::TimeZone};
use kube::ResourceExt;

use super::{
    Facts, MESSAGE_LIMIT, VALUE_LIMIT,
    dated::{Clock, instant, text},
};
use crate::{
    api::{
        DataProductStatus, Enforcement,
        status::{
            AccessStatus, DomainStatus, GovernanceStatus, GrantStatus, Instant, LineageStatus,
            ObjectiveStatus, PolicyEnforcement, SloStatus, UpstreamStatus, Violation,
        },
    },
    model::resource::Kind,
    plan::{
        assess::{State, Wanted},
        desired::roles,
    },
    slo::{self, Verdict},
};

const MAX_VIOLATIONS: usize = 50;
const MAX_NOT_EVALUATED: usize = 64;
const POLICY_LIMIT: usize = 320;
const MAX_NEIGHBOURS: usize = 128;
const MAX_DOMAINS: usize = 64;
const NAME_LIMIT: usize = 63;

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
    let report = facts.report.as_ref()?;
    let before = old.governance.as_ref().map_or(&[][..], |governance| &governance.violations);
    let violations = report.violations.iter().take(MAX_VIOLATIONS).map(|violation| {
        let seen = before
            .iter()
            .find(|seen| *seen.id == *violation.rule.id && seen.path == text(&violation.path, VALUE_LIMIT));
        Violation {
            id: violation.rule.id.to_string(),
            severity: violation.severity,
            message: text(&violation.message, MESSAGE_LIMIT),
            remediation: text(&violation.remediation, MESSAGE_LIMIT),
            path: text(&violation.path, VALUE_LIMIT),
            policy: text(&violation.rule.policy, POLICY_LIMIT),
            enforcement: enforcement(violation.enforcement(facts.decision.enforcement)),
            since: seen.map_or_else(|| Some(instant(clock.now)), |seen| seen.since.clone()),
            deadline: match violation.exception.as_deref() {
                Some((_, until)) => Some(instant(*until)),
                None => violation.deadline.and_then(midnight),
            },
            exception_ref: violation.exception.as_deref().map(|(name, _)| format!("PolicyException/{name}")),
        }
    });
    let declared = &facts.world.declared;
    let hash =
        declared.standards.as_ref().map(|standards| declared.policies.rule_set_hash(report, &standards.spec));
    Some(GovernanceStatus {
        score: Some(report.score),
        result: Some(report.result),
        errors: report.errors,
        warnings: report.warnings,
        infos: report.infos,
        excepted: report.excepted,
        score_without_exceptions: (report.excepted > 0).then_some(report.score_without_exceptions),
        policy_set_hash: hash,
        violations: violations.collect(),
        not_evaluated: report.not_evaluated.iter().take(MAX_NOT_EVALUATED).map(ToString::to_string).collect(),
        truncated: report.violations.len() > MAX_VIOLATIONS,
    })
}

/// The beginning of a day, in UTC.
fn midnight(day: Date) -> Option<Instant> {
    day.to_zoned(TimeZone::UTC).ok().map(|at| instant(at.timestamp()))
}

const fn enforcement(enforcement: Enforcement) -> PolicyEnforcement {
    match enforcement {
        Enforcement::Draft => PolicyEnforcement::Draft,
        Enforcement::Grace => PolicyEnforcement::Grace,
        Enforcement::Enforced => PolicyEnforcement::Enforced,
    }
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
        // It moves only when the verdict flips or the value has moved by a whole step.
        current: verdict
            .measured
            .map(|measured| measured.shown(same.and_then(|same| same.current.as_deref()))),
        state: verdict.state,
        message: Some(text(&verdict.message, VALUE_LIMIT)),
        window: verdict.window.clone(),
        since: same.map_or_else(|| Some(instant(clock.now)), |same| same.since.clone()),
        source: verdict.source.as_ref().map(|source| text(source, 128)),
        ..ObjectiveStatus::default()
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
