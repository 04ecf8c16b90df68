//! Whose key it is, and whether its owner may issue this: both from the trust bundle alone.

use credential::Facts;
use did::DidUrl;
use did::Purpose;
use keys::PublicKey;
use keys::Timestamp;
use openid4vc::CredentialFormat;
use trust::TrustedBundle;
use trust::entry::Action;
use trust::entry::Backdating;
use trust::entry::OnStale;
use trust::entry::Schema;
use trust::state::AccreditationStatus;

use crate::Reason;
use crate::Warning;
use crate::bundles::Bundles;
use crate::bundles::Recognised;

const SECONDS_PER_YEAR: u64 = 31_557_600;

/// What the registry says about an issuer and the types of one credential.
pub(crate) struct Authority {
    pub(crate) types: Vec<String>,
    pub(crate) accreditation: String,
    /// The registry that recognises the one which accredited, where that one is not pinned.
    pub(crate) recognised_by: Option<String>,
    pub(crate) max_staleness: i64,
    pub(crate) on_stale: OnStale,
    pub(crate) hazard: Option<u64>,
    pub(crate) status_required: bool,
    pub(crate) warnings: Vec<Warning>,
}

impl Authority {
    /// Expected revocations per million credentials in `age` seconds, at the logged yearly rate. Linear, and so
    /// a little above the exact `1 - exp(-rate * time)`: it never understates.
    pub(crate) fn risk(&self, age: i64) -> Option<u64> {
        let age = u64::try_from(age).unwrap_or(0);
        self.hazard
            .map(|hazard| (hazard.saturating_mul(age) / SECONDS_PER_YEAR).min(1_000_000))
    }
}

/// The key of a DID URL for one purpose, from the first bundle that has its DID.
pub(crate) fn key<'b>(
    bundles: &Bundles<'b>,
    did: &str,
    method: &str,
    purpose: Purpose,
) -> Result<(&'b TrustedBundle, PublicKey), Reason> {
    let id = DidUrl::parse(method).map_err(|_| Reason::Form {
        expected: "a DID URL as key id",
    })?;
    let known = bundles
        .of_issuers()
        .find_map(|bundle| bundle.key_for(did, &id, purpose).map(|key| (bundle, key)));
    let (bundle, key) = known.ok_or_else(|| bundles.unknown(did))?;
    let key = key.map_err(|_| Reason::KeyUnknown {
        method: method.to_owned(),
    })?;
    Ok((bundle, key))
}

/// The key with which a holder presents: that of a DID that carries its key in itself, or of one that a bundle has.
pub(crate) fn holder_key(bundles: &Bundles<'_>, holder: &str, method: &str) -> Result<PublicKey, Reason> {
    let id = DidUrl::parse(method).map_err(|_| Reason::HolderKeyUnknown)?;
    let document = match id.did().method() {
        "key" => did::methods::key::resolve(id.did()).ok(),
        "jwk" => did::methods::jwk::resolve(id.did()).ok(),
        _ => bundles.iter().find_map(|bundle| bundle.document(holder)),
    };
    let document = document.filter(|document| document.id().as_str() == holder);
    let key = document.and_then(|document| document.key_for(&id, Purpose::Authentication).ok());
    key.ok_or(Reason::HolderKeyUnknown)
}

/// The issuer's authority for every type that the credential asserts.
pub(crate) fn of(
    bundle: &TrustedBundle,
    recognised: Option<Recognised<'_>>,
    facts: &Facts,
    now: Timestamp,
) -> Result<Authority, Reason> {
    let mut warnings = check_incident(bundle, facts)?;
    let mut authority: Option<Authority> = None;
    for type_name in facts.types() {
        if is_base_type(facts, type_name) {
            continue;
        }
        let (id, schema) = schema(bundle, facts, type_name).ok_or_else(|| Reason::TypeUnknown {
            type_name: type_name.clone(),
        })?;
        let mut found = of_schema(bundle, facts, id, now, &mut warnings)?;
        found.status_required = schema.status_required;
        if let Some(recognised) = recognised {
            let local = recognised.local(bundle.anchor().origin(), id)?;
            found.status_required |= recognised.demands_status(local);
        }
        authority = Some(stricter(authority, found));
    }
    let mut authority = authority.ok_or(Reason::Form {
        expected: "a credential with a type",
    })?;
    authority.types = facts.types().to_vec();
    authority.warnings = warnings;
    authority.recognised_by = recognised.map(|recognised| recognised.by().to_owned());
    Ok(authority)
}

/// `VerifiableCredential` says nothing about what is asserted.
fn is_base_type(facts: &Facts, type_name: &str) -> bool {
    facts.format().as_str() != CredentialFormat::SdJwtVc.as_str() && type_name == "VerifiableCredential"
}

fn schema<'b>(bundle: &'b TrustedBundle, facts: &Facts, type_name: &str) -> Option<(&'b str, &'b Schema)> {
    match facts.format() {
        credential::CredentialFormat::DcSdJwt => bundle.schema_of_vct(type_name),
        credential::CredentialFormat::MsoMdoc => bundle.schema_of_doctype(type_name),
        credential::CredentialFormat::JwtVcJson
        | credential::CredentialFormat::LdpVc
        | credential::CredentialFormat::VcCose
        | credential::CredentialFormat::VcSdJwt => bundle.schema_of_w3c_type(type_name),
    }
}

fn of_schema(
    bundle: &TrustedBundle,
    facts: &Facts,
    schema_id: &str,
    now: Timestamp,
    warnings: &mut Vec<Warning>,
) -> Result<Authority, Reason> {
    let issuer = facts.issuer();
    let none = || Reason::NotAccredited {
        issuer: issuer.to_owned(),
        schema: schema_id.to_owned(),
    };
    let accreditation = bundle
        .accreditation(issuer, Action::Issue, schema_id, now)
        .ok_or_else(none)?;
    let grant = accreditation.record.grant();
    match accreditation.status {
        AccreditationStatus::Active => {}
        AccreditationStatus::Revoked { since, .. } if counts_before(grant.backdating, facts, since) => {
            warnings.push(Warning::IssuedBeforeRevocation { since });
        }
        AccreditationStatus::NotYetValid
        | AccreditationStatus::Expired
        | AccreditationStatus::Suspended { .. }
        | AccreditationStatus::Revoked { .. } => {
            return Err(Reason::AccreditationNotActive {
                issuer: issuer.to_owned(),
                status: accreditation.status,
            });
        }
    }
    Ok(Authority {
        types: Vec::new(),
        accreditation: accreditation.record.id().to_owned(),
        recognised_by: None,
        max_staleness: i64::try_from(grant.max_staleness).unwrap_or(i64::MAX),
        on_stale: grant.on_stale,
        hazard: grant.hazard,
        status_required: false,
        warnings: Vec::new(),
    })
}

/// Of several types the strictest terms count.
fn stricter(before: Option<Authority>, found: Authority) -> Authority {
    let Some(before) = before else { return found };
    Authority {
        max_staleness: before.max_staleness.min(found.max_staleness),
        on_stale: before.on_stale.min(found.on_stale),
        hazard: before.hazard.max(found.hazard),
        status_required: before.status_required || found.status_required,
        ..before
    }
}

/// A key that was reported lost signs nothing any more; what it signed before counts only if the report says
/// so, since whoever has the key writes any `iat`.
fn check_incident(bundle: &TrustedBundle, facts: &Facts) -> Result<Vec<Warning>, Reason> {
    let method = facts
        .key_id()
        .and_then(|id| absolute(facts.issuer(), id))
        .ok_or(Reason::Form {
            expected: "a DID URL as key id",
        })?;
    match bundle.incident_on(&method) {
        None => Ok(Vec::new()),
        Some(incident) if counts_before(incident.backdating, facts, incident.invalid_since) => {
            Ok(vec![Warning::IssuedBeforeRevocation {
                since: incident.invalid_since,
            }])
        }
        Some(incident) => Err(Reason::KeyCompromised {
            method: method.to_string(),
            since: incident.invalid_since,
        }),
    }
}

fn counts_before(backdating: Backdating, facts: &Facts, since: Timestamp) -> bool {
    backdating == Backdating::AcceptBefore && facts.issued_at().is_some_and(|issued| issued < since)
}

/// `kid` may be a bare fragment of the issuer's DID.
fn absolute(issuer: &str, key_id: &str) -> Option<DidUrl> {
    if key_id.starts_with("did:") {
        return DidUrl::parse(key_id).ok();
    }
    DidUrl::parse(&format!("{issuer}#{}", key_id.trim_start_matches('#'))).ok()
}
