//! Prints each row's ratio, the bound that it must keep, and how often it allocates.
//!
//! Whole and raw run in turns; see `benches::measure`.
//!
//! `cargo bench -p benches --bench ratios [-- --check]`; with `--check` a bound that is not kept is a failure.
//! `-- --run ROW TIMES` does the whole work of the row with this id so often and nothing else, for a profiler; `--raw` in
//! its place the raw side.

use benches::Row;
use benches::measure;
use benches::measure::Counting;

/// Turns of each row.
const TURNS: usize = 1_500;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let at = arguments
        .iter()
        .position(|argument| ["--raw", "--run"].contains(&argument.as_str()));
    if let Some(at) = at {
        return run(&arguments[at..]);
    }
    let check = arguments.iter().any(|argument| argument == "--check");
    println!("{:<58} {:>7} {:>7} {:>12}", "work", "ratio", "bound", "allocations");
    let mut broken = 0;
    for row in benches::rows() {
        let ratio = ratio(&row);
        let bound = row.bound.map_or("-".to_owned(), |bound| format!("{bound:.2}"));
        println!(
            "{:<58} {ratio:>7.2} {bound:>7} {:>12}",
            row.name,
            measure::allocations(&row.whole)
        );
        broken += usize::from(row.bound.is_some_and(|bound| ratio > bound));
    }
    if check && broken > 0 {
        println!("{broken} bounds are not kept");
        std::process::exit(1);
    }
}

fn ratio(row: &Row) -> f64 {
    let runs = [&row.whole, &row.raw].map(|work| measure::runs_in_a_turn(work));
    let (mut whole, mut raw) = (Vec::with_capacity(TURNS), Vec::with_capacity(TURNS));
    for _ in 0..TURNS {
        whole.push(measure::seconds(&row.whole, runs[0]));
        raw.push(measure::seconds(&row.raw, runs[1]));
    }
    measure::undisturbed(whole) / measure::undisturbed(raw)
}

/// `--run ROW TIMES` or `--raw ROW TIMES`.
fn run(arguments: &[String]) {
    let [side, id, times, ..] = arguments else {
        panic!("expected a row and a number, found {arguments:?}");
    };
    let times: usize = times.parse().expect("a number of times");
    let rows = benches::rows();
    let row = rows.iter().find(|row| row.id == *id).expect("the id of a row");
    let work = if side == "--run" { &row.whole } else { &row.raw };
    (0..times).for_each(|_| work());
}
