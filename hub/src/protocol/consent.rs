//! Consent: a person allows a consumer to get certain fields about them for one purpose.
//!
//! The record has the fields that ISO/IEC TS 27560 asks of a consent record: who consented (a pseudonym),
//! to whom, for what purpose, which data, from when until when, and what proves it.

use did::Did;
use did::DidUrl;
use did::methods::jwk;
use did::methods::key;
use keys::PublicKey;
use keys::Timestamp;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

use super::commitment::OpenCommitment;
use super::field::FieldSet;
use super::grant::check_text;
use super::id::ApiId;
use super::id::ConsentId;
use super::statement::Statement;
use super::statement::StatementDigest;

/// What a person signs: the content of a consent statement. Its `exp` is the end of the consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentTerms {
    /// Who may get the data.
    pub consumer: Did,
    /// From whom.
    pub source: Did,
    /// By which API, in any version.
    pub api: ApiId,
    /// For what, in the words of the consumer's application.
    pub purpose: String,
    /// Which fields.
    pub fields: FieldSet,
    /// About whom: a commitment to the identifier that the source knows the person by.
    pub subject: OpenCommitment,
}

/// The content of a registration: a consumer hands in a consent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentRegistration {
    /// The consent statement, as the person signed it.
    pub consent: String,
}

/// The content of a withdrawal, signed by the person.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsentWithdrawal {
    /// Which consent.
    pub consent: ConsentId,
}

/// A consent that the hub knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Its identifier.
    pub id: ConsentId,
    /// What was consented to.
    pub terms: ConsentTerms,
    /// When the person signed.
    pub given_at: Timestamp,
    /// Until when.
    pub valid_until: Timestamp,
    /// What proves it.
    pub proof: ConsentProof,
    /// Whether it still holds.
    pub state: ConsentState,
}

/// What proves a consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "proof", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ConsentProof {
    /// A statement signed with a key of the person that the source knows.
    HolderKey {
        /// The person's `did:key` or `did:jwk`.
        holder: Did,
        /// The statement.
        statement: StatementDigest,
    },
}

/// Whether a consent holds. Expiry is computed from its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ConsentState {
    /// Until its end.
    Given,
    /// The person took it back.
    Withdrawn {
        /// When.
        withdrawn_at: Timestamp,
        /// By which statement.
        statement: StatementDigest,
    },
}

/// The sender's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConsentError {
    /// The consent names another consumer than the agency that hands it in.
    #[error("expected a consent given to the agency that registers it")]
    Consumer,
    /// It names fields that the API does not have.
    #[error("expected fields that the API offers")]
    Fields,
    /// The withdrawal is by another key.
    #[error("expected a withdrawal by the person who consented")]
    NotYours,
    /// The purpose is empty or too long.
    #[error("expected a purpose of 1 to 500 bytes")]
    Purpose,
    /// The consent names another source than that of the API.
    #[error("expected a consent that names the source of the API")]
    Source,
    /// The source does not know the key as the subject's.
    #[error("expected a consent signed with a key that the source knows as the subject's")]
    Subject,
    /// It was taken back before.
    #[error("expected a consent that holds, found it withdrawn")]
    Withdrawn,
}

/// The signer's DID is of another method: the sender's fault.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("expected a person's key as did:key or did:jwk")]
pub struct HolderKeyError;

/// The key of a person, which is in the DID itself.
///
/// # Errors
/// [`HolderKeyError`].
pub fn holder_key(key_id: &DidUrl) -> Result<PublicKey, HolderKeyError> {
    match key_id.did().method() {
        "key" => key::public_key_of_method(key_id).map_err(|_| HolderKeyError),
        "jwk" => {
            let document = jwk::resolve(key_id.did()).map_err(|_| HolderKeyError)?;
            document
                .key_for(key_id, did::Purpose::Authentication)
                .map_err(|_| HolderKeyError)
        }
        _ => Err(HolderKeyError),
    }
}

impl Consent {
    /// Takes a consent that `registrar` hands in. `source` and `offered` are those of the API that it names;
    /// `is_subjects_key` is the source's word that the signing key is the subject's.
    ///
    /// # Errors
    /// [`ConsentError`], the sender's fault.
    pub fn register(
        statement: Statement<ConsentTerms>,
        registrar: &Did,
        source: &Did,
        offered: &FieldSet,
        is_subjects_key: bool,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, ConsentError> {
        let terms = statement.content;
        if terms.consumer != *registrar {
            return Err(ConsentError::Consumer);
        }
        if terms.source != *source {
            return Err(ConsentError::Source);
        }
        check_text("purpose", &terms.purpose).map_err(|_| ConsentError::Purpose)?;
        if !terms.fields.is_within(offered) {
            return Err(ConsentError::Fields);
        }
        if !is_subjects_key {
            return Err(ConsentError::Subject);
        }
        Ok(Self {
            id: ConsentId::generate(rng),
            terms,
            given_at: statement.issued_at,
            valid_until: statement.expires_at,
            proof: ConsentProof::HolderKey {
                holder: statement.issuer,
                statement: statement.digest,
            },
            state: ConsentState::Given,
        })
    }

    /// Takes it back.
    ///
    /// # Errors
    /// [`ConsentError::NotYours`], [`ConsentError::Withdrawn`].
    pub fn withdraw(self, statement: Statement<ConsentWithdrawal>, now: Timestamp) -> Result<Self, ConsentError> {
        let ConsentProof::HolderKey { holder, .. } = &self.proof;
        if statement.issuer != *holder {
            return Err(ConsentError::NotYours);
        }
        match self.state {
            ConsentState::Given => Ok(Self {
                state: ConsentState::Withdrawn {
                    withdrawn_at: now,
                    statement: statement.digest,
                },
                ..self
            }),
            ConsentState::Withdrawn { .. } => Err(ConsentError::Withdrawn),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use keys::Algorithm;
    use keys::Signer as _;
    use signer::SoftwareKey;

    use super::super::publication::tests::NOW;
    use super::super::publication::tests::statement;
    use super::*;
    use crate::protocol::statement::StatementKind;

    const HOLDER: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

    fn did(text: &str) -> Did {
        Did::parse(text).unwrap()
    }

    pub(crate) fn terms() -> ConsentTerms {
        ConsentTerms {
            consumer: did("did:web:consumer.example"),
            source: did("did:web:source.example"),
            api: ApiId::parse("population").unwrap(),
            purpose: "To open an account".to_owned(),
            fields: FieldSet::parse_list("given_name,birthdate").unwrap(),
            subject: OpenCommitment::to_subject("X1", &mut signer::os_rng()),
        }
    }

    fn register(terms: ConsentTerms, is_subjects_key: bool) -> Result<Consent, ConsentError> {
        let offered = FieldSet::parse_list("given_name,family_name,birthdate").unwrap();
        Consent::register(
            statement(HOLDER, StatementKind::Consent, terms),
            &did("did:web:consumer.example"),
            &did("did:web:source.example"),
            &offered,
            is_subjects_key,
            &mut signer::os_rng(),
        )
    }

    /// A consent of X1 to given name and birthdate for a minute.
    pub(crate) fn consent() -> Consent {
        register(terms(), true).unwrap()
    }

    #[test]
    fn a_consent_is_taken_and_taken_back_once() {
        let consent = consent();
        assert_eq!(consent.valid_until, NOW.plus(60));
        let withdrawal = |by| {
            statement(
                by,
                StatementKind::ConsentWithdrawal,
                ConsentWithdrawal {
                    consent: consent.id.clone(),
                },
            )
        };
        let other = "did:key:z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH";
        assert_eq!(
            consent.clone().withdraw(withdrawal(other), NOW),
            Err(ConsentError::NotYours)
        );
        let withdrawn = consent.clone().withdraw(withdrawal(HOLDER), NOW).unwrap();
        assert_eq!(
            withdrawn.withdraw(withdrawal(HOLDER), NOW),
            Err(ConsentError::Withdrawn)
        );
    }

    #[test]
    fn each_rule_refuses() {
        let refused = |change: fn(&mut ConsentTerms)| {
            let mut terms = terms();
            change(&mut terms);
            register(terms, true).unwrap_err()
        };
        assert_eq!(
            refused(|it| it.consumer = did("did:web:other.example")),
            ConsentError::Consumer
        );
        assert_eq!(
            refused(|it| it.source = did("did:web:other.example")),
            ConsentError::Source
        );
        assert_eq!(refused(|it| it.purpose = String::new()), ConsentError::Purpose);
        assert_eq!(
            refused(|it| it.fields = FieldSet::parse_list("secret").unwrap()),
            ConsentError::Fields
        );
        assert_eq!(register(terms(), false), Err(ConsentError::Subject));
    }

    #[test]
    fn a_persons_key_is_in_the_did() {
        let software = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
        let public = software.public_key();
        let id = DidUrl::parse(&key::method_id(public)).unwrap();
        assert_eq!(holder_key(&id).as_ref(), Ok(public));
        let id = DidUrl::parse(&format!("{}#0", jwk::did(public))).unwrap();
        assert_eq!(holder_key(&id).as_ref(), Ok(public));
        for other in ["did:web:person.example#key-1", "did:key:zabc#zabc", "did:jwk:e30#0"] {
            assert_eq!(
                holder_key(&DidUrl::parse(other).unwrap()),
                Err(HolderKeyError),
                "{other}"
            );
        }
    }
}
