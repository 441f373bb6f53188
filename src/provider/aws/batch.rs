//! Many callers, one call: requests that arrive at nearly the same time are sent together, and each caller gets its own part
//! of the answer.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use super::Failure;
use crate::provider::ErrorKind;

/// How long the first caller waits for others.
const LINGER: Duration = Duration::from_millis(20);

/// Who waits for the answer to a request.
type Caller<A> = oneshot::Sender<Result<A, Failure>>;

/// A queue of requests that are sent together.
pub(super) struct Batch<Q, A> {
    queue: Mutex<Vec<(Q, Caller<A>)>>,
    /// The most requests of one call.
    size: usize,
}

/// The caller who waits for others. Should it end while it waits, the queue goes with it: whoever came after it is told so,
/// and the next caller is the first again.
struct Lead<'a, Q, A>(&'a Batch<Q, A>);

impl<Q, A> Lead<'_, Q, A> {
    fn queue(&self) -> Vec<(Q, Caller<A>)> {
        std::mem::take(&mut *self.0.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends the wait. Whoever comes from now on is of the next queue, which is not this one's to drop.
    fn take(self) -> Vec<(Q, Caller<A>)> {
        let queue = self.queue();
        std::mem::forget(self);
        queue
    }
}

impl<Q, A> Drop for Lead<'_, Q, A> {
    fn drop(&mut self) {
        drop(self.queue());
    }
}

impl<Q, A> Batch<Q, A> {
    pub(super) fn new(size: usize) -> Self {
        Self { queue: Mutex::default(), size }
    }

    /// Sends some requests, together with those of others, and gives their answers in order. `send` answers requests in
    /// their order; when it fails, each of them has failed.
    ///
    /// The first caller sends for all. Should it end before, its followers are told that they have no answer.
    pub(super) async fn submit<F>(
        &self,
        requests: Vec<Q>,
        send: impl Fn(Vec<Q>) -> F + Send + Sync,
    ) -> Result<Vec<A>, Failure>
    where
        F: Future<Output = Result<Vec<Result<A, Failure>>, Failure>> + Send,
    {
        let (first, answers) = self.enqueue(requests);
        if first {
            let mut queued = {
                let lead = Lead(self);
                tokio::time::sleep(LINGER).await;
                lead.take()
            };
            while !queued.is_empty() {
                let rest = queued.split_off(queued.len().min(self.size));
                let (requests, callers): (Vec<_>, Vec<_>) =
                    std::mem::replace(&mut queued, rest).into_iter().unzip();
                deliver(send(requests).await, callers);
            }
        }
        let mut told = Vec::with_capacity(answers.len());
        for answer in answers {
            let cut = || Failure::new(ErrorKind::Unavailable, "the call was sent with others and cut off");
            told.push(answer.await.unwrap_or_else(|_| Err(cut()))?);
        }
        Ok(told)
    }

    fn enqueue(&self, requests: Vec<Q>) -> (bool, Vec<oneshot::Receiver<Result<A, Failure>>>) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let first = queue.is_empty() && !requests.is_empty();
        let answers = requests.into_iter().map(|request| {
            let (caller, answer) = oneshot::channel();
            queue.push((request, caller));
            answer
        });
        (first, answers.collect())
    }
}

/// Tells every caller its part. Who does not listen any more has ended.
fn deliver<A>(answer: Result<Vec<Result<A, Failure>>, Failure>, callers: Vec<Caller<A>>) {
    match answer {
        Ok(answers) => {
            for (caller, answer) in callers.into_iter().zip(answers) {
                let _ = caller.send(answer);
            }
        }
        Err(failure) => {
            for caller in callers {
                let _ = caller.send(Err(failure.copy()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn callers_of_the_same_moment_share_a_call_and_get_their_own_answers() {
        let (batch, calls) = (Batch::new(20), AtomicUsize::new(0));
        let send = |requests: Vec<usize>| {
            calls.fetch_add(1, Ordering::SeqCst);
            async move {
                assert!(requests.len() <= 20);
                let answer = |n: usize| if n == 7 { Err(Failure::absent()) } else { Ok(n * 2) };
                Ok(requests.into_iter().map(answer).collect())
            }
        };
        let answers = join_all((0..40).map(|n| batch.submit(vec![n], send))).await;
        assert_eq!(calls.load(Ordering::SeqCst), 2, "forty requests are two calls");
        for (n, answer) in answers.into_iter().enumerate() {
            assert_eq!(answer.ok(), (n != 7).then(|| vec![n * 2]), "{n}");
        }
        let none: Vec<usize> = batch.submit(Vec::new(), send).await.expect("nothing to send");
        assert!(none.is_empty() && calls.load(Ordering::SeqCst) == 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_fails_has_failed_for_all_and_a_caller_that_ends_leaves_no_one_waiting() {
        let batch: Batch<usize, usize> = Batch::new(20);
        let fail = |_: Vec<usize>| async { Err(Failure::refusal(ErrorKind::Throttled, "slow down")) };
        let (one, two) = tokio::join!(batch.submit(vec![1], fail), batch.submit(vec![2], fail));
        for failure in [one, two] {
            let failure = failure.expect_err("failed");
            assert_eq!((failure.kind, failure.changed_nothing), (ErrorKind::Throttled, true));
        }
        let early = tokio::time::timeout(LINGER / 2, batch.submit(vec![1], fail));
        let (early, follower) = tokio::join!(early, batch.submit(vec![2], fail));
        assert!(early.is_err(), "it ended while it waited for others");
        assert_eq!(follower.expect_err("cut off").kind, ErrorKind::Unavailable);
        let next = batch.submit(vec![3], fail).await.expect_err("sent");
        assert_eq!(next.kind, ErrorKind::Throttled, "the next caller is the first again");

        let never = |_: Vec<usize>| std::future::pending();
        let leader = tokio::time::timeout(Duration::from_secs(1), batch.submit(vec![1], never));
        let (leader, follower) = tokio::join!(leader, batch.submit(vec![2], fail));
        assert!(leader.is_err());
        assert_eq!(follower.expect_err("cut off").kind, ErrorKind::Unavailable);
    }
}
