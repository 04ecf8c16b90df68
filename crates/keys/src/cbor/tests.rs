use proptest::prelude::*;

use super::*;
use crate::json::DEFAULT_LIMITS;

const LIMITS: Limits = Limits {
    max_bytes: 4096,
    max_depth: 8,
};

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn refusal(hex: &str) -> CborError {
    decode(&unhex(hex), LIMITS).unwrap_err()
}

fn map(entries: &[(&str, Value)]) -> Value {
    Value::Map(
        entries
            .iter()
            .map(|(key, value)| (Value::text(*key), value.clone()))
            .collect(),
    )
}

/// Those rows of RFC 8949 appendix A that are deterministic and have no float.
fn appendix_a() -> Vec<(&'static str, Value)> {
    use Value::{Array, Bool, Bytes, Map, Negative, Null, Tag, Unsigned};
    let text = |text: &str| Value::text(text);
    let numbers = |from: u64, to: u64| (from..=to).map(Unsigned).collect::<Vec<_>>();
    vec![
        ("00", Unsigned(0)),
        ("01", Unsigned(1)),
        ("0a", Unsigned(10)),
        ("17", Unsigned(23)),
        ("1818", Unsigned(24)),
        ("1819", Unsigned(25)),
        ("1864", Unsigned(100)),
        ("1903e8", Unsigned(1000)),
        ("1a000f4240", Unsigned(1_000_000)),
        ("1b000000e8d4a51000", Unsigned(1_000_000_000_000)),
        ("1bffffffffffffffff", Unsigned(u64::MAX)),
        (
            "c249010000000000000000",
            Tag(2, Box::new(Bytes(unhex("010000000000000000")))),
        ),
        ("3bffffffffffffffff", Negative(u64::MAX)),
        (
            "c349010000000000000000",
            Tag(3, Box::new(Bytes(unhex("010000000000000000")))),
        ),
        ("20", Negative(0)),
        ("29", Negative(9)),
        ("3863", Negative(99)),
        ("3903e7", Negative(999)),
        ("f4", Bool(false)),
        ("f5", Bool(true)),
        ("f6", Null),
        (
            "c074323031332d30332d32315432303a30343a30305a",
            Tag(0, Box::new(text("2013-03-21T20:04:00Z"))),
        ),
        ("c11a514b67b0", Tag(1, Box::new(Unsigned(1_363_896_240)))),
        ("d74401020304", Tag(23, Box::new(Bytes(vec![1, 2, 3, 4])))),
        ("d818456449455446", Tag(24, Box::new(Bytes(unhex("6449455446"))))),
        ("40", Bytes(vec![])),
        ("4401020304", Bytes(vec![1, 2, 3, 4])),
        ("60", text("")),
        ("6161", text("a")),
        ("6449455446", text("IETF")),
        ("62225c", text("\"\\")),
        ("62c3bc", text("\u{fc}")),
        ("63e6b0b4", text("\u{6c34}")),
        ("64f0908591", text("\u{10151}")),
        ("80", Array(vec![])),
        ("83010203", Array(numbers(1, 3))),
        (
            "8301820203820405",
            Array(vec![Unsigned(1), Array(numbers(2, 3)), Array(numbers(4, 5))]),
        ),
        (
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
            Array(numbers(1, 25)),
        ),
        ("a0", Map(vec![])),
        (
            "a201020304",
            Map(vec![(Unsigned(1), Unsigned(2)), (Unsigned(3), Unsigned(4))]),
        ),
        (
            "a26161016162820203",
            map(&[("a", Unsigned(1)), ("b", Array(numbers(2, 3)))]),
        ),
        ("826161a161626163", Array(vec![text("a"), map(&[("b", text("c"))])])),
        (
            "a56161614161626142616361436164614461656145",
            map(&[
                ("a", text("A")),
                ("b", text("B")),
                ("c", text("C")),
                ("d", text("D")),
                ("e", text("E")),
            ]),
        ),
    ]
}

/// Small values of every kind, their maps as they come out of a decoder.
fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        prop_oneof![0..3_u64, 22..26_u64, 254..258_u64, any::<u64>()].prop_map(Value::Unsigned),
        prop_oneof![0..3_u64, 254..258_u64].prop_map(Value::Negative),
        proptest::collection::vec(0..2_u8, 0..3).prop_map(Value::Bytes),
        "[a-c]{0,2}".prop_map(Value::Text),
        any::<bool>().prop_map(Value::Bool),
        Just(Value::Null),
    ];
    scalar.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            (24..26_u64, inner.clone()).prop_map(|(tag, item)| Value::Tag(tag, Box::new(item))),
            proptest::collection::vec((inner.clone(), inner), 0..3).prop_map(|mut entries| {
                entries.sort_by_cached_key(|(key, _)| key.to_vec());
                entries.dedup_by(|(left, _), (right, _)| left == right);
                Value::Map(entries)
            }),
        ]
    })
}

#[test]
fn appendix_a_decodes_and_encodes() {
    for (hex, value) in appendix_a() {
        assert_eq!(decode(&unhex(hex), LIMITS), Ok(value.clone()), "{hex}");
        assert_eq!(value.to_vec(), unhex(hex), "{hex}");
    }
}

#[test]
fn appendix_a_floats_are_refused() {
    for hex in [
        "f90000",
        "f93c00",
        "fa47c35000",
        "fb3ff199999999999a",
        "f97c00",
        "f97e00",
        "c1fb41d452d9ec200000",
    ] {
        assert_eq!(refusal(hex), CborError::Float, "{hex}");
    }
}

#[test]
fn appendix_a_other_simple_values_are_refused() {
    for (hex, found) in [("f7", 23), ("f0", 16), ("f8ff", 255)] {
        assert_eq!(refusal(hex), CborError::SimpleValue { found }, "{hex}");
    }
    assert_eq!(refusal("f814"), CborError::NotShortest, "false in two bytes");
}

#[test]
fn appendix_a_indefinite_lengths_are_refused() {
    for hex in [
        "5f42010243030405ff",
        "7f657374726561646d696e67ff",
        "9fff",
        "bf61610161629f0203ffff",
        "83018202039f0405ff",
    ] {
        assert_eq!(refusal(hex), CborError::IndefiniteLength, "{hex}");
    }
    assert_eq!(refusal("ff"), CborError::IndefiniteLength, "a break alone");
}

#[test]
fn longer_than_shortest_is_refused() {
    for hex in [
        "1817",
        "1900ff",
        "1a0000ffff",
        "1b00000000ffffffff",
        "3817",
        "5800",
        "7801",
        "9800",
        "b800",
        "d817f6",
    ] {
        assert_eq!(refusal(hex), CborError::NotShortest, "{hex}");
    }
}

#[test]
fn bignum_that_an_integer_could_say_is_refused() {
    assert_eq!(refusal("c248ffffffffffffffff"), CborError::NotShortest);
    assert_eq!(refusal("c24a00010000000000000000"), CborError::NotShortest);
}

#[test]
fn map_keys_must_be_sorted_and_single() {
    assert!(decode(&unhex("a201020304"), LIMITS).is_ok());
    assert_eq!(refusal("a203040102"), CborError::UnsortedKeys);
    assert_eq!(refusal("a201020104"), CborError::DuplicateKey);
    // Bytewise, not by length first as in RFC 7049: 100 (1864) sorts before -1 (20).
    assert!(decode(&unhex("a21864012002"), LIMITS).is_ok());
    assert_eq!(refusal("a22002186401"), CborError::UnsortedKeys);
}

#[test]
fn encoding_sorts_map_keys() {
    let unsorted = Value::Map(vec![
        (Value::text("aa"), Value::Unsigned(1)),
        (Value::Bool(false), Value::Unsigned(2)),
        (Value::text("z"), Value::Unsigned(3)),
        (Value::Negative(0), Value::Unsigned(4)),
        (Value::Array(vec![Value::Unsigned(100)]), Value::Unsigned(5)),
        (Value::Unsigned(100), Value::Unsigned(6)),
    ]);
    // The order of the example in RFC 8949 section 4.2.1.
    assert_eq!(unsorted.to_vec(), unhex("a61864062004617a036261610181186405f402"));
    assert!(decode(&unsorted.to_vec(), LIMITS).is_ok());
}

#[test]
fn foreign_encodings_are_read_and_nothing_worse() {
    // ISO/IEC 18013-5 orders the keys of its examples as it likes; a known library writes map lengths in two bytes.
    for (hex, value) in [
        ("a203040102", "a201020304"),
        ("b900010102", "a10102"),
        ("1817", "17"),
        ("58020000", "420000"),
    ] {
        let read = decode_foreign(&unhex(hex), LIMITS).unwrap();
        assert_eq!(read.to_vec(), unhex(value), "{hex}");
    }
    for (hex, refusal) in [
        ("a3010203040106", CborError::DuplicateKey),
        // One key in two encodings.
        ("a20102180104", CborError::DuplicateKey),
        ("9fff", CborError::IndefiniteLength),
        ("bfff", CborError::IndefiniteLength),
        ("f93c00", CborError::Float),
        ("f7", CborError::SimpleValue { found: 23 }),
        ("61ff", CborError::NotUtf8),
        ("0000", CborError::TrailingBytes { found: 1 }),
    ] {
        assert_eq!(decode_foreign(&unhex(hex), LIMITS), Err(refusal), "{hex}");
    }
}

#[test]
fn parts_are_cut_out_as_they_stand() {
    let array = unhex("8318001a0000000182014101");
    let parts = items(&array, LIMITS).unwrap();
    assert_eq!(parts, [&unhex("1800")[..], &unhex("1a00000001"), &unhex("82014101")]);
    assert_eq!(array_of_encoded(&parts), array);
    let map = unhex("a26162b90001010261618101");
    assert_eq!(
        entries(&map, LIMITS),
        Ok(vec![
            (Value::text("b"), &unhex("b900010102")[..]),
            (Value::text("a"), &unhex("8101")[..])
        ])
    );
    let parts = [("b", &unhex("b900010102")[..]), ("a", &unhex("8101")[..])];
    assert_eq!(
        map_of_encoded(&parts),
        unhex("a261618101 6162b900010102".replace(' ', "").as_str())
    );
    assert_eq!(tag_24(unhex("8101")).to_vec(), unhex("d818428101"));
    assert_eq!(tag_24(unhex("8101")).as_encoded(), Some(&unhex("8101")[..]));
    assert_eq!(entries(&unhex("a201020103"), LIMITS), Err(CborError::DuplicateKey));
    assert_eq!(entries(&array, LIMITS), Err(CborError::Shape { expected: "a map" }));
    assert_eq!(items(&map, LIMITS), Err(CborError::Shape { expected: "an array" }));
    assert_eq!(
        items(&unhex("8100ff"), LIMITS),
        Err(CborError::TrailingBytes { found: 1 })
    );
    assert!(matches!(
        items(&unhex("824100"), LIMITS),
        Err(CborError::EndsEarly { .. })
    ));
    let too_deep = vec![0x81; 9].into_iter().chain([0x00]).collect::<Vec<u8>>();
    assert_eq!(items(&too_deep, LIMITS), Err(CborError::TooDeep { limit: 8 }));
}

#[test]
fn limits_hold() {
    let at_limit = vec![0x81; 8].into_iter().chain([0x00]).collect::<Vec<u8>>();
    assert!(decode(&at_limit, LIMITS).is_ok());
    let too_deep = vec![0x81; 9].into_iter().chain([0x00]).collect::<Vec<u8>>();
    assert_eq!(decode(&too_deep, LIMITS), Err(CborError::TooDeep { limit: 8 }));
    let tags = vec![0xc1; 9].into_iter().chain([0x00]).collect::<Vec<u8>>();
    assert_eq!(decode(&tags, LIMITS), Err(CborError::TooDeep { limit: 8 }));
    let large = Value::Bytes(vec![0; 4093]).to_vec();
    assert!(decode(&large, LIMITS).is_ok());
    let larger = Value::Bytes(vec![0; 4094]).to_vec();
    assert_eq!(
        decode(&larger, LIMITS),
        Err(CborError::TooLarge {
            limit: 4096,
            found: 4097
        })
    );
}

#[test]
fn claimed_lengths_beyond_the_input_are_refused() {
    for hex in [
        "",
        "18",
        "4401",
        "61",
        "82 00",
        "9bffffffffffffffff",
        "bbffffffffffffffff",
        "5bffffffffffffffff",
        "a100",
        "c1",
    ] {
        let found = refusal(&hex.replace(' ', ""));
        assert!(matches!(found, CborError::EndsEarly { .. }), "{hex}: {found}");
    }
}

#[test]
fn other_damage_is_named() {
    assert_eq!(refusal("0000"), CborError::TrailingBytes { found: 1 });
    assert_eq!(refusal("1c"), CborError::Reserved { found: 28 });
    assert_eq!(refusal("fd"), CborError::Reserved { found: 29 });
    assert_eq!(refusal("61ff"), CborError::NotUtf8);
}

#[test]
fn signed_numbers_map_to_both_majors() {
    assert_eq!(Value::from(-1_i64), Value::Negative(0));
    assert_eq!(Value::from(-500_i64), Value::Negative(499));
    assert_eq!(Value::from(i64::MIN), Value::Negative(i64::MAX.cast_unsigned()));
    assert_eq!(Value::from(7_i64), Value::Unsigned(7));
}

/// Keys that are maps, written in two orders, are one key (found by the fuzz target `cbor`).
#[test]
fn a_key_in_two_orders_is_one_key() {
    let twice = "a2 a200000101 00 a201010000 00".replace(' ', "");
    assert_eq!(decode_foreign(&unhex(&twice), LIMITS), Err(CborError::DuplicateKey));
    assert_eq!(entries(&unhex(&twice), LIMITS), Err(CborError::DuplicateKey));
    let other = "a2 a200000101 00 a201000001 00".replace(' ', "");
    assert!(decode_foreign(&unhex(&other), LIMITS).is_ok());
}

proptest! {
    #[test]
    fn values_compare_as_their_encodings(left in value(), right in value()) {
        prop_assert_eq!(left.cmp(&right), left.to_vec().cmp(&right.to_vec()));
    }

    #[test]
    fn shuffled_maps_decode_to_the_same_value(entries in proptest::collection::vec((value(), value()), 0..6)) {
        let sorted = Value::Map(entries.clone()).to_vec();
        let encoded = entries.iter().rev().flat_map(|(key, value)| [key.to_vec(), value.to_vec()].concat());
        let mut reversed = vec![0xa0 | u8::try_from(entries.len()).unwrap()];
        reversed.extend(encoded);
        prop_assert_eq!(decode_foreign(&reversed, DEFAULT_LIMITS).ok(), decode(&sorted, DEFAULT_LIMITS).ok());
    }

    #[test]
    fn what_decodes_encodes_to_the_same_bytes(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
        if let Ok(value) = decode(&bytes, LIMITS) {
            prop_assert_eq!(value.to_vec(), bytes);
        }
    }
}

#[test]
fn entries_are_sorted_as_their_keys_are_encoded() {
    let numbered = |keys: Vec<Value>| Value::Map((0_u64..).zip(keys).map(|(at, key)| (key, Value::from(at))).collect());
    let scalars = vec![
        Value::text("aa"),
        Value::text("b"),
        Value::Bool(true),
        Value::bytes([1]),
        Value::from(-1_i64),
        Value::from(300_u64),
        Value::from(2_u64),
    ];
    // Written, the first is {"a": 0, "b": 0} and stands before {"a": 1, "b": 0}.
    let map =
        |entries: [(&str, u64); 2]| Value::Map(entries.map(|(key, at)| (Value::text(key), Value::from(at))).into());
    let maps = vec![map([("a", 1), ("b", 0)]), map([("b", 0), ("a", 0)])];
    for keys in [scalars, maps] {
        let value = numbered(keys);
        let encoded = value.to_vec();
        let decoded = decode(&encoded, DEFAULT_LIMITS).unwrap();
        assert_eq!(decoded.to_vec(), encoded);
        assert_ne!(decoded, value, "another order than was given");
    }
}
