//! How the hall waits: for its sockets, and for a bell that other threads ring.
//!
//! A runtime's own way would do, but not at this price: the kernel is asked once for each time that the hall sleeps, and whoever has something for the hall while it is
//! awake asks the kernel for nothing. With one packet at a time that leaves an `epoll_wait`, a `recvmmsg` and a `sendmsg` for each.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Wake, Waker};
use std::time::Duration;

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};

/// Sockets that are told of at once. Those beyond are told of the next time.
const AT_ONCE: usize = 16;
/// What the bell is called among the sockets.
const BELL: u64 = u64::MAX;

/// The sockets that are waited for, and the bell.
#[derive(Debug)]
pub(super) struct Poller {
    epoll: OwnedFd,
    bell: Arc<Bell>,
    waker: Waker,
}

/// Rings when anybody wakes the hall.
#[derive(Debug)]
struct Bell {
    /// It has rung since it was last looked at.
    rung: AtomicBool,
    /// The hall waits, or is about to: who rings must wake it.
    asleep: AtomicBool,
    line: OwnedFd,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rung.store(true, SeqCst);
        // Either the hall sees that it has rung before it sleeps, or this sees that it sleeps: both are in one order.
        if self.asleep.swap(false, SeqCst) {
            // Only a counter that is full would refuse, and then the hall is awake.
            let _ = rustix::io::write(&self.line, &1_u64.to_ne_bytes());
        }
    }
}

impl Poller {
    /// Waits for nothing yet. The bell has rung: everything is to be looked at once.
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let line = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let bell = Arc::new(Bell { rung: AtomicBool::new(true), asleep: AtomicBool::new(false), line });
        let waker = Waker::from(Arc::clone(&bell));
        let poller = Self { epoll, bell, waker };
        poller.watch(&poller.bell.line, BELL)?;
        Ok(poller)
    }

    /// Waits for `socket`, too. It is told of by `name` when something has come to it, not again while that lies there.
    pub(super) fn watch(&self, socket: impl AsFd, name: u64) -> io::Result<()> {
        let flags = epoll::EventFlags::IN | epoll::EventFlags::ET;
        Ok(epoll::add(&self.epoll, socket, epoll::EventData::new_u64(name), flags)?)
    }

    /// Rings the bell.
    pub(super) fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Whether the bell has rung since it was last asked.
    pub(super) fn has_rung(&self) -> bool {
        // Most often it hasn't, and a load is cheaper.
        self.bell.rung.load(SeqCst) && self.bell.rung.swap(false, SeqCst)
    }

    /// Waits for a socket or the bell, for `most` at the longest; `None`: without end. `Duration::ZERO` looks and doesn't wait. `told`: the names of the sockets.
    pub(super) fn wait(&self, most: Option<Duration>, mut told: impl FnMut(u64)) {
        let sleeps = most != Some(Duration::ZERO);
        self.bell.asleep.store(sleeps, SeqCst);
        let most = if sleeps && self.bell.rung.load(SeqCst) { Some(Duration::ZERO) } else { most };
        // One too long to be written is as good as none.
        let most = most.and_then(|most| Timespec::try_from(most).ok());
        let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; AT_ONCE];
        let come = epoll::wait(&self.epoll, &mut events, most.as_ref());
        self.bell.asleep.store(false, SeqCst);
        // No error can come but that of a signal, and then there is nothing to tell.
        if let Ok((events, _)) = come {
            events.iter().map(|event| event.data.u64()).filter(|name| *name != BELL).for_each(&mut told);
        }
    }
}
