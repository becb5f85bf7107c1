//! Public-key work on two threads beside one, without sockets: how much sooner it is done, and what CPU a login costs then.
//!
//! The second thread is there from beginning to end, as the server's helpers are, and it never sleeps: at saturation none does. A processor that has slept comes back with cold caches and a slow clock
//! (of a virtual machine it must even be fetched back), and Steps that begin on it cost a fifth more: that would measure how the machine sleeps.

use std::hint;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sekisho::engine::{Step, Stepped};
use sekisho::event::TlsVersion;
use sekisho::now::Now;
use sekisho::supplicant::Supplicant;

use crate::campus::{Campus, KeyKind};
use crate::world::{World, cpu};

/// Certificates.
const MEMBERS: usize = 16;
/// Logins at once, each member's from as many stations; each waits with a Step when threads begin.
const LOGINS: usize = 256;
const BATCHES: usize = 15;

/// Of all Steps: until the last was done, and the threads' CPU.
#[derive(Clone, Copy, Default)]
struct Spent {
    wall: Duration,
    cpu: Duration,
}

/// Turns of one and two threads, and the medians of both ratios.
pub(crate) fn report() {
    println!("load {}", std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim());
    println!("server/client, TLS   two threads beside one: throughput   CPU per login");
    thread::scope(|scope| {
        let (batches, waiting) = channel();
        let (done, spent) = channel();
        scope.spawn(move || help(&waiting, &done));
        let helper = Helper { batches, spent };
        for kind in [KeyKind::Rsa, KeyKind::P256] {
            let campus = Campus::new(kind, kind, MEMBERS);
            for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
                let (throughput, cpu) = measure(&campus, version, &helper);
                println!("{kind} {version:?} {throughput:>35.2} {cpu:>15.2}");
            }
        }
    });
}

fn measure(campus: &Campus, version: TlsVersion, helper: &Helper) -> (f64, f64) {
    let supplicants: Vec<Supplicant> = (0..LOGINS).map(|login| campus.supplicant(login % MEMBERS, version)).collect();
    let mut world = World::new(campus);
    let (mut throughput, mut cpu) = (Vec::new(), Vec::new());
    // The first batch is nobody's: it fills tables and caches.
    for batch in 0..=BATCHES {
        // Neither is always the first.
        let turns = if batch % 2 == 0 { [None, Some(helper)] } else { [Some(helper), None] };
        let mut spent = turns.map(|helper| {
            let mut spent = Spent::default();
            world.log_in_by(&supplicants, |steps, now| run(steps, now, helper, &mut spent));
            spent
        });
        if batch % 2 == 1 {
            spent.reverse();
        }
        let [one, two] = spent;
        if batch > 0 {
            throughput.push(one.wall.as_secs_f64() / two.wall.as_secs_f64());
            cpu.push(two.cpu.as_secs_f64() / one.cpu.as_secs_f64());
        }
    }
    (median(throughput), median(cpu))
}

/// Steps that wait, and those that are done.
struct Batch {
    now: Now,
    waiting: Mutex<Vec<Step>>,
    done: Mutex<Vec<Stepped>>,
}

impl Batch {
    /// Takes one Step after the other until there are none; the CPU that it took.
    fn work(&self) -> Duration {
        let begun = cpu();
        loop {
            let step = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(step) = step else { return cpu().saturating_sub(begun) };
            let stepped = step.run(self.now);
            self.done.lock().unwrap_or_else(PoisonError::into_inner).push(stepped);
        }
    }
}

/// The second thread.
struct Helper {
    batches: Sender<Arc<Batch>>,
    spent: Receiver<Duration>,
}

/// What it does, until nobody is there to give it anything.
fn help(batches: &Receiver<Arc<Batch>>, spent: &Sender<Duration>) {
    loop {
        match batches.try_recv() {
            Ok(batch) => {
                let cpu = batch.work();
                drop(batch);
                spent.send(cpu).expect("somebody waits for it");
            }
            Err(TryRecvError::Empty) => hint::spin_loop(),
            Err(TryRecvError::Disconnected) => return,
        }
    }
}

/// This thread and, where it is to help, the other do all Steps.
fn run(steps: Vec<Step>, now: Now, helper: Option<&Helper>, spent: &mut Spent) -> Vec<Stepped> {
    let done = Mutex::new(Vec::with_capacity(steps.len()));
    let batch = Arc::new(Batch { now, waiting: Mutex::new(steps), done });
    let begun = Instant::now();
    if let Some(helper) = helper {
        helper.batches.send(Arc::clone(&batch)).expect("it is there to the end");
    }
    spent.cpu += batch.work();
    if let Some(helper) = helper {
        spent.cpu += helper.spent.recv().expect("it is there to the end");
    }
    spent.wall += begun.elapsed();
    std::mem::take(&mut batch.done.lock().unwrap_or_else(PoisonError::into_inner))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
