//! Signals in, notifications out.

use std::io;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::Wish;
use crate::net::Heartbeat;

/// What signals wish for: SIGHUP a reload, SIGTERM and SIGINT the end. With `leash` the end of standard input is the end too.
pub(super) fn wishes(leash: bool) -> io::Result<mpsc::Receiver<Wish>> {
    let (sender, wishes) = mpsc::channel(1);
    if leash {
        let sender = sender.clone();
        let wait = move || {
            // Whatever comes is read away; an error is an end as well. Nobody listens any more where the server has ended.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = sender.blocking_send(Wish::Stop);
        };
        thread::Builder::new().name("leash".into()).spawn(wait)?;
    }
    for (kind, wish) in [
        (SignalKind::hangup(), Wish::Reload),
        (SignalKind::terminate(), Wish::Stop),
        (SignalKind::interrupt(), Wish::Stop),
    ] {
        let mut signals = signal(kind)?;
        let sender = sender.clone();
        tokio::spawn(async move { while signals.recv().await.is_some() && sender.send(wish).await.is_ok() {} });
    }
    Ok(wishes)
}

/// Started, or reloaded.
pub(super) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// The configuration is being read again.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(time) => notify(&[NotifyState::Reloading, time]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// Draining.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Twice as often as systemd wants it, if it does. The hall beats; a thread of its own passes each beat on, since systemd may be slow to read and the hall waits for nobody.
pub(super) fn heartbeat() -> io::Result<Option<Heartbeat>> {
    let Some(limit) = sd_notify::watchdog_enabled() else { return Ok(None) };
    let (beat, beats) = sync_channel(1);
    let pass_on = move || beats.iter().for_each(|()| notify(&[NotifyState::Watchdog]));
    thread::Builder::new().name("watchdog".into()).spawn(pass_on)?;
    let every = (limit / 2).max(Duration::from_millis(1));
    // Where one waits already, another says no more.
    let beat = move || {
        let _ = beat.try_send(());
    };
    Ok(Some(Heartbeat { every, beat: Box::new(beat) }))
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("systemd could not be notified: {error}");
    }
}
