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
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 3] = [Self::Bbs, Self::EdDsa, Self::Es256];

    /// The name written into the `alg` header of what we sign.
    ///
    /// `EdDSA` rather than `Ed25519`: every deployed library reads the older name. A JWS with `BBS` is read by nobody.
    #[must_use]
    pub const fn jose_name(self) -> &'static str {
        match self {
            Self::Bbs => "BBS",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm of an `alg` header; `None` for `none`, MACs, `BBS`, which signs no JWS, and everything we do not
    /// implement.
    #[must_use]
    pub fn from_jose_name(name: &str) -> Option<Self> {
        match name {
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.jose_name())
    }
}
