//! Issuing an SD-JWT VC.

use keys::Algorithm;
use keys::Jwk;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use keys::jws;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::NEVER_DISCLOSABLE;
use super::TYPE;
use crate::ClaimPath;
use crate::claim_path::PathComponent;
use crate::sd_jwt::Claim;
use crate::sd_jwt::Concealed;
use crate::sd_jwt::Decoys;
use crate::sd_jwt::HashAlgorithm;
use crate::sd_jwt::SdJwt;
use crate::sd_jwt::SdJwtError;
use crate::sd_jwt::conceal;
use crate::sd_jwt::members_of;
use crate::status_list::StatusReference;

/// A credential to be issued. The registered claims have fields of their own; `claims` are the subject's.
#[derive(Clone)]
pub struct NewCredential<'a> {
    /// `iss`: the issuer's DID.
    pub issuer: &'a str,
    /// `kid`: absolute DID URL of the issuer's key.
    pub key_id: &'a str,
    /// `vct`.
    pub vct: &'a str,
    /// `vct#integrity`, see [`crate::integrity`].
    pub type_integrity: Option<&'a str>,
    /// `aka_vcts`: further types, without `vct`.
    pub other_types: &'a [String],
    /// `cnf.jwk`: the wallet's key, if the credential is bound to its holder.
    pub holder: Option<&'a Jwk>,
    /// `iat`.
    pub issued_at: Timestamp,
    /// `nbf`.
    pub valid_from: Option<Timestamp>,
    /// `exp`.
    pub valid_until: Option<Timestamp>,
    /// `status`.
    pub status: Option<&'a StatusReference>,
    /// Claims about the subject.
    pub claims: &'a Map<String, Value>,
    /// Which of them are selectively disclosable.
    pub disclosable: &'a [ClaimPath],
    /// Digests without claims.
    pub decoys: Decoys,
}

impl NewCredential<'_> {
    /// The credential with all its disclosures, once signed by `key_id`'s key.
    ///
    /// # Errors
    /// [`SdJwtError::ClaimExists`] when `claims` has a registered claim that has a field here,
    /// [`SdJwtError::CriticalClaim`] when such a claim is to be disclosable, and what [`SdJwtError`] says of
    /// names, paths and depth: all of them the caller's fault.
    pub fn issue(self, algorithm: Algorithm, rng: &mut dyn CryptoRng) -> Result<SigningRequest<String>, SdJwtError> {
        self.issue_with(HashAlgorithm::default(), algorithm, rng)
    }

    /// As [`Self::issue`], with digests of another hash than SHA-256, which is the only one that everybody must read.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub fn issue_with(
        self,
        hash: HashAlgorithm,
        algorithm: Algorithm,
        rng: &mut dyn CryptoRng,
    ) -> Result<SigningRequest<String>, SdJwtError> {
        if let Some(name) = NEVER_DISCLOSABLE.into_iter().find(|name| self.makes_disclosable(name)) {
            return Err(SdJwtError::CriticalClaim { name });
        }
        let header = Map::from_iter([("kid".to_owned(), json!(self.key_id)), ("typ".to_owned(), json!(TYPE))]);
        let confirmation = self.holder.map(|jwk| format!("{{\"jwk\":{}}}", jwk.to_text()));
        let other_types = (!self.other_types.is_empty()).then(|| written(&json!(self.other_types)));
        let status = self.status.map(|status| written(&status.to_value()));
        // Every registered claim that has a field, `None` where the field is empty.
        let registered = [
            ("iss", Some(Claim::Text(self.issuer))),
            ("vct", Some(Claim::Text(self.vct))),
            ("vct#integrity", self.type_integrity.map(Claim::Text)),
            ("aka_vcts", other_types.as_deref().map(Claim::Written)),
            ("cnf", confirmation.as_ref().map(|cnf| Claim::Written(cnf.as_bytes()))),
            ("iat", Some(Claim::Number(self.issued_at.unix()))),
            ("nbf", self.valid_from.map(|time| Claim::Number(time.unix()))),
            ("exp", self.valid_until.map(|time| Claim::Number(time.unix()))),
            ("status", status.as_deref().map(Claim::Written)),
        ];
        // Also where the field is empty: what is not said by a field is not said.
        if registered.iter().any(|(name, _)| self.claims.contains_key(*name)) {
            return Err(SdJwtError::ClaimExists);
        }
        let registered = registered.into_iter().filter_map(|(name, claim)| Some((name, claim?)));
        let claims = registered.chain(members_of(self.claims));
        let Concealed { payload, disclosures } = conceal(claims, self.disclosable, hash, self.decoys, rng)?;
        let request = jws::sign(header, &payload, algorithm);
        Ok(request.map(move |jwt| SdJwt::of_parts(jwt, &disclosures)))
    }

    fn makes_disclosable(&self, name: &str) -> bool {
        self.disclosable
            .iter()
            .any(|path| path.components().first() == Some(&PathComponent::Key(name.to_owned())))
    }
}

fn written(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    json::write(value, &mut out);
    out
}

impl std::fmt::Debug for NewCredential<'_> {
    /// Without the claims.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewCredential")
            .field("issuer", &self.issuer)
            .field("vct", &self.vct)
            .finish_non_exhaustive()
    }
}
