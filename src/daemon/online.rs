//! Who is online, for the admin door: the hall is asked, since it alone knows at any moment.

use std::sync::Arc;

use super::force::Force;
use crate::admin::{self, Later};
use crate::engine::{Batch, BatchId, Disconnected, Done, Looked, Order, SessionId, Which};

/// The hall, for whoever asks who is online.
#[derive(Clone, Debug)]
pub(super) struct Online(pub(super) Arc<Force>);

impl admin::Online for Online {
    fn look(&self, which: Which, after: Option<SessionId>, most: usize) -> Later<'_, Option<Looked>> {
        Box::pin(async move {
            let (mut all, mut on) = (Looked::default(), after);
            loop {
                let missing = most.saturating_sub(all.found.len());
                let order = Order::Look(Box::new(which.clone()), on, missing);
                let Done::Looked(looked) = self.0.ask(order).await? else { return None };
                all.found.extend(looked.found);
                on = looked.on;
                if on.is_none() {
                    return Some(all);
                }
            }
        })
    }

    fn disconnect(&self, id: SessionId, by: Arc<str>) -> Later<'_, Option<Disconnected>> {
        Box::pin(async move {
            match self.0.ask(Order::Disconnect(id, by)).await? {
                Done::Disconnected(done) => Some(*done),
                _ => None,
            }
        })
    }

    fn held(&self) -> Later<'_, Option<Vec<Batch>>> {
        Box::pin(async move {
            match self.0.ask(Order::Held).await? {
                Done::Held(batches) => Some(batches),
                _ => None,
            }
        })
    }

    fn release(&self, id: BatchId) -> Later<'_, Option<Option<Batch>>> {
        Box::pin(self.decided(Order::Release(id)))
    }

    fn discard(&self, id: BatchId) -> Later<'_, Option<Option<Batch>>> {
        Box::pin(self.decided(Order::Discard(id)))
    }
}

impl Online {
    async fn decided(&self, order: Order) -> Option<Option<Batch>> {
        match self.0.ask(order).await? {
            Done::Batch(batch) => Some(batch.map(|batch| *batch)),
            _ => None,
        }
    }
}
