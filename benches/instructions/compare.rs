//! What has been counted beside what the repository says.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::process::ExitCode;

use crate::counting::Count;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions/counts.txt");
const AGAIN: &str = "cargo bench --no-default-features --bench instructions -- --write";
/// Hundredths.
const TOLERANCE: f64 = 2.0;
/// Functions that have less of the whole aren't written down one by one: hundredths.
const SMALL: f64 = 0.3;
/// Functions that are named where a figure has changed.
const NAMED: usize = 8;

/// One entry of the file.
#[derive(Default)]
struct Known {
    instructions: u64,
    allocations: u64,
    functions: BTreeMap<String, u64>,
}

/// Writes the file anew.
pub(crate) fn write(counts: &[Count]) -> ExitCode {
    let mut text = format!("{}\n", head());
    for count in counts {
        let Count { name, instructions, allocations, functions } = count;
        // Writing to a String can't fail.
        let _ = writeln!(text, "\n{name}: {instructions} instructions, {allocations} allocations");
        for (function, own) in sorted(functions.iter().map(|(name, own)| (name.as_str(), *own))) {
            if own as f64 >= *instructions as f64 * SMALL / 100.0 {
                let _ = writeln!(text, "{own:>9} {function}");
            }
        }
    }
    match fs::write(FILE, text) {
        Ok(()) => {
            println!("written: {FILE}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{FILE}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn head() -> String {
    format!(
        "# Instructions of our own functions, and of the libraries in Rust that we are built of, without those of what they call; see main.rs.\n\
         # CI fails where a sum is off by more than {TOLERANCE} %, in either direction: who changes the cost writes it down, by\n\
         #   {AGAIN}"
    )
}

/// Compares; fails where a figure is off, in either direction, so that the file stays true.
pub(crate) fn report(counts: &[Count]) -> ExitCode {
    let text = fs::read_to_string(FILE).unwrap_or_default();
    let known = parse(&text);
    let mut bad = 0;
    println!("{:<28} {:>12} {:>12} {:>8} {:>12}", "", "instructions", "counts.txt", "", "allocations");
    for count in counts {
        let nothing = Known::default();
        let before = known.get(count.name.as_str()).unwrap_or(&nothing);
        let change = (count.instructions as f64 / before.instructions as f64 - 1.0) * 100.0;
        let (now, then) = (count.instructions, before.instructions);
        let allocations = format!("{} ({})", count.allocations, before.allocations);
        println!("{:<28} {now:>12} {then:>12} {change:>+7.2}% {allocations:>12}", count.name);
        // What isn't in the file is off by more than any number.
        if change.is_nan() || change.abs() > TOLERANCE {
            bad += 1;
            print!("{}", blame(count, before));
        }
    }
    if bad == 0 {
        return ExitCode::SUCCESS;
    }
    println!(
        "\n{bad} figures are off by more than {TOLERANCE} %. If that is meant to be (or the compiler is another): {AGAIN}"
    );
    ExitCode::FAILURE
}

/// The functions in which two differ most.
pub(crate) fn between(count: &Count, base: &Count) -> String {
    let Count { instructions, allocations, ref functions, .. } = *base;
    blame(count, &Known { instructions, allocations, functions: functions.clone() })
}

/// The functions that have changed most.
fn blame(count: &Count, before: &Known) -> String {
    let least = (count.instructions as f64 * SMALL / 100.0) as i64;
    // Small ones aren't in the file.
    let signed = |own: Option<&u64>| own.map_or(least, |own| i64::try_from(*own).unwrap_or(i64::MAX));
    let all = count.functions.keys().chain(before.functions.keys());
    let mut changes: Vec<(i64, &String)> = all
        .map(|name| (signed(count.functions.get(name)) - signed(before.functions.get(name)), name))
        .filter(|(change, _)| change.abs() > least)
        .collect();
    changes.sort_by_key(|(change, name)| (-change.abs(), *name));
    changes.dedup();
    changes.iter().take(NAMED).map(|(change, name)| format!("    {change:>+9} {name}\n")).collect()
}

fn parse(text: &str) -> BTreeMap<&str, Known> {
    let mut known = BTreeMap::new();
    let mut name = "";
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some((own, function)) = line.strip_prefix(' ').and_then(|line| line.trim_start().split_once(' ')) {
            let entry: &mut Known = known.entry(name).or_default();
            entry.functions.insert(function.to_owned(), own.parse().unwrap_or(0));
        } else if let Some((named, figures)) = line.split_once(": ") {
            name = named;
            let mut figures = figures.split(' ').filter_map(|word| word.parse().ok());
            let (instructions, allocations) = (figures.next().unwrap_or(0), figures.next().unwrap_or(0));
            known.insert(name, Known { instructions, allocations, functions: BTreeMap::new() });
        }
    }
    known
}

/// The largest first.
fn sorted<'a>(functions: impl Iterator<Item = (&'a str, u64)>) -> Vec<(&'a str, u64)> {
    let mut functions: Vec<_> = functions.collect();
    functions.sort_by_key(|(name, own)| (std::cmp::Reverse(*own), *name));
    functions
}
