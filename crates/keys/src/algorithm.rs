//! The signature algorithms of the platform and their JOSE names
//! ([RFC 7518](https://www.rfc-editor.org/rfc/rfc7518#section-3.1),
//! [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864)).

use std::fmt;

/// A signature algorithm: which curve and hash a signature is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// BBS on BLS12-381 with SHA-256, over many messages at once: see [`crate::bbs::SigningInput`]. No algorithm of
    /// JOSE; in [JSON Proof Algorithms](https://datatracker.ietf.org/doc/draft-ietf-jose-json-proof-algorithms/) `BBS`.
    Bbs,
    /// Ed25519; JOSE `EdDSA`, and since RFC 9864 `Ed25519`.
    EdDsa,
    /// ECDSA on P-256 with SHA-256; JOSE `ES256`.
    Es256,
    /// ECDSA on P-384 with SHA-384; JOSE `ES384`.
    Es384,
    /// ECDSA on P-521 with SHA-512; JOSE `ES512`. No cryptosuite of Data Integrity has it.
    Es512,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 5] = [Self::Bbs, Self::EdDsa, Self::Es256, Self::Es384, Self::Es512];

    /// The name written into the `alg` header of what we sign.
    ///
    /// `EdDSA` rather than `Ed25519`: every deployed library reads the older name. A JWS with `BBS` is read by nobody.
    #[must_use]
    pub const fn jose_name(self) -> &'static str {
        match self {
            Self::Bbs => "BBS",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
        }
    }

    /// Digest of `bytes` with the hash function that the algorithm's proofs are made over in Data Integrity:
    /// SHA-384 for P-384, SHA-256 for the others (P-521 has none there, and gets SHA-512)
    /// ([hashing](https://www.w3.org/TR/vc-di-ecdsa/#hashing-ecdsa-rdfc-2019)).
    #[must_use]
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Bbs | Self::EdDsa | Self::Es256 => crate::sha256(bytes).to_vec(),
            Self::Es384 => crate::sha384(bytes).to_vec(),
            Self::Es512 => crate::sha512(bytes).to_vec(),
        }
    }

    /// The algorithm of an `alg` header; `None` for `none`, MACs, `BBS`, which signs no JWS, and everything we do not
    /// implement.
    #[must_use]
    pub fn from_jose_name(name: &str) -> Option<Self> {
        match name {
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            "ES384" => Some(Self::Es384),
            "ES512" => Some(Self::Es512),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.jose_name())
    }
}
