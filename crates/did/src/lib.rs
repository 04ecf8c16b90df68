//! DID identifiers, documents and methods (key, jwk, web, webvh) as resolution steps. Pure.
