//! The registry at a million certificates and ten million decisions: what the API answers when, what the server itself asks, what is written meanwhile; and that a login doesn't notice.
//!
//! `cargo bench --bench registry`; `-- --certificates N`: so many at most, and ten times as many decisions, or `--decisions N`; `-- --quick`: few, each once, as `cargo test --benches` has it; `-- --compare`: what comparing all certificates with CRLs costs, and nothing else; `-- --blocks`: how many can be blocked in a second, and nothing else;
//! `-- --keep`: the folder `target/tmp/registry-bench` stays, and the next run with `--keep` measures what is in it. The tables go to stdout, progress to stderr.
#![expect(clippy::disallowed_methods, reason = "who measures takes the time")]

mod ask;
mod blocks;
#[path = "../shared/campus.rs"]
#[expect(dead_code, reason = "shared: other benches use more of it")]
mod campus;
#[path = "../shared/crl.rs"]
mod crl;
mod fill;
mod house;
mod inside;
mod logins;
#[path = "../shared/pem.rs"]
mod pem;
#[path = "../shared/world.rs"]
#[expect(dead_code, reason = "the same")]
mod world;

use std::time::{Duration, Instant};

use ask::{Question, Times};
use campus::{Campus, KeyKind};
use fill::Size;
use house::House;
use logins::Pace;

/// Certificates of the registries that are compared.
const SIZES: [i64; 4] = [0, 10_000, 100_000, 1_000_000];
const QUICK: [i64; 2] = [0, 1_000];
/// Decisions for each certificate.
const EACH: i64 = 10;

/// How much is measured.
struct Amount {
    sizes: Vec<Size>,
    /// How often members log in.
    batches: usize,
    keeps: bool,
    /// Nothing but the comparison with CRLs.
    compares: bool,
    /// Nothing but blocks.
    blocks: bool,
}

/// What was measured at one size.
struct Column {
    size: Size,
    octets: u64,
    answers: Vec<(String, Times)>,
    lines: Vec<(String, String)>,
}

fn main() {
    let amount = amount();
    let campus = Campus::new(KeyKind::P256, KeyKind::P256, 4);
    if amount.blocks {
        let house = House::new(&campus, false);
        for before in if amount.batches > 1 { vec![0, 1_200] } else { vec![0, 20] } {
            for (name, text) in blocks::measure(&house, before, if amount.batches > 1 { 320 } else { 32 }) {
                println!("  {name:<80} {text}");
            }
        }
        return;
    }
    if !amount.compares {
        print_engine(&logins::in_the_engine(&campus, amount.batches));
    }
    let house = House::new(&campus, amount.keeps);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("a runtime");
    let (mut columns, mut size) = (Vec::new(), Size::default());
    let is_taken_up = house.file().exists();
    if is_taken_up {
        let begun = Instant::now();
        inside::open(&house.state());
        eprintln!("its tables are up to date after {:.0?}; {} MiB", begun.elapsed(), mebibytes(house.octets()));
    } else {
        fill::models(&campus, &house);
    }
    let sizes = if is_taken_up { amount.sizes.last().copied().into_iter().collect() } else { amount.sizes };
    for next in sizes {
        if !is_taken_up {
            eprintln!("{} certificates, {} decisions", next.certificates, next.decisions);
            let (rows, indexes) = runtime.block_on(fill::grow(&house.file(), size, next));
            eprintln!("  filled in {rows:.0?}, indexes in {indexes:.0?}; {} MiB", mebibytes(house.octets()));
        }
        size = next;
        columns.push(match amount.compares {
            true => comparison(&house, size),
            false => column(&campus, &house, &runtime, size, amount.batches),
        });
    }
    if !amount.compares {
        print_answers(&columns);
    }
    columns.iter().for_each(print_lines);
}

fn amount() -> Amount {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let number = |wanted: &str| {
        let text = arguments.iter().skip_while(|argument| *argument != wanted).nth(1)?;
        Some(text.replace('_', "").parse::<i64>().expect("a number"))
    };
    // cargo says `--bench` when it is to measure, and nothing or `--test` when it is to test.
    let is_quick = has("--quick") || has("--test") || !has("--bench");
    let sizes = if is_quick { QUICK.to_vec() } else { SIZES.to_vec() };
    let most = number("--certificates").unwrap_or(sizes.last().copied().unwrap_or_default());
    let mut sizes: Vec<i64> = sizes.into_iter().filter(|size| *size < most).collect();
    sizes.push(most);
    let decisions = number("--decisions").unwrap_or(most * EACH);
    let size = |certificates: i64| Size {
        certificates,
        decisions: if most == 0 { 0 } else { certificates * (decisions / most) },
    };
    let batches = if is_quick { 1 } else { 50 };
    let sizes = sizes.into_iter().map(size).collect();
    Amount { sizes, batches, keeps: has("--keep"), compares: has("--compare"), blocks: has("--blocks") }
}

/// What comparing costs the server: at its start, and again when it has read everything again.
fn comparison(house: &House, size: Size) -> Column {
    let octets = house.octets();
    let serving = house.start();
    let mut before = Duration::ZERO;
    let mut lines = Vec::new();
    for what in ["the start, and everything compared", "everything read again, and compared"] {
        let begun = Instant::now();
        let used = serving.settle();
        lines.push((
            format!("{what}: processor; until it is idle"),
            format!("{:.2?}; {:.1?}", used - before, begun.elapsed()),
        ));
        before = used;
        serving.read_again();
    }
    lines.push(("resident then, most, MiB".to_owned(), format!("{:?}", serving.memory())));
    serving.stop();
    Column { size, octets, answers: Vec::new(), lines }
}

fn column(campus: &Campus, house: &House, runtime: &tokio::runtime::Runtime, size: Size, batches: usize) -> Column {
    let octets = house.octets();
    house.cool();
    let serving = house.start();
    let mut lines =
        vec![("from the start until it is ready, nothing cached".to_owned(), format!("{:.0?}", serving.took))];
    let begun = Instant::now();
    let used = serving.settle();
    lines.push((
        "compared with CRLs after that: until it is idle; processor".to_owned(),
        format!("{:.1?}; {used:.1?}", begun.elapsed()),
    ));
    lines.push(("resident then, most, MiB".to_owned(), format!("{:?}", serving.memory())));
    let questions = runtime.block_on(ask::questions(house));
    let mut answers = Vec::new();
    let mut measure = |question: &Question| {
        let times = ask::measure(house, &serving, question);
        if times.status != 200 || times.median > Duration::from_millis(100) {
            eprintln!("  {}: {}, {:?}", question.name, times.status, times.median);
        }
        answers.push((question.name.clone(), times));
    };
    questions.iter().for_each(&mut measure);
    for (name, path) in ask::DEEP_LISTS {
        measure(&ask::deep(&serving, name, path));
    }
    let served = logins::at_the_server(campus, &serving, batches);
    lines.push((
        "a login, full and resumed, at the server".to_owned(),
        format!("{:.0?}, {:.0?}", served.full, served.resumed),
    ));
    let (calls, moved) = served.file_calls;
    let each = |number: u64| number as f64 / served.logins as f64;
    let name = "  read and write called by the hall and its helpers for each, octets of each call";
    lines.push((name.to_owned(), format!("{:.1}, {:.1}", each(calls), moved as f64 / calls.max(1) as f64)));
    for pace in [Pace::Calm, Pace::Busy(16)] {
        let logins = if batches > 1 { 1_600 } else { 16 };
        for (thread, (processor, switches)) in logins::by_thread(campus, &serving, pace, logins) {
            let name = format!("  {}: {thread}, µs of a processor and switches for each login", pace.name());
            lines.push((name, format!("{processor:.1}, {switches:.2}")));
        }
    }
    lines.push(("resident after all questions, most, MiB".to_owned(), format!("{:?}", serving.memory())));
    serving.stop();
    lines.extend(runtime.block_on(inside::measure(&house.state())));
    Column { size, octets, answers, lines }
}

fn print_engine(logins: &[logins::Login]) {
    println!(
        "A login in the engine, TLS 1.3, P-256, by what is blocked in memory\n blocks  resumed     µs   ratio of pairs  allocations"
    );
    for logins::Login { blocks, resumed, time, ratio, allocations } in logins {
        println!("{blocks:>7} {resumed:>8} {time:>6.1} {ratio:>16.3} {allocations:>12}");
    }
}

fn print_answers(columns: &[Column]) {
    let Some(last) = columns.last() else { return };
    print!(
        "\nAnswers of the API, ms; medians by certificates in the registry, then of the last: p99, most, first with nothing cached; rows or octets\n{:<40}",
        ""
    );
    for column in columns {
        print!("{:>10}", column.size.certificates);
    }
    println!("{:>10}{:>10}{:>10}{:>11}", "p99", "most", "cold", "found");
    for (index, (name, times)) in last.answers.iter().enumerate() {
        print!("{name:<40}");
        for column in columns {
            print!("{:>10.2}", millis(column.answers[index].1.median));
        }
        let Times { cold, p99, most, found, status, .. } = times;
        let note = if *status == 200 { String::new() } else { format!("  STATUS {status}") };
        println!("{:>10.2}{:>10.2}{:>10.2}{found:>11}{note}", millis(*p99), millis(*most), millis(*cold));
    }
}

fn print_lines(column: &Column) {
    let Column { size: Size { certificates, decisions }, octets, lines, .. } = column;
    println!("\n{certificates} certificates, {decisions} decisions, {} MiB; median / p99 / most", mebibytes(*octets));
    for (name, text) in lines {
        println!("  {name:<80} {text}");
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn mebibytes(octets: u64) -> u64 {
    octets >> 20
}
