//! An instance: one key with its DID, and one way to secure credentials, under `/vc-api/{name}`.
//!
//! The names of the sample's instances come from the types: every cryptosuite of
//! [`Cryptosuite::ALL`] and every curve that it can be used with. A new suite brings its instances by itself.

use std::sync::Arc;

use credential::data_integrity::Cryptosuite;
use keys::Algorithm;
use keys::Signer;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

/// The instance that issues nothing and verifies everything.
pub const VERIFIER: &str = "verifier";

/// The length of a name in a URL; as long as a DNS label.
const MAX_NAME_BYTES: usize = 63;

/// Curves by the names of the command line, each with the algorithm of its keys.
const CURVES: [(&str, Algorithm); 5] = [
    ("bls12-381", Algorithm::Bbs),
    ("ed25519", Algorithm::EdDsa),
    ("p256", Algorithm::Es256),
    ("p384", Algorithm::Es384),
    ("p521", Algorithm::Es512),
];

/// The name of [`Mechanism::Jwt`].
const JWT: &str = "vc-jwt";

/// How an instance secures what it issues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// An embedded proof of [Data Integrity](https://www.w3.org/TR/vc-data-integrity/).
    DataIntegrity(Cryptosuite),
    /// A [`vc+jwt`](https://www.w3.org/TR/vc-jose-cose/#securing-with-jose) in an
    /// [envelope](https://www.w3.org/TR/vc-data-model-2.0/#enveloped-verifiable-credentials).
    Jwt,
}

/// What the store keeps of an instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceRecord {
    /// Its name in URLs.
    pub name: String,
    /// The DID that it issues as.
    pub did: String,
    /// The absolute DID URL of its key.
    pub verification_method: String,
    /// The name of its [`Mechanism`].
    pub mechanism: String,
    /// The name of its key's curve.
    pub curve: String,
    /// Whether it belongs to the sample, whose instances a test suite may use without a token.
    pub sample: bool,
}

/// An instance with its key, ready to issue.
#[derive(Clone)]
pub struct Instance {
    record: InstanceRecord,
    mechanism: Mechanism,
    signer: Arc<dyn Signer>,
}

/// The record, or what the operator asked for, makes no instance.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum InstanceError {
    /// The curve has a name that we do not know.
    #[error("expected a curve of {expected}, found {found:?}")]
    Curve {
        /// The names of all.
        expected: String,
        /// What was asked for.
        found: String,
    },
    /// The mechanism has a name that we do not know.
    #[error("expected a suite of {expected}, found {found:?}")]
    Mechanism {
        /// The names of all.
        expected: String,
        /// What was asked for.
        found: String,
    },
    /// The name cannot stand in a URL, or is taken by the verifier.
    #[error("expected a name of 1 to {MAX_NAME_BYTES} of a-z, 0-9 and '-' other than {VERIFIER}, found {found:?}")]
    Name {
        /// What was asked for.
        found: String,
    },
    /// The suite signs with keys of other curves.
    #[error("expected a key on {expected} for {mechanism}, found one on {found}")]
    Unfit {
        /// The suite.
        mechanism: &'static str,
        /// The curves that it can be used with.
        expected: String,
        /// The curve of the key.
        found: &'static str,
    },
}

impl Mechanism {
    /// Every mechanism.
    pub fn all() -> impl Iterator<Item = Self> {
        Cryptosuite::ALL.into_iter().map(Self::DataIntegrity).chain([Self::Jwt])
    }

    /// The mechanism of this name.
    ///
    /// # Errors
    /// [`InstanceError::Mechanism`].
    pub fn from_name(name: &str) -> Result<Self, InstanceError> {
        let found = Self::all().find(|mechanism| mechanism.as_str() == name);
        found.ok_or_else(|| InstanceError::Mechanism {
            expected: list(Self::all().map(Self::as_str)),
            found: name.to_owned(),
        })
    }

    /// Its name: that of the cryptosuite, or `vc-jwt`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DataIntegrity(suite) => suite.as_str(),
            Self::Jwt => JWT,
        }
    }

    /// Whether what it secures is for everybody to verify; not for the holder alone, who derives from it what others
    /// see.
    #[must_use]
    pub const fn is_for_everybody(self) -> bool {
        match self {
            Self::DataIntegrity(suite) => !suite.is_selective(),
            Self::Jwt => true,
        }
    }

    /// Whether its name says on which curve its keys are.
    const fn names_its_curve(self) -> bool {
        match self {
            Self::DataIntegrity(Cryptosuite::Bbs2023 | Cryptosuite::EddsaJcs2022 | Cryptosuite::EddsaRdfc2022) => true,
            Self::DataIntegrity(Cryptosuite::EcdsaJcs2019 | Cryptosuite::EcdsaRdfc2019 | Cryptosuite::EcdsaSd2023)
            | Self::Jwt => false,
        }
    }

    /// The algorithms of the keys that it can be used with.
    pub fn algorithms(self) -> impl Iterator<Item = Algorithm> {
        CURVES
            .into_iter()
            .map(|(_, algorithm)| algorithm)
            .filter(move |algorithm| match self {
                Self::DataIntegrity(suite) => suite.algorithms().contains(algorithm),
                Self::Jwt => Algorithm::from_jose_name(algorithm.jose_name()).is_some(),
            })
    }
}

impl InstanceRecord {
    /// Checks what an operator asks for.
    ///
    /// # Errors
    /// [`InstanceError`].
    pub fn check(&self) -> Result<(), InstanceError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let name = &self.name;
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name == VERIFIER || !name.bytes().all(allowed) {
            return Err(InstanceError::Name { found: name.clone() });
        }
        let algorithm = algorithm_of(&self.curve)?;
        fit(Mechanism::from_name(&self.mechanism)?, algorithm)
    }
}

impl Instance {
    /// An instance that signs with `signer`.
    ///
    /// # Errors
    /// [`InstanceError`].
    pub fn new(record: InstanceRecord, signer: Arc<dyn Signer>) -> Result<Self, InstanceError> {
        record.check()?;
        let mechanism = Mechanism::from_name(&record.mechanism)?;
        fit(mechanism, signer.public_key().algorithm())?;
        Ok(Self {
            record,
            mechanism,
            signer,
        })
    }

    /// What the store keeps of it.
    #[must_use]
    pub const fn record(&self) -> &InstanceRecord {
        &self.record
    }

    pub(crate) const fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    pub(crate) fn signer(&self) -> &dyn Signer {
        &*self.signer
    }
}

/// The names of the sample's instances, with what each is made of: every mechanism on every curve that fits.
pub fn sample() -> impl Iterator<Item = (String, Mechanism, Algorithm)> {
    Mechanism::all().flat_map(|mechanism| {
        mechanism
            .algorithms()
            .map(move |algorithm| (default_name(mechanism, algorithm), mechanism, algorithm))
    })
}

/// What an instance is called if nobody says: the mechanism, with the curve unless the mechanism's name tells it.
#[must_use]
pub fn default_name(mechanism: Mechanism, algorithm: Algorithm) -> String {
    if mechanism.names_its_curve() {
        return mechanism.as_str().to_owned();
    }
    format!("{}-{}", mechanism.as_str(), curve_of(algorithm))
}

/// The algorithm of keys on the curve of this name.
///
/// # Errors
/// [`InstanceError::Curve`].
pub fn algorithm_of(curve: &str) -> Result<Algorithm, InstanceError> {
    let found = CURVES.into_iter().find(|(name, _)| *name == curve);
    found
        .map(|(_, algorithm)| algorithm)
        .ok_or_else(|| InstanceError::Curve {
            expected: list(CURVES.into_iter().map(|(name, _)| name)),
            found: curve.to_owned(),
        })
}

/// The name of the curve that keys of this algorithm are on.
#[must_use]
pub const fn curve_of(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Bbs => "bls12-381",
        Algorithm::EdDsa => "ed25519",
        Algorithm::Es256 => "p256",
        Algorithm::Es384 => "p384",
        Algorithm::Es512 => "p521",
    }
}

fn fit(mechanism: Mechanism, algorithm: Algorithm) -> Result<(), InstanceError> {
    if mechanism.algorithms().any(|fitting| fitting == algorithm) {
        return Ok(());
    }
    Err(InstanceError::Unfit {
        mechanism: mechanism.as_str(),
        expected: list(mechanism.algorithms().map(curve_of)),
        found: curve_of(algorithm),
    })
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("record", &self.record)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use signer::SoftwareKey;

    use super::*;

    fn record(name: &str, mechanism: &str, curve: &str) -> InstanceRecord {
        InstanceRecord {
            name: name.to_owned(),
            did: "did:example:a".to_owned(),
            verification_method: "did:example:a#key".to_owned(),
            mechanism: mechanism.to_owned(),
            curve: curve.to_owned(),
            sample: false,
        }
    }

    #[test]
    fn every_suite_has_an_instance_on_every_curve_that_fits() {
        let names: Vec<String> = sample().map(|(name, ..)| name).collect();
        for suite in Cryptosuite::ALL {
            assert!(names.iter().any(|name| name.starts_with(suite.as_str())), "{suite:?}");
        }
        for name in [
            "bbs-2023",
            "ecdsa-jcs-2019-p256",
            "ecdsa-jcs-2019-p384",
            "ecdsa-rdfc-2019-p256",
            "ecdsa-rdfc-2019-p384",
            "ecdsa-sd-2023-p256",
            "eddsa-jcs-2022",
            "eddsa-rdfc-2022",
            "vc-jwt-ed25519",
            "vc-jwt-p256",
            "vc-jwt-p384",
            "vc-jwt-p521",
        ] {
            assert!(names.iter().any(|found| found == name), "{name}: {names:?}");
        }
        // No JWS is signed with BBS.
        assert_eq!(names.len(), 12, "{names:?}");
        for (name, mechanism, algorithm) in sample() {
            let record = record(&name, mechanism.as_str(), curve_of(algorithm));
            assert_eq!(record.check(), Ok(()), "{name}");
            assert_eq!(algorithm_of(&record.curve), Ok(algorithm));
        }
    }

    #[test]
    fn names_that_no_url_can_hold_and_the_verifier_s_are_refused() {
        assert_eq!(record("a-1", "eddsa-rdfc-2022", "ed25519").check(), Ok(()));
        for name in ["", "A", "a/b", "a.b", "..", VERIFIER, &"a".repeat(64)] {
            let result = record(name, "eddsa-rdfc-2022", "ed25519").check();
            assert_eq!(result, Err(InstanceError::Name { found: name.to_owned() }));
        }
    }

    #[test]
    fn unknown_suites_and_curves_are_refused_with_the_known_ones() {
        let suite = record("a", "eddsa-rdfc-2019", "ed25519").check().unwrap_err();
        assert!(suite.to_string().contains("eddsa-rdfc-2022"), "{suite}");
        let curve = record("a", "eddsa-rdfc-2022", "curve25519").check().unwrap_err();
        assert!(curve.to_string().contains("ed25519"), "{curve}");
    }

    #[test]
    fn a_key_on_another_curve_than_the_suite_s_is_refused() {
        assert!(record("a", "vc-jwt", "p256").check().is_ok());
        let unfit = record("a", "eddsa-rdfc-2022", "p256").check();
        assert!(matches!(unfit, Err(InstanceError::Unfit { .. })), "{unfit:?}");
        // The key counts, whatever the record says of it.
        let key = Arc::new(SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng()));
        let unfit = Instance::new(record("a", "eddsa-rdfc-2022", "ed25519"), key);
        assert!(matches!(unfit, Err(InstanceError::Unfit { .. })), "{unfit:?}");
    }
}
