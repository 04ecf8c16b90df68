//! Prints the registry's figures, each beside what is to be reached.
//!
//! `cargo bench -p benches --bench registry [-- --check]`; with `--check` a figure that is not reached is a failure.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;

use benches::measure::now;
use benches::registry::Day;
use benches::registry::Extracted;
use benches::registry::Inclusion;
use benches::registry::Long;
use benches::registry::Packed;
use benches::registry::Projected;
use benches::registry::Statuses;
use trust::status_bits::status_in_compact;

/// Statuses of a nation.
const STATUSES: u64 = 50_000_000;

/// How often what is quick is done, and how often what is slow.
const OFTEN: u32 = 20_000;
const SELDOM: u32 = 5;

#[derive(Default)]
struct Table {
    missed: usize,
}

impl Table {
    /// A figure that must be at most `bound`.
    fn at_most(&mut self, what: &str, found: f64, bound: f64, unit: &str) {
        self.line(what, found, "at most", bound, unit, found <= bound);
    }

    /// A figure that must be at least `bound`.
    fn at_least(&mut self, what: &str, found: f64, bound: f64, unit: &str) {
        self.line(what, found, "at least", bound, unit, found >= bound);
    }

    fn line(&mut self, what: &str, found: f64, relation: &str, bound: f64, unit: &str, kept: bool) {
        println!(
            "| {what} | {found:.3} {unit} | {relation} {bound} {unit} | {} |",
            if kept { "yes" } else { "**no**" }
        );
        self.missed += usize::from(!kept);
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--resident") {
        return tell_resident(Path::new(&arguments[at + 1]));
    }
    let mut table = Table::default();
    println!("| Work | Found | To reach | Kept |\n|---|---|---|---|");
    inclusion(&mut table);
    statuses(&mut table, 10);
    statuses(&mut table, 50);
    replay(&mut table);
    bundle(&mut table);
    extract();
    projections();
    daily(&mut table);
    if table.missed > 0 && arguments.iter().any(|argument| argument == "--check") {
        println!("{} figures are not reached", table.missed);
        std::process::exit(1);
    }
}

/// The seconds that the quickest of some runs takes.
fn seconds<T>(times: u32, work: impl Fn() -> T) -> f64 {
    let run = || {
        let begin = now();
        black_box(work());
        begin.elapsed().as_secs_f64()
    };
    (0..times).map(|_| run()).fold(f64::INFINITY, f64::min)
}

fn inclusion(table: &mut Table) {
    let inclusion = Inclusion::new(20);
    let found = seconds(OFTEN, || inclusion.verify()) * 1e6;
    table.at_most("inclusion proof check, tree of 2^20", found, 5.0, "us");
}

fn statuses(table: &mut Table, per_mille: u64) {
    let statuses = Statuses::new(7, STATUSES, per_mille);
    let what = |what: &str| format!("compact status, 50 M at {} %, {what}", per_mille / 10);
    let (list, compact) = statuses.committed();
    #[expect(clippy::cast_precision_loss, reason = "some megabytes")]
    let size = compact.len() as f64;
    table.at_most(
        &what("size to the entropy bound"),
        size / statuses.entropy_bytes(),
        1.02,
        "times",
    );
    table.at_most(&what("encoding"), seconds(SELDOM, || statuses.encode()), 0.5, "s");
    let lookups = 1_000_u32;
    let all = seconds(SELDOM, || {
        for number in 0..u64::from(lookups) {
            // A prime step, so that every part of the list and of a chunk is met.
            black_box(status_in_compact(&list, &compact, number * 49_999 % STATUSES)).expect("our own list");
        }
    });
    table.at_most(
        &what("a lookup from compressed bytes"),
        all / f64::from(lookups) * 1e6,
        50.0,
        "us",
    );
}

fn replay(table: &mut Table) {
    for entries in [10_000, 40_000] {
        let log = Long::new(entries);
        #[expect(clippy::cast_precision_loss, reason = "some thousands")]
        let rate = log.len() as f64 / seconds(1, || log.replay());
        let what = format!("replay and audit of {entries} single-signature entries");
        table.at_least(&what, rate, 20_000.0, "entries/s");
    }
}

fn bundle(table: &mut Table) {
    let packed = Packed::of_a_nation(2_000, 300, STATUSES / 2_000, 50);
    println!("| (its bundle has {} bytes) | | | |", packed.bytes.len());
    let what = |what: &str| format!("bundle of 2,000 agencies, 300 schemas, 50 M statuses at 5 %, {what}");
    table.at_most(
        &what("load and check"),
        seconds(SELDOM, || packed.load()) * 1e3,
        100.0,
        "ms",
    );
    // In a process of its own, whose memory nothing else has used before.
    let folder = std::env::temp_dir().join(format!("attestry-bench-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    packed.write(&folder);
    let own = std::env::current_exe().expect("this program");
    let told = Command::new(own)
        .arg("--resident")
        .arg(&folder)
        .output()
        .expect("this program");
    fs::remove_dir_all(&folder).expect("its folder");
    let found = String::from_utf8_lossy(&told.stdout).trim().parse().expect("megabytes");
    table.at_most(&what("resident, with the bundle's own bytes"), found, 64.0, "MB");
}

/// The registry in others' forms, which whoever replays makes again. Nobody has set a bound for it.
fn projections() {
    let projected = Projected::of_a_nation(2_000, 300);
    println!(
        "| (all projections of 2,000 agencies, {} bytes: made in {:.1} ms, made again in {:.1} ms) | | | |",
        projected.len(),
        seconds(SELDOM, || projected.make_first()) * 1e3,
        seconds(SELDOM, || projected.make_again()) * 1e3
    );
}

/// What goes along with a presentation. Nobody has set a bound for it, so it is told and not judged.
fn extract() {
    let extracted = Extracted::of_a_nation(2_000, 300, 131_072, 50);
    println!(
        "| (an extract for one credential of 2,000 agencies, 300 schemas and lists of 131,072 at 5 %: {} bytes; loaded, checked and its status read in {:.2} ms) | | | |",
        extracted.bytes.len(),
        seconds(SELDOM, || extracted.load()) * 1e3
    );
}

/// The revocations of a day, of a nation that revokes 2.5 million credentials of 50 million a year.
fn daily(table: &mut Table) {
    const REVOCATIONS: u32 = 6_849;
    let day = Day::new(382, 50, REVOCATIONS as usize);
    let statuses = u32::try_from(day.status_bytes() * 8).expect("some thousands");
    let what = |what: &str| format!("daily delta, {REVOCATIONS} revocations in 382 lists of 131,072, {what}");
    table.at_most(
        &what("statuses"),
        f64::from(statuses) / f64::from(REVOCATIONS),
        17.0,
        "bits per revocation",
    );
    println!(
        "| (the delta has {} bytes, {} of them statuses; applied, loaded and checked in {:.1} ms) | | | |",
        day.delta.len(),
        statuses / 8,
        seconds(SELDOM, || day.apply()) * 1e3
    );
}

/// Loads the bundle in a folder and prints what that takes in memory.
fn tell_resident(folder: &Path) {
    let before = resident();
    let packed = Packed::read(folder);
    let loaded = packed.load();
    println!("{}", resident() - before);
    drop(loaded);
}

/// Megabytes of this process in memory.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .expect("VmRSS");
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes / 1_024.0
}
