//! Algorithms, public keys, signing requests, JWS, JWE, JCS, deterministic CBOR. Pure.
