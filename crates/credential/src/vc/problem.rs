//! Why a document is refused, in the words of the standards
//! ([problem details](https://www.w3.org/TR/vc-data-model-2.0/#problem-details),
//! [processing errors](https://www.w3.org/TR/vc-data-integrity/#processing-errors)).

use super::DataModelError;

/// The `type` of a problem report. Deliberately closed: these are the ones that the standards define.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemType {
    /// What was secured is not what is here.
    CryptographicSecurityError,
    /// `challenge` is another than the verifier's.
    InvalidChallengeError,
    /// `domain` is another than the verifier's.
    InvalidDomainError,
    /// The value of a property is malformed.
    MalformedValueError,
    /// The input is no JSON, or no JSON of the kind.
    ParsingError,
    /// A proof could not be made.
    ProofGenerationError,
    /// The document could not be brought into the form that a proof covers.
    ProofTransformationError,
    /// A proof is incomplete, or was made by another or for something else.
    ProofVerificationError,
    /// A value is outside of its range.
    RangeError,
}

impl ProblemType {
    /// Every type.
    pub const ALL: [Self; 9] = [
        Self::CryptographicSecurityError,
        Self::InvalidChallengeError,
        Self::InvalidDomainError,
        Self::MalformedValueError,
        Self::ParsingError,
        Self::ProofGenerationError,
        Self::ProofTransformationError,
        Self::ProofVerificationError,
        Self::RangeError,
    ];

    /// The URL that is the value of `type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CryptographicSecurityError => "https://www.w3.org/TR/vc-data-model#CRYPTOGRAPHIC_SECURITY_ERROR",
            Self::InvalidChallengeError => "https://w3id.org/security#INVALID_CHALLENGE_ERROR",
            Self::InvalidDomainError => "https://w3id.org/security#INVALID_DOMAIN_ERROR",
            Self::MalformedValueError => "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR",
            Self::ParsingError => "https://www.w3.org/TR/vc-data-model#PARSING_ERROR",
            Self::ProofGenerationError => "https://w3id.org/security#PROOF_GENERATION_ERROR",
            Self::ProofTransformationError => "https://w3id.org/security#PROOF_TRANSFORMATION_ERROR",
            Self::ProofVerificationError => "https://w3id.org/security#PROOF_VERIFICATION_ERROR",
            Self::RangeError => "https://www.w3.org/TR/vc-data-model#RANGE_ERROR",
        }
    }

    /// A short text for `title`.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::CryptographicSecurityError => "the document is not what was secured",
            Self::InvalidChallengeError => "the challenge is another",
            Self::InvalidDomainError => "the domain is another",
            Self::MalformedValueError => "a value is malformed",
            Self::ParsingError => "the input is not read",
            Self::ProofGenerationError => "no proof can be made",
            Self::ProofTransformationError => "the document has no form that a proof covers",
            Self::ProofVerificationError => "the proof is not one for this",
            Self::RangeError => "a value is out of its range",
        }
    }
}

impl std::fmt::Display for ProblemType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl DataModelError {
    /// The `type` of a problem report.
    #[must_use]
    pub const fn problem_type(&self) -> ProblemType {
        match self {
            Self::Property { .. } | Self::Status(_) => ProblemType::MalformedValueError,
            Self::Validity(_) => ProblemType::RangeError,
        }
    }
}
