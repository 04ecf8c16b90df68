//! Expansion, RDF and canonicalization, with the bundled contexts and with the input's own.

use jsonld::HashAlgorithm;
use jsonld::Options;
use keys::json;
use keys::json::DEFAULT_LIMITS;

use crate::data_integrity::CONTEXTS;

/// A document in each mode. What the strictest mode takes, the others take, and they all mean the same.
pub fn fuzz(data: &[u8]) {
    let Ok(document) = json::parse(data, DEFAULT_LIMITS) else {
        return;
    };
    let modes = [
        Options::compact(&CONTEXTS),
        Options::strict(&CONTEXTS),
        Options::lenient(&CONTEXTS),
    ];
    let mut stricter: Option<String> = None;
    for options in modes {
        let _ = jsonld::expand(&document, &options);
        let result = jsonld::to_rdf(&document, &options);
        let Ok(dataset) = result else {
            assert!(stricter.is_none(), "a looser mode refuses what a stricter one takes");
            continue;
        };
        let limit = jsonld::MAX_CANONICALIZATION_WORK / 10;
        let Ok(canonical) = jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, limit) else {
            return;
        };
        if let Some(stricter) = stricter {
            assert_eq!(stricter, canonical.n_quads);
        }
        stricter = Some(canonical.n_quads);
    }
}
