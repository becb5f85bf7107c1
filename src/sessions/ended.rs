//! Sessions that have ended a while ago: a Start that was lost and comes after its Stop must not bring one back.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::Device;
use crate::now::{Mono, Wall};

/// How long a NAS may go on asking.
const KEEP: Duration = Duration::from_secs(60 * 60);
/// Most of them.
const MOST: usize = 65_536;

type Name = (Arc<Device>, Box<str>);

/// By device and Acct-Session-Id: when each ended. Bounded by age and number.
#[derive(Debug, Default)]
pub(super) struct Ended {
    at: HashMap<Name, Wall>,
    order: VecDeque<(Mono, Name)>,
}

impl Ended {
    pub(super) fn insert(&mut self, now: Mono, device: Arc<Device>, acct_session: Box<str>, at: Wall) {
        while self.order.front().is_some_and(|(until, _)| *until <= now) || self.order.len() >= MOST {
            let Some((_, name)) = self.order.pop_front() else { break };
            self.at.remove(&name);
        }
        let name = (device, acct_session);
        if self.at.insert(name.clone(), at).is_none() {
            self.order.push_back((now + KEEP, name));
        }
    }

    /// Whether what happened then to a session happened before its end.
    pub(super) fn is_past(&self, device: &Arc<Device>, acct_session: &str, happened: Wall) -> bool {
        let name = (Arc::clone(device), acct_session.into());
        self.at.get(&name).is_some_and(|ended| happened <= *ended)
    }
}
