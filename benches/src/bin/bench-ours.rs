//! Our side of `cargo xtask bench-peers`.
//!
//! `bench-ours FILE` writes what peers verify to the file, describes its rows in one line of JSON, and then measures
//! those that it is asked for: see [`benches::measure::serve`].

use benches::measure;
use benches::measure::Counting;
use serde_json::Value;
use serde_json::json;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let file = std::env::args().nth(1).expect("a file to write to");
    std::fs::write(file, benches::material::material().to_string()).expect("a file");
    let rows = benches::rows();
    let described: Vec<Value> = rows
        .iter()
        .map(|row| {
            let allocations = measure::allocations(&row.whole);
            json!({"id": row.id, "name": row.name, "bound": row.bound, "allocations": allocations})
        })
        .collect();
    let works: Vec<_> = rows
        .iter()
        .map(|row| (row.id, [("ours", row.whole.as_ref()), ("raw", row.raw.as_ref())]))
        .collect();
    measure::serve(&json!({ "rows": described }), &works);
}
