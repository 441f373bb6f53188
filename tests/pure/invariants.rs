//! The numbered invariants of the status, for any mix of findings and outcomes.

use jiff::SignedDuration;
use proptest::prelude::*;

use crate::{
    outside::Outside,
    visit::{Luck, apply_settings, check, luck, settings, visit, with_status},
};

proptest! {
    #[test]
    fn the_invariants_hold_for_any_mix_of_settings_and_luck(settings in settings(), first in luck(), second in luck()) {
        let mut outside = Outside::default();
        let (status, in_sync) = visit(apply_settings(settings), &mut outside, first, settings.age_minutes);
        check(&status, settings, in_sync);
        let mut declared = with_status(apply_settings(settings), &status);
        // Time has passed, so that a time that moves without a reason is seen.
        let moment = declared.now.checked_add(SignedDuration::from_mins(7)).expect("an instant");
        declared.now = moment;
        let (later, in_sync) = visit(declared, &mut outside, second, settings.age_minutes);
        check(&later, settings, in_sync);
        for condition in &later.conditions {
            let before = status.condition(&condition.type_);
            let dated = condition.last_transition_time.0;
            match before {
                Some(before) if before.status == condition.status => {
                    prop_assert_eq!(dated, before.last_transition_time.0, "invariant 4: it stays");
                }
                _ => prop_assert_eq!(dated, moment, "invariant 4: it turned now"),
            }
        }
    }

    #[test]
    fn a_world_at_rest_gives_the_same_status_again(settings in settings()) {
        let mut outside = Outside::default();
        let (first, _) = visit(apply_settings(settings), &mut outside, Luck::Good, settings.age_minutes);
        let (second, _) = visit(with_status(apply_settings(settings), &first), &mut outside, Luck::Good, settings.age_minutes);
        let (third, _) = visit(with_status(apply_settings(settings), &second), &mut outside, Luck::Good, settings.age_minutes);
        prop_assert_eq!(&first, &second, "invariant 6: the first status is already final");
        let mut later = with_status(apply_settings(settings), &second);
        // So little later that no verdict flips.
        later.now = later.now.checked_add(SignedDuration::from_secs(30)).expect("an instant");
        let on_time = settings.age_minutes != 60;
        let (second_later, _) = visit(later, &mut outside, Luck::Good, settings.age_minutes);
        prop_assert!(!on_time || second_later == second, "invariant 6: nothing moves with time alone");
        prop_assert_eq!(second, third);
    }
}
