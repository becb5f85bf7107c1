//! Public-key work on two threads beside one, without sockets: how much sooner it is done, and what CPU a login costs then.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use sekisho::engine::{Step, Stepped};
use sekisho::event::TlsVersion;
use sekisho::now::Now;
use sekisho::supplicant::Supplicant;

use crate::campus::{Campus, KeyKind};
use crate::world::{World, cpu};

/// Logins at once; each waits with a Step when threads begin.
const MEMBERS: usize = 64;
const BATCHES: usize = 30;

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
    for kind in [KeyKind::Rsa, KeyKind::P256] {
        let campus = Campus::new(kind, kind, MEMBERS);
        for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
            let supplicants: Vec<Supplicant> = (0..MEMBERS).map(|member| campus.supplicant(member, version)).collect();
            let mut world = World::new(&campus);
            let (mut throughput, mut cpu) = (Vec::new(), Vec::new());
            for _ in 0..BATCHES {
                let [one, two] = [1, 2].map(|threads| {
                    let mut spent = Spent::default();
                    world.log_in_by(&supplicants, |steps, now| run(steps, now, threads, &mut spent));
                    spent
                });
                throughput.push(one.wall.as_secs_f64() / two.wall.as_secs_f64());
                cpu.push(two.cpu.as_secs_f64() / one.cpu.as_secs_f64());
            }
            println!("{kind} {version:?} {:>35.2} {:>15.2}", median(throughput), median(cpu));
        }
    }
}

/// This thread and, of two, another take Steps one after the other until there are none.
fn run(steps: Vec<Step>, now: Now, threads: usize, spent: &mut Spent) -> Vec<Stepped> {
    let waiting = Mutex::new(steps);
    let done = Mutex::new(Vec::new());
    let work = || {
        let begun = cpu();
        loop {
            let step = waiting.lock().expect("no panic").pop();
            let Some(step) = step else { return cpu().saturating_sub(begun) };
            let stepped = step.run(now);
            done.lock().expect("no panic").push(stepped);
        }
    };
    thread::scope(|scope| {
        let helper = (threads > 1).then(|| scope.spawn(work));
        let begun = Instant::now();
        spent.cpu += work();
        spent.cpu += helper.map_or(Duration::ZERO, |helper| helper.join().expect("no panic"));
        spent.wall += begun.elapsed();
    });
    done.into_inner().expect("no panic")
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
