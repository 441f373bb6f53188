//! The bound on a whole status: the API server, every watch and every reader pay for its size.
//!
//! Each list has a bound of its own; this file holds their sum. The lists that explain most are cut last.

use std::io;

use super::dated::text;
use crate::api::DataProductStatus;

/// Largest status, in bytes of JSON.
pub const SIZE_LIMIT: usize = 64 * 1024;
/// How many entries of each list are kept, in rounds: the next one begins where the last one was not enough.
const ROUNDS: [usize; 4] = [32, 8, 2, 0];
/// Length of a condition's message, in characters, where nothing else is left to cut.
const SHORT_MESSAGE: usize = 200;

/// Cuts one list of a status to a number of entries.
type Cut = fn(&mut DataProductStatus, usize);

/// The lists, from the least to the most needed.
const LISTS: [Cut; 6] = [
    |status, keep| status.endpoints.truncate(keep),
    |status, keep| status.access.iter_mut().for_each(|access| access.grants.truncate(keep)),
    |status, keep| status.lineage.iter_mut().for_each(|lineage| lineage.upstream.truncate(keep)),
    |status, keep| {
        let actions = status.plan.iter_mut().flat_map(|plan| &mut plan.actions);
        actions.for_each(|action| action.changes.truncate(keep));
    },
    |status, keep| status.resources.iter_mut().for_each(|resource| resource.drift.truncate(keep)),
    |status, keep| {
        if let Some(governance) = &mut status.governance {
            governance.truncated |= governance.violations.len() > keep;
            governance.violations.truncate(keep);
        }
    },
];

/// The status, with lists cut until it is small enough. A small one is left as it is.
pub(super) fn capped(mut status: DataProductStatus) -> DataProductStatus {
    for keep in ROUNDS {
        for cut in LISTS {
            if size(&status) <= SIZE_LIMIT {
                return status;
            }
            cut(&mut status, keep);
        }
    }
    if size(&status) > SIZE_LIMIT {
        for condition in &mut status.conditions {
            condition.message = text(&condition.message, SHORT_MESSAGE);
        }
    }
    status
}

/// Size of a status as JSON in bytes.
fn size(status: &DataProductStatus) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // A status is plain data and the counter takes every byte, so that this cannot fail.
    let _ = serde_json::to_writer(&mut count, status);
    count.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::status::{
        AccessStatus, Endpoint, GovernanceStatus, GrantStatus, PolicyEnforcement, Severity, Violation,
    };

    fn violation(text: &str) -> Violation {
        Violation {
            id: "TEST-001".to_owned(),
            severity: Severity::Error,
            message: text.to_owned(),
            remediation: text.to_owned(),
            path: "spec".to_owned(),
            policy: "GovernancePolicy/core".to_owned(),
            enforcement: PolicyEnforcement::Enforced,
            since: None,
            deadline: None,
            exception_ref: None,
        }
    }

    fn large(letter: &str) -> DataProductStatus {
        let endpoint = Endpoint { name: "port".to_owned(), uri: letter.repeat(2048), ..Endpoint::default() };
        let grant = GrantStatus { principal: letter.repeat(2048), ..GrantStatus::default() };
        DataProductStatus {
            endpoints: vec![endpoint; 64],
            access: Some(AccessStatus { grants: vec![grant; 128] }),
            governance: Some(GovernanceStatus {
                errors: 50,
                violations: vec![violation(&letter.repeat(1024)); 50],
                ..GovernanceStatus::default()
            }),
            ..DataProductStatus::default()
        }
    }

    #[test]
    fn what_is_small_is_left_alone() {
        let mut small = large("x");
        small.endpoints.truncate(2);
        small.access = None;
        if let Some(governance) = &mut small.governance {
            governance.violations.truncate(20);
        }
        assert_eq!(capped(small.clone()), small);
    }

    #[test]
    fn what_is_too_large_is_cut_where_it_is_needed_least_and_says_so() {
        for letter in ["x", "\u{1f980}", "\u{1}"] {
            let capped = capped(large(letter));
            assert!(size(&capped) <= SIZE_LIMIT, "{}", size(&capped));
            let governance = capped.governance.as_ref().expect("governance is kept");
            assert_eq!(governance.truncated, governance.violations.len() < 50, "a cut is said");
            assert_eq!(governance.errors, 50, "the totals are true");
            assert!(capped.endpoints.len() <= governance.violations.len(), "endpoints go first");
        }
        let ascii = capped(large("x")).governance.expect("governance").violations.len();
        assert!(ascii >= 8, "violations explain most and go last, not {ascii}");
    }

    #[test]
    fn cutting_twice_is_cutting_once() {
        let once = capped(large("x"));
        assert_eq!(capped(once.clone()), once);
    }
}
