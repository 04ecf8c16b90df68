//! The direct path gives what the general path gives, for documents of every kind.

use std::sync::LazyLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use jsonld::ContextLoader;
use jsonld::HashAlgorithm;
use jsonld::Options;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::comparison::compare;
use crate::generator;

static LOADER: LazyLock<ContextLoader> = LazyLock::new(generator::loader);

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else {
        panic!("expected an object, found {value}");
    };
    map
}

fn is_direct(document: Value) -> bool {
    let document = map(document);
    compare(&document, &LOADER)
}

#[test]
fn generated_documents_come_to_the_same() {
    static DIRECT: AtomicUsize = AtomicUsize::new(0);
    static ALL: AtomicUsize = AtomicUsize::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(proptest::test_runner::Config {
        cases: 400,
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    });
    runner
        .run(&proptest::collection::vec(proptest::num::u8::ANY, 0..80), |bytes| {
            ALL.fetch_add(1, Ordering::Relaxed);
            if compare(&generator::document(&bytes), &LOADER) {
                DIRECT.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        })
        .unwrap();
    let (direct, all) = (DIRECT.load(Ordering::Relaxed), ALL.load(Ordering::Relaxed));
    println!("{direct} of {all} documents took the direct path");
    assert!(direct * 8 > all, "{direct} of {all}");
}

#[test]
fn genuine_documents_take_the_direct_path() {
    for template in 0..7 {
        let document = generator::document(&[template]);
        // Only the first has a type that nothing defines, and so is refused.
        assert_eq!(compare(&document, &LOADER), template > 0, "{template}");
    }
}
