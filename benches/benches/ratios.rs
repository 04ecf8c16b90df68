//! Prints each row's ratio, the bound that it must keep, and how often it allocates.
//!
//! Whole and raw run in turns of less than a millisecond. What else the machine does can only make a turn longer, so
//! each side counts as its tenth percentile: the turns that nothing interrupted.
//!
//! `cargo bench -p benches --bench ratios [-- --check]`; with `--check` a bound that is not kept is a failure.

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::cell::Cell;
use std::time::Duration;
use std::time::Instant;

use benches::Row;

/// Turns of each row.
const TURNS: usize = 1_500;

/// How long one turn takes: long enough for the clock, short enough to lie between two interruptions.
const TURN: Duration = Duration::from_micros(400);

fn main() {
    let check = std::env::args().any(|argument| argument == "--check");
    println!("{:<58} {:>7} {:>7} {:>12}", "work", "ratio", "bound", "allocations");
    let mut broken = 0;
    for row in benches::rows() {
        let ratio = ratio(&row);
        let bound = row.bound.map_or("-".to_owned(), |bound| format!("{bound:.2}"));
        println!(
            "{:<58} {ratio:>7.2} {bound:>7} {:>12}",
            row.name,
            allocations(&row.whole)
        );
        broken += usize::from(row.bound.is_some_and(|bound| ratio > bound));
    }
    if check && broken > 0 {
        println!("{broken} bounds are not kept");
        std::process::exit(1);
    }
}

fn ratio(row: &Row) -> f64 {
    let runs = [&row.whole, &row.raw].map(|work| runs_in_a_turn(work));
    let (mut whole, mut raw) = (Vec::with_capacity(TURNS), Vec::with_capacity(TURNS));
    for _ in 0..TURNS {
        whole.push(time(&row.whole, runs[0]));
        raw.push(time(&row.raw, runs[1]));
    }
    undisturbed(whole) / undisturbed(raw)
}

fn undisturbed(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[TURNS / 10]
}

fn runs_in_a_turn(work: &dyn Fn()) -> u32 {
    let mut runs = 1;
    loop {
        if time(work, runs) * f64::from(runs) >= TURN.as_secs_f64() {
            return runs;
        }
        runs *= 2;
    }
}

/// Seconds of one run.
fn time(work: &dyn Fn(), runs: u32) -> f64 {
    let begin = now();
    for _ in 0..runs {
        work();
    }
    begin.elapsed().as_secs_f64() / f64::from(runs)
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn now() -> Instant {
    Instant::now()
}

fn allocations(work: &dyn Fn()) -> usize {
    work();
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counted.
struct Counting;

#[expect(
    unsafe_code,
    reason = "an allocator is unsafe by definition; this one only counts and passes on"
)]
// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and `pointer` came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller keeps the contract of `realloc`, and `pointer` came from `System`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
