//! From what is declared and observed to what is to be done, as a value. Pure: no client, no clock, no environment.

pub mod assess;
pub mod bind;
mod blocker;
pub mod build;
mod decide;
pub mod desired;
mod grants;
mod judge;
mod outcome;
pub mod reported;
pub mod scope;
mod step;
pub mod teardown;
mod world;

pub use blocker::Blocker;
pub use decide::{Decision, decide, decide_teardown, loss_token};
pub use judge::{judge, judge_declared};
pub use outcome::{Outcome, StepResult};
pub use step::{Action, Plan, Step, Verb, summarize as summarize_steps};
pub use world::{Declared, World};

pub use crate::model::lineage::{Neighbours, ProductName, Upstream, UpstreamFacts};
