//! Access: a consumer agency applies, the deciding agency approves or refuses, either ends it.
//!
//! The states and who moves between them:
//!
//! ```text
//! Applied --decider--> Approved --source, decider or consumer--> Revoked
//!    |                    |
//!    +--decider--> Refused+--time--> Expired (computed, nobody writes it)
//! ```

use did::Did;
use keys::Timestamp;
use rand_core::CryptoRng;
use serde::Deserialize;
use serde::Serialize;
use thiserror::Error;

use super::field::Field;
use super::field::FieldSet;
use super::id::ApiId;
use super::id::ApiVersion;
use super::id::GrantId;
use super::publication::ConsentRule;
use super::publication::Publication;
use super::statement::Statement;
use super::statement::StatementDigest;

/// An approval is looked at again after two years.
pub const MAX_GRANT_SECONDS: i64 = 2 * 366 * 24 * 3_600;

/// A purpose, a reference or a reason is a sentence or two.
pub const MAX_TEXT_BYTES: usize = 500;

/// What a consumer applies for: the content of an application statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// The API.
    pub api: ApiId,
    /// Its version.
    pub version: ApiVersion,
    /// What the data are for, in words that a person understands: consents must have the same.
    pub purpose: String,
    /// Why the consumer may process them.
    pub legal_basis: LegalBasis,
    /// Which fields.
    pub fields: FieldSet,
    /// Until when.
    pub valid_until: Timestamp,
}

/// Why processing is lawful ([GDPR, article 6(1)](https://eur-lex.europa.eu/eli/reg/2016/679/oj)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "basis", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LegalBasis {
    /// Each person consents; calls need it.
    Consent,
    /// For a contract with the person.
    Contract,
    /// A law demands it.
    LegalObligation {
        /// Which.
        reference: String,
    },
    /// An official task given by law.
    PublicTask {
        /// Which law.
        reference: String,
    },
    /// Life and limb.
    VitalInterest,
}

/// The content of a decision statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The application.
    pub grant: GrantId,
    /// What was decided.
    pub verdict: Verdict,
}

/// Approved or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Verdict {
    /// Approved, perhaps for less than was applied for.
    Approve {
        /// Which fields.
        fields: FieldSet,
        /// Until when.
        valid_until: Timestamp,
    },
    /// Refused.
    Refuse {
        /// Why.
        reason: String,
    },
}

/// The content of a revocation statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The grant.
    pub grant: GrantId,
    /// Why.
    pub reason: String,
}

/// An application and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Its identifier, from the application on.
    pub id: GrantId,
    /// Who applied.
    pub consumer: Did,
    /// Whose API it is.
    pub source: Did,
    /// Who decides.
    pub decided_by: Did,
    /// What was applied for.
    pub application: Application,
    /// Whether each call needs consent.
    pub needs_consent: bool,
    /// When.
    pub applied_at: Timestamp,
    /// The consumer's statement.
    pub statement: StatementDigest,
    /// What became of it.
    pub state: GrantState,
}

/// What became of an application. Expiry is not among the states: see [`Grant::standing`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum GrantState {
    /// Nobody has decided.
    Applied,
    /// Calls may be made.
    Approved(Approval),
    /// The deciding agency said no.
    Refused {
        /// When.
        refused_at: Timestamp,
        /// Why.
        reason: String,
        /// The statement.
        statement: StatementDigest,
    },
    /// It was approved and then ended.
    Revoked {
        /// What had been approved.
        approval: Approval,
        /// When it ended.
        revoked_at: Timestamp,
        /// Who ended it.
        revoked_by: Did,
        /// Why.
        reason: String,
        /// The statement.
        revocation: StatementDigest,
    },
}

/// What was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// When.
    pub approved_at: Timestamp,
    /// Which fields.
    pub fields: FieldSet,
    /// Until when.
    pub valid_until: Timestamp,
    /// The statement.
    pub statement: StatementDigest,
}

/// How a grant stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Not decided.
    Applied,
    /// Calls may be made.
    Approved,
    /// Its time is over.
    Expired,
    /// Refused.
    Refused,
    /// Ended.
    Revoked,
}

/// The sender's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessError {
    /// Fields that the API does not offer, or that were not applied for.
    #[error("expected fields that are offered, found others: {beyond}")]
    Fields {
        /// Which.
        beyond: String,
    },
    /// The statement is by an agency that has no say in this.
    #[error("expected a statement by {expected}")]
    NotYours {
        /// Who has a say.
        expected: &'static str,
    },
    /// The legal basis is consent, and the API does not say where a call names its subject.
    #[error("expected another legal basis than consent: this API names no subject")]
    NoSubject,
    /// The grant is in another state.
    #[error("expected a grant that is {expected}, found it {found}")]
    State {
        /// The state that it must have.
        expected: &'static str,
        /// The state that it has.
        found: &'static str,
    },
    /// A text is empty or too long.
    #[error("expected `{member}` with 1 to {MAX_TEXT_BYTES} bytes of text")]
    Text {
        /// Which.
        member: &'static str,
    },
    /// The end is over already, later than was applied for, or too far away.
    #[error("expected `valid_until` in the future and not later than {latest}")]
    ValidUntil {
        /// The latest end.
        latest: Timestamp,
    },
}

impl Grant {
    /// Takes an application for a published API.
    ///
    /// # Errors
    /// [`AccessError`], the consumer's fault.
    pub fn apply(
        statement: Statement<Application>,
        publication: &Publication,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, AccessError> {
        let application = statement.content;
        check_text("purpose", &application.purpose)?;
        match &application.legal_basis {
            LegalBasis::LegalObligation { reference } | LegalBasis::PublicTask { reference } => {
                check_text("reference", reference)?;
            }
            LegalBasis::Consent | LegalBasis::Contract | LegalBasis::VitalInterest => {}
        }
        check_fields(&application.fields, &publication.fields)?;
        check_end(application.valid_until, now.plus(MAX_GRANT_SECONDS), now)?;
        let needs_consent =
            publication.consent == ConsentRule::Required || application.legal_basis == LegalBasis::Consent;
        if needs_consent && publication.subject.is_none() {
            return Err(AccessError::NoSubject);
        }
        Ok(Self {
            id: GrantId::generate(rng),
            consumer: statement.issuer,
            source: publication.source.clone(),
            decided_by: publication.decided_by.clone(),
            application,
            needs_consent,
            applied_at: now,
            statement: statement.digest,
            state: GrantState::Applied,
        })
    }

    /// Approves or refuses.
    ///
    /// # Errors
    /// [`AccessError`], the deciding agency's fault.
    pub fn decide(self, statement: Statement<Decision>, now: Timestamp) -> Result<Self, AccessError> {
        if statement.issuer != self.decided_by {
            return Err(AccessError::NotYours {
                expected: "the agency that decides",
            });
        }
        match self.state {
            GrantState::Applied => {}
            GrantState::Approved(_) | GrantState::Refused { .. } | GrantState::Revoked { .. } => {
                return Err(self.wrong_state("applied"));
            }
        }
        let state = match statement.content.verdict {
            Verdict::Approve { fields, valid_until } => {
                check_fields(&fields, &self.application.fields)?;
                check_end(valid_until, self.application.valid_until, now)?;
                GrantState::Approved(Approval {
                    approved_at: now,
                    fields,
                    valid_until,
                    statement: statement.digest,
                })
            }
            Verdict::Refuse { reason } => {
                check_text("reason", &reason)?;
                GrantState::Refused {
                    refused_at: now,
                    reason,
                    statement: statement.digest,
                }
            }
        };
        Ok(Self { state, ..self })
    }

    /// Ends the grant.
    ///
    /// # Errors
    /// [`AccessError`], the sender's fault.
    pub fn revoke(self, statement: Statement<Revocation>, now: Timestamp) -> Result<Self, AccessError> {
        if ![&self.source, &self.decided_by, &self.consumer].contains(&&statement.issuer) {
            return Err(AccessError::NotYours {
                expected: "the source, the deciding agency or the consumer",
            });
        }
        check_text("reason", &statement.content.reason)?;
        let GrantState::Approved(approval) = self.state else {
            return Err(self.wrong_state("approved"));
        };
        let state = GrantState::Revoked {
            approval,
            revoked_at: now,
            revoked_by: statement.issuer,
            reason: statement.content.reason,
            revocation: statement.digest,
        };
        Ok(Self { state, ..self })
    }

    /// How it stands now.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        match &self.state {
            GrantState::Applied => Standing::Applied,
            GrantState::Approved(approval) if approval.valid_until <= now => Standing::Expired,
            GrantState::Approved(_) => Standing::Approved,
            GrantState::Refused { .. } => Standing::Refused,
            GrantState::Revoked { .. } => Standing::Revoked,
        }
    }

    /// What is approved now, if anything is.
    ///
    /// # Errors
    /// How it stands instead.
    pub fn approval(&self, now: Timestamp) -> Result<&Approval, Standing> {
        match &self.state {
            GrantState::Approved(approval) if approval.valid_until > now => Ok(approval),
            GrantState::Applied | GrantState::Approved(_) | GrantState::Refused { .. } | GrantState::Revoked { .. } => {
                Err(self.standing(now))
            }
        }
    }

    /// The agencies that it concerns.
    #[must_use]
    pub fn parties(&self) -> Vec<&Did> {
        let mut parties = vec![&self.consumer, &self.source, &self.decided_by];
        parties.sort_unstable_by_key(|did| did.as_str());
        parties.dedup();
        parties
    }

    const fn wrong_state(&self, expected: &'static str) -> AccessError {
        let found = match self.state {
            GrantState::Applied => "applied",
            GrantState::Approved(_) => "approved",
            GrantState::Refused { .. } => "refused",
            GrantState::Revoked { .. } => "revoked",
        };
        AccessError::State { expected, found }
    }
}

/// A text for people: not empty, not too long.
pub(crate) fn check_text(member: &'static str, text: &str) -> Result<(), AccessError> {
    if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES {
        return Err(AccessError::Text { member });
    }
    Ok(())
}

fn check_fields(wanted: &FieldSet, offered: &FieldSet) -> Result<(), AccessError> {
    let beyond = wanted.beyond(offered);
    if beyond.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = beyond.iter().map(Field::as_str).collect();
    Err(AccessError::Fields {
        beyond: names.join(", "),
    })
}

fn check_end(end: Timestamp, latest: Timestamp, now: Timestamp) -> Result<(), AccessError> {
    if end <= now || end > latest {
        return Err(AccessError::ValidUntil { latest });
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::publication::tests::NOW;
    use super::super::publication::tests::publication;
    use super::super::publication::tests::statement;
    use super::*;
    use crate::protocol::statement::StatementKind;

    const SOURCE: &str = "did:web:source.example";
    const CONSUMER: &str = "did:web:consumer.example";

    fn fields(list: &str) -> FieldSet {
        FieldSet::parse_list(list).unwrap()
    }

    fn application() -> Application {
        Application {
            api: ApiId::parse("population").unwrap(),
            version: ApiVersion::parse("v1").unwrap(),
            purpose: "To open an account".to_owned(),
            legal_basis: LegalBasis::Consent,
            fields: fields("given_name,family_name"),
            valid_until: NOW.plus(86_400),
        }
    }

    fn apply(application: Application) -> Result<Grant, AccessError> {
        let statement = statement(CONSUMER, StatementKind::Application, application);
        Grant::apply(statement, &publication(), NOW, &mut signer::os_rng())
    }

    fn decide(grant: Grant, by: &str, verdict: Verdict) -> Result<Grant, AccessError> {
        let decision = Decision {
            grant: grant.id.clone(),
            verdict,
        };
        grant.decide(statement(by, StatementKind::Decision, decision), NOW)
    }

    fn approval(list: &str, seconds: i64) -> Verdict {
        Verdict::Approve {
            fields: fields(list),
            valid_until: NOW.plus(seconds),
        }
    }

    fn revoke(grant: Grant, by: &str) -> Result<Grant, AccessError> {
        let revocation = Revocation {
            grant: grant.id.clone(),
            reason: "The project ended".to_owned(),
        };
        grant.revoke(statement(by, StatementKind::Revocation, revocation), NOW.plus(10))
    }

    /// A grant of given name and family name for a day.
    pub(crate) fn approved() -> Grant {
        decide(
            apply(application()).unwrap(),
            SOURCE,
            approval("given_name,family_name", 86_400),
        )
        .unwrap()
    }

    #[test]
    fn from_application_to_revocation() {
        let grant = apply(application()).unwrap();
        assert_eq!(grant.standing(NOW), Standing::Applied);
        assert!(grant.needs_consent);
        let grant = decide(grant, SOURCE, approval("given_name", 3_600)).unwrap();
        assert_eq!(grant.standing(NOW), Standing::Approved);
        assert_eq!(grant.approval(NOW).unwrap().fields, fields("given_name"));
        assert_eq!(grant.standing(NOW.plus(3_600)), Standing::Expired);
        assert_eq!(grant.approval(NOW.plus(3_600)), Err(Standing::Expired));
        let grant = revoke(grant, SOURCE).unwrap();
        assert_eq!(grant.approval(NOW), Err(Standing::Revoked));
        assert!(revoke(grant, SOURCE).is_err());
    }

    #[test]
    fn a_refusal_is_final() {
        let refusal = Verdict::Refuse {
            reason: "No legal basis".to_owned(),
        };
        let grant = decide(apply(application()).unwrap(), SOURCE, refusal).unwrap();
        assert_eq!(grant.standing(NOW), Standing::Refused);
        let again = decide(grant.clone(), SOURCE, approval("given_name", 60));
        assert_eq!(
            again,
            Err(AccessError::State {
                expected: "applied",
                found: "refused"
            })
        );
        assert_eq!(
            revoke(grant, SOURCE),
            Err(AccessError::State {
                expected: "approved",
                found: "refused"
            })
        );
    }

    #[test]
    fn only_the_deciding_agency_decides() {
        for other in [CONSUMER, "did:web:other.example"] {
            let decided = decide(apply(application()).unwrap(), other, approval("given_name", 60));
            assert!(matches!(decided, Err(AccessError::NotYours { .. })), "{other}");
        }
    }

    #[test]
    fn source_and_consumer_end_a_grant_and_others_do_not() {
        assert!(revoke(approved(), SOURCE).is_ok());
        assert!(revoke(approved(), CONSUMER).is_ok());
        assert!(matches!(
            revoke(approved(), "did:web:other.example"),
            Err(AccessError::NotYours { .. })
        ));
    }

    #[test]
    fn an_approval_never_exceeds_the_application() {
        let decided = |verdict| decide(apply(application()).unwrap(), SOURCE, verdict);
        assert!(matches!(
            decided(approval("given_name,birthdate", 60)),
            Err(AccessError::Fields { .. })
        ));
        assert!(matches!(
            decided(approval("given_name", 86_401)),
            Err(AccessError::ValidUntil { .. })
        ));
        assert!(matches!(
            decided(approval("given_name", 0)),
            Err(AccessError::ValidUntil { .. })
        ));
    }

    #[test]
    fn each_rule_of_an_application_refuses() {
        let refused = |change: fn(&mut Application)| {
            let mut application = application();
            change(&mut application);
            apply(application).unwrap_err()
        };
        assert_eq!(
            refused(|it| it.purpose = " ".to_owned()),
            AccessError::Text { member: "purpose" }
        );
        assert_eq!(
            refused(|it| it.legal_basis = LegalBasis::PublicTask {
                reference: String::new()
            }),
            AccessError::Text { member: "reference" }
        );
        assert_eq!(
            refused(|it| it.fields = fields("given_name,secret")),
            AccessError::Fields {
                beyond: "secret".to_owned()
            }
        );
        assert!(matches!(
            refused(|it| it.valid_until = NOW),
            AccessError::ValidUntil { .. }
        ));
        assert!(matches!(
            refused(|it| it.valid_until = NOW.plus(MAX_GRANT_SECONDS + 1)),
            AccessError::ValidUntil { .. }
        ));
    }

    #[test]
    fn consent_as_the_basis_needs_a_subject() {
        let mut publication = publication();
        publication.consent = ConsentRule::ByLegalBasis;
        publication.subject = None;
        let apply = |legal_basis| {
            let application = Application {
                legal_basis,
                ..application()
            };
            let statement = statement(CONSUMER, StatementKind::Application, application);
            Grant::apply(statement, &publication, NOW, &mut signer::os_rng())
        };
        assert_eq!(apply(LegalBasis::Consent), Err(AccessError::NoSubject));
        assert!(!apply(LegalBasis::Contract).unwrap().needs_consent);
    }

    #[test]
    fn the_stored_form_is_read_back() {
        for grant in [
            apply(application()).unwrap(),
            approved(),
            revoke(approved(), SOURCE).unwrap(),
        ] {
            let stored = serde_json::to_string(&grant).unwrap();
            assert_eq!(serde_json::from_str::<Grant>(&stored).unwrap(), grant);
        }
    }
}
