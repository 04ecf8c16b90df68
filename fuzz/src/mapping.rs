//! Mapping files and rows. What a mapping makes of a row can be issued: no claim has a reserved name.

use keys::json;

use crate::NOW;
use crate::issuer_source::mapping::Mapping;
use crate::register::Row;

/// The first line is a row, the rest is the mapping: as JSON, both.
pub fn fuzz(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let Ok(mapping) = Mapping::parse(data.get(end + 1..).unwrap_or_default()) else {
        return;
    };
    let Ok(row) = json::parse_as::<std::collections::BTreeMap<String, String>>(&data[..end], json::DEFAULT_LIMITS)
    else {
        return;
    };
    assert!(mapping.columns().contains(mapping.subject_column()));
    let row: Row = row.into_iter().collect();
    if let Ok(mapped) = mapping.apply(&row, NOW) {
        assert!(
            !["iss", "vct", "cnf", "status", "exp"]
                .iter()
                .any(|name| mapped.claims.contains_key(*name))
        );
    }
}
