//! W3C credentials and presentations secured with SD-JWT, `vc+sd-jwt` and `vp+sd-jwt`
//! ([VC-JOSE-COSE](https://www.w3.org/TR/vc-jose-cose/#secure-with-sd-jwt), [RFC 9901](https://www.rfc-editor.org/rfc/rfc9901)).
//! The document is what disclosures and signed payload give together.
//!
//! What it has in common with the other mechanisms, and who the issuer and the holder are: [`crate::vc_jose_cose`].
//!
//! What decides about validity is in the signed part ([`NEVER_DISCLOSABLE`], [`NEVER_DISCLOSABLE_IN_PRESENTATIONS`]): the
//! Recommendation says SHOULD, RFC 9901 ("selectively-disclosable validity claims") MUST. A holder who could withhold a
//! `credentialStatus`, or one context of several, would say something else than the issuer signed.
//!
//! A credential with `cnf` is bound to that key: it is presented with a Key Binding JWT, or in a presentation that the
//! key signs. Without `cnf` it is bound to the DID of its subject, and presented in a presentation.
//!
//! Not done here: the JSON serialization, a Key Binding JWT over a presentation.

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::json;
use keys::json::Tree;
use keys::jws::UnverifiedJws;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;

use crate::Authentic;
use crate::ClaimPath;
use crate::CredentialFormat;
use crate::Held;
use crate::HolderBinding;
use crate::Transaction;
use crate::claim_path::PathComponent;
use crate::sd_jwt;
use crate::sd_jwt::Concealed;
use crate::sd_jwt::Decoys;
use crate::sd_jwt::HashAlgorithm;
use crate::sd_jwt::KeyBindingError;
use crate::sd_jwt::SdJwt;
use crate::sd_jwt::SdJwtError;
use crate::sd_jwt::conceal;
use crate::sd_jwt::members_of;
use crate::sd_jwt_vc::PresentError;
use crate::sd_jwt_vc::Presentation;
use crate::vc::envelope_of_credential;
use crate::vc_jose_cose::CredentialError;
use crate::vc_jose_cose::Kind;
use crate::vc_jose_cose::Mechanism;
use crate::vc_jose_cose::MessageError;
use crate::vc_jose_cose::PresentationError;
use crate::vc_jose_cose::Read;
use crate::vc_jose_cose::W3cCredential;
use crate::vc_jose_cose::check_credential;
use crate::vc_jose_cose::check_presentation;
use crate::vc_jose_cose::sealed::Message;

/// The `typ` of a credential.
pub const CREDENTIAL_TYP: &str = "vc+sd-jwt";

/// The `typ` of a presentation.
pub const PRESENTATION_TYP: &str = "vp+sd-jwt";

/// Properties and claims of a credential that must stand in the signed part, with everything inside them
/// ([securing credentials with SD-JWT](https://www.w3.org/TR/vc-jose-cose/#securing-with-sd-jwt)).
pub const NEVER_DISCLOSABLE: [&str; 13] = [
    "@context",
    "type",
    "issuer",
    "validFrom",
    "validUntil",
    "credentialStatus",
    "credentialSchema",
    "relatedResource",
    "iss",
    "aud",
    "nbf",
    "exp",
    "cnf",
];

/// The same of a presentation. Its holder may be in a disclosure: without it `kid` says who signed.
pub const NEVER_DISCLOSABLE_IN_PRESENTATIONS: [&str; 7] = ["@context", "iss", "aud", "nonce", "nbf", "exp", "cnf"];

/// A credential secured as `vc+sd-jwt`.
pub type VcSdJwt = W3cCredential<SdJwtMessage>;

/// A `vp+sd-jwt` whose signature nobody has checked.
pub type UnverifiedPresentation = crate::vc_jose_cose::UnverifiedPresentation<SdJwtMessage>;

/// An SD-JWT as it came, its disclosures in their places.
pub struct SdJwtMessage {
    issuer_signed: UnverifiedJws,
    kept: Kept,
}

/// What a holder presents from, and what is bound.
pub struct Kept {
    sd_jwt: SdJwt,
    hash: HashAlgorithm,
}

/// What of a document is selectively disclosable.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selective<'a> {
    /// The claims.
    pub disclosable: &'a [ClaimPath],
    /// Digests without claims.
    pub decoys: Decoys,
    /// The hash of the digests.
    pub hash: HashAlgorithm,
}

/// The `vc+sd-jwt` of a credential document with all its disclosures, once signed by the key with the DID URL `key_id`.
///
/// `iat`, `exp`, `cnf` and other JWT claims may stand in the document.
///
/// # Errors
/// [`CredentialError::DataModel`], [`CredentialError::Claim`] and [`CredentialError::SdJwt`], the last one for what must not
/// be disclosable and for paths that do not fit: the caller's fault.
pub fn issue(
    document: &Map<String, Value>,
    selective: Selective<'_>,
    key_id: &str,
    algorithm: Algorithm,
    rng: &mut dyn CryptoRng,
) -> Result<SigningRequest<String>, CredentialError> {
    check_credential(document)?;
    Ok(selective.sign(document, Kind::Credential, key_id, algorithm, rng)?)
}

/// The `vp+sd-jwt` of a presentation document with all its disclosures, once signed by the key with the DID URL `key_id`:
/// for documents that come from elsewhere. The credentials in it are enveloped, and are not opened.
///
/// # Errors
/// As [`issue`], and [`PresentationError::Envelope`].
pub fn issue_presentation(
    document: &Map<String, Value>,
    selective: Selective<'_>,
    key_id: &str,
    algorithm: Algorithm,
    rng: &mut dyn CryptoRng,
) -> Result<SigningRequest<String>, PresentationError> {
    check_presentation(document)?;
    Ok(selective.sign(document, Kind::Presentation, key_id, algorithm, rng)?)
}

/// A choice of disclosures in an envelope, for a presentation that the credential's holder signs.
#[must_use]
pub fn envelope(chosen: Presentation) -> Value {
    envelope_of_credential(SdJwtMessage::ENVELOPE, &chosen.into_unbound())
}

/// The Issuer-signed JWT, without disclosures.
pub(crate) fn sign(payload: &[u8], kind: Kind, key_id: &str, algorithm: Algorithm) -> SigningRequest<String> {
    kind.sign_jwt(typ(kind), payload, key_id, algorithm)
}

const fn typ(kind: Kind) -> &'static str {
    match kind {
        Kind::Credential => CREDENTIAL_TYP,
        Kind::Presentation => PRESENTATION_TYP,
    }
}

const fn never_disclosable(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Credential => &NEVER_DISCLOSABLE,
        Kind::Presentation => &NEVER_DISCLOSABLE_IN_PRESENTATIONS,
    }
}

impl Selective<'_> {
    fn sign(
        self,
        document: &Map<String, Value>,
        kind: Kind,
        key_id: &str,
        algorithm: Algorithm,
        rng: &mut dyn CryptoRng,
    ) -> Result<SigningRequest<String>, SdJwtError> {
        let starts_with = |name: &str, path: &ClaimPath| match path.components().first() {
            Some(PathComponent::Key(key)) => key == name,
            _ => false,
        };
        let critical = never_disclosable(kind).iter();
        let mut critical = critical.filter(|name| self.disclosable.iter().any(|path| starts_with(name, path)));
        if let Some(name) = critical.next() {
            return Err(SdJwtError::CriticalClaim { name });
        }
        let claims = members_of(document);
        let Concealed { payload, disclosures } = conceal(claims, self.disclosable, self.hash, self.decoys, rng)?;
        let request = sign(&payload, kind, key_id, algorithm);
        Ok(request.map(move |jwt| SdJwt::of_parts(jwt, &disclosures)))
    }
}

impl Mechanism for SdJwtMessage {}

impl Message for SdJwtMessage {
    const FORMAT: CredentialFormat = CredentialFormat::VcSdJwt;
    const ENVELOPE: &'static str = "application/vc+sd-jwt";
    type Kept = Kept;

    fn read(text: &str, kind: Kind) -> Result<Read<Self>, MessageError> {
        let sd_jwt = SdJwt::parse(text)?;
        let issuer_signed = UnverifiedJws::parse(sd_jwt.jwt(), sd_jwt::MAX_BYTES)?;
        kind.check_header(issuer_signed.header(), typ(kind))?;
        let payload = Tree::parse_object(issuer_signed.unverified_payload(), kind.limits());
        let payload = payload.map_err(MessageError::Payload)?;
        let processed = sd_jwt::process(payload.root(), sd_jwt.disclosures(), never_disclosable(kind))?;
        let claims = processed.claims.root();
        let holder = claims.get("cnf").map(crate::sd_jwt_vc::read_confirmation).transpose()?;
        let document = claims.to_map();
        let not_an_object = || MessageError::Payload(json::JsonError::Shape { expected: "an object" });
        Ok(Read {
            document: document.ok_or_else(not_an_object)?,
            text: sd_jwt.without_key_binding().to_owned(),
            claims: None,
            holder,
            is_key_bound: sd_jwt.key_binding().is_some(),
            message: Self {
                issuer_signed,
                kept: Kept {
                    sd_jwt,
                    hash: processed.hash,
                },
            },
        })
    }

    fn key_id(&self) -> Option<&str> {
        self.issuer_signed.header().kid()
    }

    fn verify(self, key: &PublicKey) -> Result<Kept, MessageError> {
        // The document was read from these very bytes, and each disclosure has its digest among them.
        let _verified = self.issuer_signed.verify(key)?;
        Ok(self.kept)
    }
}

impl Authentic<VcSdJwt> {
    /// Checks that the holder of the key in `cnf`, and nobody else, presented this credential to us in this transaction.
    ///
    /// # Errors
    /// [`KeyBindingError`], the presenter's fault; after it the presentation is refused.
    pub fn verify_key_binding(&self, transaction: &Transaction<'_>) -> Result<HolderBinding, KeyBindingError> {
        let Kept { sd_jwt, hash } = &self.contents.kept;
        sd_jwt::verify_bound(sd_jwt, *hash, &self.facts, transaction)
    }
}

impl Held<VcSdJwt> {
    /// The path of every claim that can be shown or left out.
    ///
    /// # Errors
    /// [`SdJwtError`], which cannot occur for a credential that was authenticated.
    pub fn disclosable_paths(&self) -> Result<Vec<ClaimPath>, SdJwtError> {
        Ok(self.contents.kept.sd_jwt.disclosed()?.disclosable_paths())
    }

    /// Shows the claims at `paths` with everything below them, and no other disclosable claim.
    ///
    /// # Errors
    /// [`PresentError`] when a path selects nothing; nothing is disclosed then.
    pub fn present(&self, paths: &[ClaimPath]) -> Result<Presentation, PresentError> {
        let Kept { sd_jwt, hash } = &self.contents.kept;
        Presentation::choose(sd_jwt, *hash, self.facts.holder(), paths)
    }
}

#[cfg(test)]
mod tests;
