//! `sekisho load`: many logins at once, against any RADIUS server, and what they cost it.

mod course;
mod driver;
mod figures;
mod process;
mod progress;
mod render;
mod tally;
mod users;
mod watch;

#[cfg(test)]
mod tests;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use self::course::Course;
use self::driver::{Driver, Ports, Shared};
use self::figures::Figures;
use self::process::Process;
use self::progress::Progress;
use self::tally::Tally;
use self::watch::Watch;
use super::client::Client;
use super::credentials::Credential;
use crate::config::scalar::duration;
use crate::exchange::{Asker, Repeats};
use crate::net::Clock;
use crate::now::Mono;
use crate::supplicant::crowd::{Crowd, Pace, Plan};
use crate::supplicant::{Supplicant, Thrift};

/// A command line or a file that can't be used.
const BAD_SETTINGS: u8 = 78;

/// Logins at once where nothing else is said: with a rate they are a bound, else they are the load.
const AT_ONCE: u32 = 64;
const AT_ONCE_WITH_RATE: u32 = 1_024;
/// Logins at once behind one access point where their number isn't given.
const BEHIND_ONE: u32 = 64;

/// Many EAP-TLS logins at once, as many supplicants behind many access points, against any RADIUS server.
///
/// It says how many logins a second there were, how long they took, how many requests each wanted, why some failed, and what they cost this program and, with --pid, the server.
/// With --rate logins begin at that pace whatever becomes of the others, and each counts from when it should have begun; else --concurrency logins are under way at any time.
///
/// It spares itself what measures nothing: of a server that has shown its certificate and proved that it has the key, the same is not verified again for a minute in the same TLS version; and with a server on this
/// machine (127.0.0.1, ::1) the key shares of X25519 are no secret, so that whoever can read the datagrams could read the handshakes. `sekisho login` does neither.
///
/// Exit code: 0 every login was let in; 1 some were not; 78 a file or a setting can't be used.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    client: Client,
    /// Who logs in: a directory with NAME.pem and NAME.key (or both in NAME.pem) or NAME.p12 for each, or one such file
    #[arg(long, value_name = "DIR")]
    users: PathBuf,
    /// Logins at once [default: 64; with --rate at most 1024]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    concurrency: Option<u32>,
    /// Logins that begin in a second
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// How long logins begin
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "10s")]
    duration: Duration,
    /// Logins in all, instead of a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), conflicts_with = "duration")]
    logins: Option<u64>,
    /// Time at the beginning that is in no figure
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "0s")]
    warm_up: Duration,
    /// The share of the logins that offer to resume, of those whose device has logged in before: 0 to 1
    #[arg(long, value_name = "RATIO", value_parser = ratio, default_value = "0")]
    resume: f64,
    /// Devices, each with a Calling-Station-Id and sessions of its own [default: as many as logins at once or users, whichever are more]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    devices: Option<u32>,
    /// Access points, each with a port and a NAS-Identifier of its own [default: one for 64 logins at once, at least 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=16_384))]
    access_points: Option<u16>,
    /// Threads that share the work
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    /// Seconds after which a request without an answer is given up
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=600))]
    timeout: u32,
    /// The server's process on this machine: its CPU time for each login and its memory are told
    #[arg(long, value_name = "PID")]
    pid: Option<u32>,
    /// One JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// As in the configuration, and "250ms".
fn time(text: &str) -> Result<Duration, String> {
    let milliseconds = text.strip_suffix("ms").and_then(|number| number.parse::<u32>().ok());
    milliseconds.map_or_else(|| duration(text), |number| Ok(Duration::from_millis(number.into())))
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate| (0.001..=1e6).contains(rate));
    rate.ok_or_else(|| "a number of logins a second, up to a million".to_owned())
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "a number from 0 to 1".to_owned())
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> ExitCode {
    match load(args) {
        Ok(figures) => {
            if args.json {
                println!("{}", render::json(&figures));
            } else {
                print!("{}", render::text(&figures));
            }
            if figures.tally.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("sekisho load: {error}");
            ExitCode::from(BAD_SETTINGS)
        }
    }
}

fn load(args: &Args) -> Result<Figures, String> {
    let parts = parts(args)?;
    let clock = Clock::start();
    let shared = Shared::default();
    let from = Mono(args.warm_up);
    let drivers = parts.into_iter().map(|(crowd, ports)| {
        Ok(Driver::new(crowd, ports, clock, &shared, Tally::new(from, args.client.unprotected_success)?))
    });
    let drivers = drivers.collect::<Result<Vec<_>, String>>()?;
    let server = args.pid.map(Process::of);
    if server.as_ref().is_some_and(|server| server.usage().is_none()) {
        return Err("--pid: there is no such process".to_owned());
    }
    let progress = Progress::new(std::io::stderr().is_terminal(), course(args));
    // Signals are caught before anything begins.
    let watch = Watch::new(course(args), clock, server, progress)?;
    let words = |error: std::io::Error| format!("{}: {error}", args.client.server);
    thread::scope(|scope| {
        let threads: Vec<_> = drivers.into_iter().map(|driver| scope.spawn(|| driver.run())).collect();
        let seen = watch.run(&shared, threads.len());
        let mut tally = Tally::new(from, args.client.unprotected_success)?;
        for thread in threads {
            let part = thread.join().map_err(|_| "a thread has ended by a fault of its own".to_owned())?;
            tally.merge(part.map_err(words)?);
        }
        Ok(Figures { tally, seen, threads: args.threads, resume: args.resume })
    })
}

fn course(args: &Args) -> Course {
    let duration = args.logins.is_none().then_some(args.duration.max(args.warm_up));
    Course { warm_up: args.warm_up, duration, logins: args.logins }
}

/// Each thread's crowd, and the ports of its access points.
fn parts(args: &Args) -> Result<Vec<(Crowd, Ports)>, String> {
    let server = args.client.address()?;
    let asker = args.client.asker()?;
    let supplicants = supplicants(args, thrift(server))?;
    let sizes = Sizes::of(args, supplicants.len());
    (0..args.threads).map(|thread| part(args, server, &asker, &supplicants, sizes, thread)).collect()
}

fn part(
    args: &Args,
    server: SocketAddr,
    asker: &Arc<Asker>,
    supplicants: &[Supplicant],
    sizes: Sizes,
    thread: u16,
) -> Result<(Crowd, Ports), String> {
    let share = |whole: u64| share(whole, args.threads, thread);
    let access_points = u16::try_from(share(sizes.access_points.into())).unwrap_or(u16::MAX);
    let first_access_point = thread.saturating_mul(sizes.access_points.div_ceil(args.threads));
    let first_device = u32::from(thread) << 24;
    let devices = usize::try_from(share(sizes.devices.into())).unwrap_or(usize::MAX);
    let own = supplicants.iter().cycle().skip(usize::from(thread)).step_by(args.threads.into());
    let plan = Plan {
        access_points,
        first_access_point,
        at_once: usize::try_from(share(sizes.at_once.into())).unwrap_or(usize::MAX),
        pace: args.rate.map_or(Pace::Closed, |rate| pace(rate, args.threads, thread)),
        logins: args.logins.map(share),
        resume: args.resume,
        repeats: Repeats { give_up: Duration::from_secs(args.timeout.into()), ..Repeats::STANDARD },
        station: args.client.station(),
    };
    let devices = own.take(devices).map(Supplicant::device).collect();
    let ports = Ports::open(server, access_points).map_err(|error| format!("{access_points} sockets: {error}"))?;
    Ok((Crowd::new(plan, asker.clone(), devices, first_device), ports))
}

/// How much there is of everything, over all threads.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    at_once: u32,
    devices: u32,
    access_points: u16,
}

impl Sizes {
    fn of(args: &Args, users: usize) -> Self {
        let threads = u32::from(args.threads);
        let default = if args.rate.is_some() { AT_ONCE_WITH_RATE } else { AT_ONCE };
        let at_once = args.concurrency.unwrap_or(default).max(threads);
        let users = u32::try_from(users).unwrap_or(u32::MAX);
        let devices = args.devices.unwrap_or(at_once.max(users)).max(threads);
        let wanted = u16::try_from(at_once.div_ceil(BEHIND_ONE)).unwrap_or(u16::MAX).max(4);
        let access_points = args.access_points.unwrap_or(wanted).max(args.threads);
        Self { at_once, devices, access_points }
    }
}

/// One thread's share of something.
fn share(whole: u64, threads: u16, thread: u16) -> u64 {
    let (threads, thread) = (u64::from(threads.max(1)), u64::from(thread));
    whole / threads + u64::from(thread < whole % threads)
}

/// One thread's pace: the threads take turns.
fn pace(rate: f64, threads: u16, thread: u16) -> Pace {
    let one = 1.0 / rate;
    Pace::Open {
        every: Duration::from_secs_f64(one * f64::from(threads)),
        offset: Duration::from_secs_f64(one * f64::from(thread)),
    }
}

/// Where nobody can listen, nothing need be secret.
fn thrift(server: SocketAddr) -> Thrift {
    Thrift { trusts_again: true, known_share: server.ip().is_loopback() }
}

/// One for each user; they share what they know of the server.
fn supplicants(args: &Args, thrift: Thrift) -> Result<Vec<Supplicant>, String> {
    let users = users::read(&args.users, args.client.p12_password()?.as_ref())?;
    let nobody = Supplicant::thrifty(args.client.settings()?, thrift)?;
    let supplicant = |user: Credential| {
        let identity = args.client.identity(&user);
        nobody.beside(identity, user.chain, Some(user.key))
    };
    users.into_iter().map(supplicant).collect()
}
