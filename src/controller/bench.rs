//! Where products are judged: at once where that is cheap, else beside the visits.
//!
//! All visits share one task. What a policy may compute for long is computed elsewhere, one product of a namespace at a
//! time, so that whoever writes such a policy waits for himself and for nobody else.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use kube::ResourceExt;
use tokio::sync::Mutex as Turn;

use crate::{
    governance::{Judgement, Subject},
    plan::{Decision, World, assess::Observations, decide, judge},
};

/// What expressions may cost at worst where a judgement is made at once: a few milliseconds.
const CHEAP: u64 = 50_000;

/// The turns of namespaces whose products are judged beside the visits.
#[derive(Debug, Default)]
pub struct Bench(Mutex<BTreeMap<String, Arc<Turn<()>>>>);

impl Bench {
    /// Decides about a product that lives.
    pub async fn decide(&self, world: World) -> (World, Decision) {
        if !is_costly(&world) {
            let decision = decide(&world);
            return (world, decision);
        }
        let namespace = namespace(&world);
        self.beside(&namespace, move || {
            let decision = decide(&world);
            (world, decision)
        })
        .await
    }

    /// Judges a product by what was observed after its steps.
    pub async fn judge(&self, world: &World, decision: &Decision, after: &Observations) -> Option<Judgement> {
        let precedents = &decision.judgement.as_ref()?.precedents;
        if !is_costly(world) {
            return judge(world, &decision.wanted, after, precedents);
        }
        let (world, wanted, after) = (world.clone(), decision.wanted.clone(), after.clone());
        let (namespace, precedents) = (namespace(&world), precedents.clone());
        self.beside(&namespace, move || judge(&world, &wanted, &after, &precedents)).await
    }

    /// Works beside the visits when it is the namespace's turn. A panic goes on in the visit that asked.
    async fn beside<T: Send + 'static>(
        &self,
        namespace: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let turn = self.turn(namespace);
        let held = turn.lock().await;
        let done = tokio::task::spawn_blocking(work).await;
        drop(held);
        drop(turn);
        self.forget(namespace);
        match done {
            Ok(answer) => answer,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is ending, and this visit with it.
            Err(_) => std::future::pending().await,
        }
    }

    fn turn(&self, namespace: &str) -> Arc<Turn<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(namespace.to_owned()).or_default())
    }

    /// Drops the turn of a namespace that nobody holds or waits for.
    fn forget(&self, namespace: &str) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.get(namespace).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(namespace);
        }
    }
}

fn is_costly(world: &World) -> bool {
    world.declared.policies.cost(&Subject::of(&world.declared.product)) > CHEAP
}

fn namespace(world: &World) -> String {
    world.declared.product.namespace().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, time::Duration};

    use tokio::{sync::oneshot, time::timeout};

    use super::*;

    #[tokio::test]
    async fn a_long_judgement_holds_up_its_own_namespace_and_no_other() {
        let bench = Bench::default();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (start, started) = oneshot::channel();
        let mut long = pin!(bench.beside("a", move || {
            start.send(()).expect("somebody waits");
            held.recv().expect("it is released");
        }));
        let mut next = pin!(bench.beside("a", || ()));
        let mut other = pin!(async {
            started.await.expect("it begins");
            bench.beside("b", || ()).await;
        });
        let others = async {
            tokio::select! {
                // In this order, so that the long one has its turn first.
                biased;
                () = &mut other => {}
                () = &mut long => panic!("it is held"),
                () = &mut next => panic!("it is not its turn"),
            }
            release.send(()).expect("somebody waits");
            tokio::join!(long, next);
        };
        timeout(Duration::from_mins(1), others).await.expect("nobody waits for ever");
        let turns = bench.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(turns.is_empty(), "a turn that nobody has is forgotten: {turns:?}");
    }
}
