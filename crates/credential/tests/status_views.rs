//! Whatever happens to the statuses of a record, every published view of it says the same about every place.
#![cfg(test)]

use credential::status_list::BitsPerEntry;
use credential::status_list::Bitstring;
use credential::status_list::BitstringPurpose;
use credential::status_list::MIN_ENTRIES;
use credential::status_list::Status;
use credential::status_list::StatusArray;
use credential::status_list::StatusSize;
use keys::cbor;
use keys::json::DEFAULT_LIMITS;
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::prelude::proptest;
use proptest::test_runner::Config;

/// A list has 131,072 places, each of which is read in four views.
const CASES: u32 = 8;

/// The bitstring of one purpose, as it is published.
fn bitstring(record: &StatusArray, purpose: BitstringPurpose) -> Bitstring {
    let encoded = record.to_bitstring(purpose).to_encoded_list().unwrap();
    Bitstring::from_encoded_list(&encoded).unwrap()
}

proptest! {
    #![proptest_config(Config::with_cases(CASES))]

    #[test]
    fn all_views_say_the_same_after_any_changes(changes in vec((0..MIN_ENTRIES, 0..3_u8), 0..200), ends in any::<bool>()) {
        let mut record = StatusArray::new(BitsPerEntry::Two, MIN_ENTRIES);
        let edges = [(0, 2), (MIN_ENTRIES - 1, 1)];
        for (index, status) in changes.into_iter().chain(edges.into_iter().filter(|_| ends)) {
            assert!(record.set(index, Status::from(status)).is_some());
        }
        let list = record.compress().unwrap();
        let jwt = StatusArray::from_status_list(&list.to_status_list(None)).unwrap();
        let cwt = cbor::decode(&list.to_cbor(None).to_vec(), DEFAULT_LIMITS).unwrap();
        let cwt = StatusArray::from_cbor(&cwt).unwrap();
        let revoked = bitstring(&record, BitstringPurpose::Revocation);
        let suspended = bitstring(&record, BitstringPurpose::Suspension);
        for index in 0..MIN_ENTRIES {
            let status = record.get(index).unwrap();
            assert_eq!((jwt.get(index), cwt.get(index)), (Some(status), Some(status)), "{index}");
            let set = |bitstring: &Bitstring| bitstring.get(StatusSize::ONE, index) == Some(1);
            let shown = (set(&revoked), set(&suspended));
            assert_eq!(shown, (status == Status::Invalid, status == Status::Suspended), "{index}");
        }
    }
}
