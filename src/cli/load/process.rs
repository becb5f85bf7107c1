//! What a process costs, as `/proc` tells it.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// `USER_HZ`, which Linux shows to programs as 100 whatever the kernel's own is.
const TICK: Duration = Duration::from_millis(10);

/// A process of this machine.
#[derive(Clone, Debug)]
pub(super) struct Process(String);

/// What a process has used so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    /// User and system time of all threads, those that have ended too, to 10 ms.
    ticks: Duration,
    /// The same of each thread that lives, to the nanosecond; empty where the kernel doesn't tell.
    threads: BTreeMap<String, Duration>,
}

/// Memory in octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// What is resident now.
    pub(super) resident: u64,
    /// The most that ever was.
    pub(super) peak: u64,
}

impl Process {
    /// This one.
    pub(super) fn own() -> Self {
        Self("/proc/self".to_owned())
    }

    pub(super) fn of(id: u32) -> Self {
        Self(format!("/proc/{id}"))
    }

    /// `None`: there is no such process (any more).
    pub(super) fn usage(&self) -> Option<Usage> {
        let ticks = ticks(&fs::read_to_string(format!("{}/stat", self.0)).ok()?)?;
        Some(Usage { ticks: TICK.saturating_mul(ticks), threads: self.threads().unwrap_or_default() })
    }

    fn threads(&self) -> Option<BTreeMap<String, Duration>> {
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(format!("{}/task", self.0)).ok()? {
            let path = entry.ok()?.path();
            let text = fs::read_to_string(path.join("schedstat")).ok()?;
            let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
            threads.insert(path.file_name()?.to_string_lossy().into_owned(), Duration::from_nanos(nanoseconds));
        }
        Some(threads)
    }

    pub(super) fn memory(&self) -> Option<Memory> {
        let text = fs::read_to_string(format!("{}/status", self.0)).ok()?;
        Some(Memory { resident: kibibytes(&text, "VmRSS:")?, peak: kibibytes(&text, "VmHWM:")? })
    }
}

impl Usage {
    /// CPU time since an earlier look: to the nanosecond if no thread has ended in between, for it has taken its time with it.
    pub(super) fn since(&self, earlier: &Self) -> Duration {
        let all_live = earlier.threads.keys().all(|thread| self.threads.contains_key(thread));
        let whole = self.ticks.saturating_sub(earlier.ticks);
        if self.threads.is_empty() || !all_live {
            return whole;
        }
        let sum = |usage: &Self| usage.threads.values().sum::<Duration>();
        let fine = sum(self).saturating_sub(sum(earlier));
        // One that came and went in between is in neither look.
        if whole.saturating_sub(fine) > 3 * TICK { whole } else { fine }
    }
}

/// `utime` and `stime` of `/proc/PID/stat`; the name before them may hold anything, parentheses too.
fn ticks(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(system)
}

fn kibibytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_with_a_name_that_looks_like_fields_is_read() {
        let stat = "7 (a) 9 (b)) S 1 7 7 0 -1 4194560 1 0 0 0 150 25 0 0 20 0 2 0 9 1 1";
        assert_eq!(ticks(stat), Some(175));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn memory_is_read_in_octets() {
        assert_eq!(kibibytes("Name:\tx\nVmRSS:\t    12 kB\n", "VmRSS:"), Some(12_288));
        assert_eq!(kibibytes("Name:\tx\n", "VmRSS:"), None);
    }

    #[test]
    fn a_thread_that_has_ended_has_its_time_counted() {
        let usage = |ticks, threads: &[(&str, u64)]| Usage {
            ticks: TICK * ticks,
            threads: threads.iter().map(|(name, time)| ((*name).to_owned(), Duration::from_nanos(*time))).collect(),
        };
        let earlier = usage(100, &[("1", 10), ("2", 20)]);
        assert_eq!(usage(101, &[("1", 15), ("2", 27), ("3", 1)]).since(&earlier), Duration::from_nanos(13));
        assert_eq!(usage(120, &[("1", 15)]).since(&earlier), TICK * 20);
        assert_eq!(usage(120, &[("1", 15), ("2", 27)]).since(&earlier), TICK * 20, "a third one was there");
        assert_eq!(usage(120, &[]).since(&earlier), TICK * 20);
    }

    #[test]
    fn this_process_has_used_something_and_nobody_has_the_number_nought() {
        assert!(Process::own().usage().is_some() && Process::own().memory().is_some_and(|memory| memory.peak > 0));
        assert_eq!((Process::of(0).usage(), Process::of(0).memory()), (None, None));
    }
}
