//! One presented credential, from its bytes to its claims.

mod mdoc;
mod sd_jwt_vc;
mod w3c;

use credential::Authentic;
use credential::HolderBinding;
use credential::Transaction;
use credential::evidence::AuthorityFact;
use credential::evidence::Credential;
use credential::evidence::Freshness;
use credential::evidence::ReleaseEvidence;
use credential::evidence::Staleness;
use credential::status_list::StatusReading;
use credential::vc::SchemaEvaluator;
use keys::Timestamp;
use openid4vc::CredentialFormat;
use openid4vc::dcql::CredentialQuery;
use serde_json::Value;
use trust::TrustedBundle;
use trust::entry::OnStale;

use crate::Authority;
use crate::Delivered;
use crate::MAX_CLOCK_SKEW;
use crate::Reason;
use crate::StatusReport;
use crate::TrustAnchors;
use crate::VerifiedCredential;
use crate::Warning;
use crate::authority;
use crate::bundles::Bundles;
use crate::status;

/// Everything that is the same for each credential of an answer.
pub(crate) struct Judge<'a> {
    pub(crate) bundles: Bundles<'a>,
    pub(crate) trust_anchors: &'a TrustAnchors,
    pub(crate) schemas: &'a dyn SchemaEvaluator,
    pub(crate) transaction: Transaction<'a>,
    pub(crate) delivered: Delivered<'a>,
    pub(crate) now: Timestamp,
}

/// A credential that holds, with what should be known besides.
pub(crate) type Judged = (VerifiedCredential, Vec<Warning>);

impl Judge<'_> {
    /// Verifies one presentation in the format that was asked for; the format is never guessed.
    pub(crate) fn judge(&self, asked: &CredentialQuery, presentation: &Value) -> Result<Vec<Judged>, Reason> {
        match &asked.format {
            CredentialFormat::SdJwtVc => Ok(vec![self.sd_jwt_vc(asked, presentation)?]),
            CredentialFormat::JwtVcJson => self.jwt_vc_json(asked, presentation),
            CredentialFormat::LdpVc => self.ldp_vc(asked, presentation),
            CredentialFormat::MsoMdoc => Ok(vec![self.mso_mdoc(asked, presentation)?]),
            other @ CredentialFormat::Other(_) => Err(Reason::Format { found: other.clone() }),
        }
    }

    /// Authority, status and freshness are the same for every format.
    fn finish<T: Credential>(
        &self,
        asked: &CredentialQuery,
        authentic: Authentic<T>,
        types: Vec<String>,
        holder_binding: HolderBinding,
        bundle: &TrustedBundle,
    ) -> Result<Judged, Reason> {
        let facts = authentic.facts();
        if facts
            .issued_at()
            .or_else(|| facts.valid_from())
            .is_some_and(|issued| issued > bundle.as_of())
        {
            return Err(Reason::NewerThanBundle { bundle: bundle.as_of() });
        }
        if self.now >= bundle.snapshot().hard_expiry {
            return Err(Reason::BundleExpired {
                expired: bundle.snapshot().hard_expiry,
            });
        }
        let authority = authority::of(bundle, self.bundles.recognition(bundle), facts, self.now)?;
        let readings = status::read(bundle, facts, authority.status_required)?;
        let oldest = readings
            .iter()
            .map(StatusReading::as_of)
            .chain([bundle.as_of()])
            .min()
            .unwrap_or(bundle.as_of());
        let mut warnings = authority.warnings.clone();
        let staleness = self.staleness(&authority, oldest, &mut warnings)?;
        let reports = readings.iter().map(|reading| StatusReport {
            uri: reading.reference().uri().to_owned(),
            index: reading.reference().index(),
            committed: reading.as_of(),
        });
        let reports = reports.collect();
        let holder_binding_proven = holder_binding.is_proven();
        let evidence = ReleaseEvidence {
            authority: AuthorityFact {
                issuer: facts.issuer().to_owned(),
                types: authority.types,
            },
            status: readings,
            freshness: Freshness {
                now: self.now,
                as_of: bundle.as_of(),
                staleness,
            },
            holder_binding,
        };
        let (facts, claims) = authentic.release(&evidence)?.into_parts();
        let credential = VerifiedCredential {
            query_id: asked.id.clone(),
            format: asked.format.clone(),
            types,
            facts,
            claims,
            authority: Authority::Registry {
                accreditation: authority.accreditation,
                recognised_by: authority.recognised_by,
                as_of: bundle.as_of(),
            },
            status: reports,
            holder_binding_proven,
        };
        Ok((credential, warnings))
    }

    /// An issuer outside of the registries: the verifier's choice is its authority, and is as new as the verdict. Nobody
    /// committed to its status lists, so a credential with a status is never valid here.
    fn finish_chosen<T: Credential>(
        &self,
        asked: &CredentialQuery,
        authentic: Authentic<T>,
        holder_binding: HolderBinding,
        anchor: &str,
    ) -> Result<Judged, Reason> {
        let facts = authentic.facts();
        let allowed = self.trust_anchors.types(anchor);
        if let Some(type_name) = facts.types().iter().find(|name| !allowed.contains(name)) {
            return Err(Reason::TypeNotChosen {
                anchor: anchor.to_owned(),
                type_name: type_name.clone(),
            });
        }
        if let Some(name) = facts.unknown_status().first() {
            return Err(Reason::StatusUnknownMechanism { name: name.clone() });
        }
        if let Some(reference) = facts.status().first() {
            return Err(Reason::StatusNotCovered {
                uri: reference.uri().to_owned(),
            });
        }
        let holder_binding_proven = holder_binding.is_proven();
        let evidence = ReleaseEvidence {
            authority: AuthorityFact {
                issuer: facts.issuer().to_owned(),
                types: allowed.to_vec(),
            },
            status: Vec::new(),
            freshness: Freshness {
                now: self.now,
                as_of: self.now,
                staleness: Staleness::RefuseAfter(0),
            },
            holder_binding,
        };
        let types = facts.types().to_vec();
        let (facts, claims) = authentic.release(&evidence)?.into_parts();
        let credential = VerifiedCredential {
            query_id: asked.id.clone(),
            format: asked.format.clone(),
            types,
            facts,
            claims,
            authority: Authority::TrustAnchor {
                name: anchor.to_owned(),
            },
            status: Vec::new(),
            holder_binding_proven,
        };
        Ok((credential, Vec::new()))
    }

    /// What the type's logged policy says about knowledge of this age.
    fn staleness(
        &self,
        authority: &authority::Authority,
        oldest: Timestamp,
        warnings: &mut Vec<Warning>,
    ) -> Result<Staleness, Reason> {
        // A status list is committed a moment before the Snapshot that covers it; clocks differ as well.
        let age = self.now.seconds_since(oldest).max(0);
        let limit = authority.max_staleness;
        if age <= limit {
            return Ok(Staleness::RefuseAfter(limit.max(MAX_CLOCK_SKEW)));
        }
        match authority.on_stale {
            OnStale::Refuse => Err(Reason::Stale {
                age,
                limit,
                as_of: oldest,
            }),
            OnStale::Warn => {
                warnings.push(Warning::Stale { age, limit });
                Ok(Staleness::AcceptAnyAge)
            }
            OnStale::AcceptWithRisk => {
                warnings.push(Warning::Risk {
                    age,
                    revocations_per_million: authority.risk(age),
                });
                Ok(Staleness::AcceptAnyAge)
            }
        }
    }
}

fn text(presentation: &Value) -> Result<&str, Reason> {
    presentation.as_str().ok_or(Reason::Form {
        expected: "the presentation as a string",
    })
}
