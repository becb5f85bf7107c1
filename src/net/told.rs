//! What others tell the hall through channels.

use std::task::Poll;

/// What has come through a channel, if anything has; else the hall is woken when it does. A closed channel is one through which nothing comes.
pub(super) fn told<T>(received: Poll<Option<T>>) -> Poll<T> {
    match received {
        Poll::Ready(Some(told)) => Poll::Ready(told),
        Poll::Ready(None) | Poll::Pending => Poll::Pending,
    }
}
