//! An agency's issuing service: OpenID4VCI, credential records, status lists.
