//! JSON-LD 1.1 expansion and toRdf with bundled contexts only, and RDFC-1.0. Pure.
