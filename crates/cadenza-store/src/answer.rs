//! An answer that arrives later, for callers in async code; it belongs to no runtime.

use crate::error::{Result, StoreError};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// The answer of `read_async` or `write_async`. The work goes on when this is dropped; only the answer is lost.
#[must_use = "whether the transaction succeeded is known only from its answer"]
pub struct Answer<T> {
    place: Arc<Mutex<Place<T>>>,
}

/// Gives the answer, once; dropped without one it answers `Unavailable`.
pub(crate) struct Promise<T> {
    place: Arc<Mutex<Place<T>>>,
}

enum Place<T> {
    Empty(Option<Waker>),
    Full(Result<T>),
    Taken,
}

pub(crate) fn promise<T>() -> (Promise<T>, Answer<T>) {
    let place = Arc::new(Mutex::new(Place::Empty(None)));
    (Promise { place: place.clone() }, Answer { place })
}

impl<T> Promise<T> {
    pub(crate) fn keep(self, answer: Result<T>) {
        fill(&self.place, answer);
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        fill(&self.place, Err(StoreError::unavailable("the database was closed")));
    }
}

/// The first answer stays.
fn fill<T>(place: &Mutex<Place<T>>, answer: Result<T>) {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    let Place::Empty(waker) = &mut *place else { return };
    let waker = waker.take();
    *place = Place::Full(answer);
    drop(place);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl<T> Future for Answer<T> {
    type Output = Result<T>;
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *place, Place::Taken) {
            Place::Full(answer) => Poll::Ready(answer),
            Place::Taken => Poll::Ready(Err(StoreError::unavailable("the answer was taken before"))),
            Place::Empty(_) => {
                *place = Place::Empty(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

impl<T> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer")
    }
}
