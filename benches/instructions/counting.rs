//! This program under callgrind, and what callgrind has counted.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The argument by which this program does what is counted.
pub(crate) const INSIDE: &str = "--inside";

thread_local! {
    /// Where allocations are counted: of each measurement that is done, and of the one that isn't yet.
    static ALLOCATIONS: RefCell<Option<(Vec<u64>, u64)>> = const { RefCell::new(None) };
}

/// Only what is below this is counted.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> T {
    if ALLOCATIONS.with_borrow(Option::is_none) {
        return instructions(work);
    }
    let mut result = None;
    let counted = allocation_counter::measure(|| result = Some(work())).count_total;
    ALLOCATIONS.with_borrow_mut(|allocations| allocations.as_mut().expect("they are counted").1 += counted);
    result.expect("it was done")
}

#[inline(never)]
fn instructions<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// What has been counted is one measurement.
#[inline(never)]
pub(crate) fn done() {
    ALLOCATIONS.with_borrow_mut(|allocations| {
        if let Some((done, now)) = allocations {
            done.push(std::mem::take(now));
        }
    });
}

/// Allocations in Rust of each measurement that `run` does.
fn allocations(run: fn()) -> Vec<u64> {
    ALLOCATIONS.set(Some(Default::default()));
    run();
    ALLOCATIONS.take().map(|(done, _)| done).unwrap_or_default()
}

/// Of one thing that was measured several times: the measurement in the middle.
#[derive(Debug)]
pub(crate) struct Count {
    pub(crate) name: String,
    /// Of our own functions and the libraries that we are built of.
    pub(crate) instructions: u64,
    /// In Rust; the cryptography's own aren't known.
    pub(crate) allocations: u64,
    /// Instructions by function, those of what it calls left out.
    pub(crate) functions: BTreeMap<String, u64>,
}

/// Runs this program with an argument under callgrind, which has it do what `inside` does: measure each of these so many times, in that order. The error is a sentence.
pub(crate) fn count(argument: &str, inside: fn(), names: &[&str], times: usize) -> Result<Vec<Count>, String> {
    let allocations = allocations(inside);
    let folder = scratch().map_err(|error| format!("no folder for what callgrind writes: {error}"))?;
    let out = folder.join("out");
    run(argument, &out)?;
    let mut counts = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let parts = (1..=times).map(|part| read(&out, index * times + part, name));
        let mut parts = parts.collect::<Result<Vec<Count>, String>>()?;
        parts.sort_by_key(|part| part.instructions);
        let mut allocated = allocations.get(index * times..(index + 1) * times).unwrap_or_default().to_vec();
        allocated.sort_unstable();
        let allocations = allocated.get(times / 2).copied().unwrap_or_default();
        counts.push(Count { allocations, ..parts.swap_remove(times / 2) });
    }
    let _ = fs::remove_dir_all(&folder);
    Ok(counts)
}

fn scratch() -> std::io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("instructions-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn run(argument: &str, out: &Path) -> Result<(), String> {
    let myself = std::env::current_exe().map_err(|error| error.to_string())?;
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--compress-strings=no", "--compress-pos=no"])
        .args([
            "--toggle-collect=*instructions::counting::instructions*",
            "--dump-after=*instructions::counting::done*",
        ])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(myself)
        .arg(argument)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("what is counted has failed: {status}")),
        Err(error) => Err(format!("valgrind can't be run ({error}); Debian has it in the package of that name")),
    }
}

fn read(out: &Path, part: usize, name: &str) -> Result<Count, String> {
    let path = format!("{}.{part}", out.display());
    let text = fs::read_to_string(&path).map_err(|error| format!("{name}: {path}: {error}"))?;
    let count = parse(&text, name);
    if count.instructions == 0 { Err(format!("{name}: nothing was counted")) } else { Ok(count) }
}

/// Callgrind's format: `ob=`, `fl=` and `fn=` say what the lines after them are about; a line of costs is a place and instructions; after `calls=` comes a line of what the function called has cost, which is counted there.
fn parse(text: &str, name: &str) -> Count {
    let mut count = Count { name: name.to_owned(), instructions: 0, allocations: 0, functions: BTreeMap::new() };
    let (mut object, mut file, mut function) = ("", "", "");
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        match line.split_once('=') {
            Some(("ob", value)) => object = value,
            Some(("fl" | "fi" | "fe", value)) => file = value,
            Some(("fn", value)) => function = value,
            Some(("calls", _)) => drop(lines.next()),
            Some(_) => {}
            None => {
                let cost = line.split_once(' ').filter(|(place, _)| place.bytes().all(|octet| octet.is_ascii_digit()));
                let cost = cost.and_then(|(_, cost)| cost.trim().parse::<u64>().ok());
                if let Some(cost) = cost.filter(|_| is_ours(object, file, function)) {
                    count.instructions += cost;
                    *count.functions.entry(plain(function)).or_default() += cost;
                }
            }
        }
    }
    count
}

/// Whether it is the same code on every processor: neither aws-lc's nor the C library's, nor what isn't known. (`aws-lc-rs`, in Rust, counts.)
fn is_ours(object: &str, file: &str, function: &str) -> bool {
    let of_aws_lc = file.contains("/aws-lc/") || function.starts_with("aws_lc_") || file == "???";
    // The allocator of these benches counts, the server's doesn't.
    let of_the_bench = function.contains("allocation_counter") || function.contains("counting::instructions");
    !of_aws_lc && !of_the_bench && !is_c_library(object) && !function.contains("memchr::arch")
}

fn is_c_library(object: &str) -> bool {
    let name = object.rsplit('/').next().unwrap_or(object);
    ["libc.", "libc-", "libm.", "libpthread", "libgcc", "ld-", "ld."].iter().any(|start| name.starts_with(start))
}

/// Without the mark of a call within itself.
fn plain(function: &str) -> String {
    function.split('\'').next().unwrap_or(function).to_owned()
}
