//! Turns, the figure that they come to, and counted allocations.
//!
//! What else the machine does can only make a turn longer. So work is measured in many turns of less than a
//! millisecond, and counts as the tenth percentile of these: the turns that nothing interrupted.

use std::alloc::GlobalAlloc;
use std::alloc::Layout;
use std::alloc::System;
use std::cell::Cell;
use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use serde_json::Map;
use serde_json::Value;

/// How long one turn takes: long enough for the clock, short enough to lie between two interruptions.
const TURN: Duration = Duration::from_micros(400);

/// How often the work fits into a turn; once if it takes longer.
pub fn runs_in_a_turn(work: &dyn Fn()) -> u32 {
    let mut runs = 1;
    loop {
        if seconds(work, runs) * f64::from(runs) >= TURN.as_secs_f64() {
            return runs;
        }
        runs *= 2;
    }
}

/// Seconds of one run, measured over so many.
pub fn seconds(work: &dyn Fn(), runs: u32) -> f64 {
    let begin = now();
    for _ in 0..runs {
        work();
    }
    begin.elapsed().as_secs_f64() / f64::from(runs)
}

/// What the turns come to: their tenth percentile.
pub fn undisturbed(mut turns: Vec<f64>) -> f64 {
    turns.sort_by(f64::total_cmp);
    turns[turns.len() / 10]
}

/// The time.
#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub fn now() -> Instant {
    Instant::now()
}

/// Who does some work, and the work.
pub type Side<'a> = (&'a str, &'a dyn Fn());

/// Answers `cargo xtask bench-peers`: says what it can do in one line of JSON; then each line that comes in, `ID
/// MILLISECONDS`, with the nanoseconds of one run in each turn that fitted into the time, by who did the work. Work of
/// several is done in turns.
pub fn serve<const N: usize>(described: &Value, works: &[(&str, [Side<'_>; N])]) {
    println!("{described}");
    let mut runs = HashMap::new();
    for line in std::io::stdin().lines() {
        let line = line.expect("a line");
        let (id, milliseconds) = line.split_once(' ').expect("an id and a number");
        let (id, works) = works.iter().find(|(of, _)| *of == id).expect("an id that was named");
        let runs = runs
            .entry(id)
            .or_insert_with(|| works.map(|(_, work)| runs_in_a_turn(work)));
        let time = Duration::from_millis(milliseconds.parse().expect("a number of milliseconds"));
        let mut turns = [const { Vec::new() }; N];
        let begin = now();
        while turns[0].is_empty() || begin.elapsed() < time {
            for (at, turns) in turns.iter_mut().enumerate() {
                turns.push(seconds(works[at].1, runs[at]) * 1e9);
            }
        }
        let answer: Map<String, Value> = works
            .iter()
            .zip(turns)
            .map(|((name, _), turns)| ((*name).to_owned(), turns.into()))
            .collect();
        println!("{}", Value::Object(answer));
    }
}

/// How often one run allocates, if the program's allocator is [`Counting`].
pub fn allocations(work: &dyn Fn()) -> usize {
    work();
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counted.
pub struct Counting;

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
