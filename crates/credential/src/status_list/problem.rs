//! What the standards call the errors of a status check
//! ([processing errors](https://www.w3.org/TR/vc-bitstring-status-list/#processing-errors)).

/// A problem type, for problem details (RFC 9457).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusProblem {
    /// The list does not have enough entries to hide one credential among others.
    ListLength,
    /// A value breaks a rule of the data model.
    MalformedValue,
    /// The entry is beyond the end of the list.
    Range,
    /// The list was not retrieved.
    Retrieval,
    /// The list is not authentic, not valid now, or not for this entry.
    Verification,
}

impl StatusProblem {
    /// The URL of the type.
    #[must_use]
    pub const fn url(self) -> &'static str {
        match self {
            Self::ListLength => "https://www.w3.org/ns/credentials/status-list#STATUS_LIST_LENGTH_ERROR",
            // These two are the data model's.
            Self::MalformedValue => "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR",
            Self::Range => "https://www.w3.org/TR/vc-data-model#RANGE_ERROR",
            Self::Retrieval => "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR",
            Self::Verification => "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR",
        }
    }
}
