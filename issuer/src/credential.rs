//! Issuing: check the token and the proofs, read the register, take places in the status list, sign, save.
//!
//! Everything that must happen exactly once happens in one transaction: the nonce is spent, the token's count
//! goes down, the record is written. The answer leaves only after it is durable.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use ::credential::CredentialFormat;
use ::credential::data_integrity::Cryptosuite;
use ::credential::data_integrity::LdpVcError;
use ::credential::mdoc::NewMdoc;
use ::credential::mdoc::mso::DigestAlgorithm;
use ::credential::sd_jwt::Decoys;
use ::credential::sd_jwt::SdJwtError;
use ::credential::sd_jwt_vc;
use ::credential::status_list::BitstringPurpose;
use ::credential::status_list::StatusReference;
use ::credential::vc_jwt::VcJwtError;
use ::store::CommitError;
use ::store::StoreError;
use ::store::Transaction;
use did::DidUrl;
use did::Purpose;
use keys::PublicKey;
use keys::SignerError;
use keys::Timestamp;
use openid4vc::vci::configuration::FormatProfile;
use openid4vc::vci::credential::AuthorizedRequest;
use openid4vc::vci::credential::CredentialError;
use openid4vc::vci::credential::CredentialRequest;
use openid4vc::vci::credential::CredentialResponse;
use openid4vc::vci::credential::IssuedCredential as Delivered;
use openid4vc::vci::credential::authorize;
use openid4vc::vci::grant::AccessTokenRecord;
use openid4vc::vci::proof::HolderKey;
use openid4vc::vci::proof::UnverifiedProofs;
use openid4vc::vci::proof::VerifiedProofs;
use serde_json::Value;
use thiserror::Error;

use crate::Desk;
use crate::Issuer;
use crate::agency::CredentialType;
use crate::document::CRYPTOSUITE;
use crate::document::NewDocument;
use crate::document::ProofMaker;
use crate::mapping::MappedClaims;
use crate::mapping::RowError;
use crate::offer::configuration_id;
use crate::records::CredentialStatus;
use crate::records::IssuedCredential;
use crate::records::Place;
use crate::register::RegisterError;
use crate::status;
use crate::status::StatusError;
use crate::store::Load as _;
use crate::store::RecordError;
use crate::store::expire;
use crate::store::fresh_id;
use crate::store::save;
use crate::store::subject_key;
use crate::store::token_key;

/// `iat` in whole hours and `exp` in whole days would hide even more; a minute hides the order of issuance
/// within it.
const TIME_GRAIN_SECONDS: i64 = 60;
/// Digests are filled up to a multiple of this, so that a missing middle name does not show.
const DECOYS: Decoys = Decoys::FillToMultipleOf(NonZeroUsize::MIN.saturating_add(3));

/// Nothing was issued.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum IssueError {
    /// Readers would refuse what is signed now. The operator's fault: an issuing authority makes another certificate.
    #[error("expected a document signer's certificate that is valid at {now}, found one from {from} until {until}")]
    DocumentSigner {
        /// The time.
        now: Timestamp,
        /// The beginning of its validity.
        from: Timestamp,
        /// The end of its validity.
        until: Timestamp,
    },
    /// The type has no status list with free places. An error, so that the attempt leaves no trace: its nonce
    /// is still good for the next one.
    #[error("the status list is full")]
    NoPlace,
    /// The credential cannot be made from the claims.
    #[error("the credential cannot be made")]
    LdpVc(#[from] LdpVcError),
    /// The wallet's fault; it gets the protocol's code.
    #[error("the request is refused")]
    Refused(#[from] CredentialError),
    /// The register's row gives no credential (any more).
    #[error("the register's row gives no credential")]
    Row(#[from] RowError),
    /// The register failed.
    #[error("the register cannot be read")]
    Register(#[from] RegisterError),
    /// The proof names no DID: our own metadata ask for one, so this is our fault.
    #[error("expected a holder with a DID, found a key alone")]
    NoDid,
    /// The credential cannot be made from the claims.
    #[error("the credential cannot be made")]
    SdJwt(#[from] SdJwtError),
    /// The key did not sign.
    #[error("the credential was not signed")]
    Signer(#[from] SignerError),
    /// No place in a status list.
    #[error("the credential has no status")]
    Status(#[from] StatusError),
    /// The store failed.
    #[error("the credential was not recorded")]
    Store(#[from] RecordError),
    /// The credential cannot be made from the claims.
    #[error("the credential cannot be made")]
    VcJwt(#[from] VcJwtError),
}

impl From<CommitError> for IssueError {
    fn from(error: CommitError) -> Self {
        Self::Store(error.into())
    }
}

impl From<StoreError> for IssueError {
    fn from(error: StoreError) -> Self {
        Self::Store(error.into())
    }
}

/// Everything of a request that is the same for each attempt.
struct Work<'a> {
    desk: &'a Desk,
    credential_type: &'a CredentialType,
    format: CredentialFormat,
    /// Of `ldp_vc`.
    suite: Cryptosuite,
    token_key: &'a str,
    after: &'a AccessTokenRecord,
    mapped: &'a MappedClaims,
    subject: &'a str,
    now: Timestamp,
}

/// Answers a credential request.
pub(crate) async fn issue(
    issuer: &Issuer,
    desk: &Desk,
    token: &str,
    request: &CredentialRequest,
) -> Result<CredentialResponse, IssueError> {
    let now = issuer.0.clock.now();
    let token_key = token_key(desk.agency.id(), token);
    let token_record = issuer
        .0
        .records
        .snapshot()
        .await?
        .load::<AccessTokenRecord>(&token_key)
        .await?;
    let token_record = token_record.ok_or(CredentialError::TokenUnknown)?;
    let (_, authorized) = authorize(&token_record, request, &desk.metadata, now)?;
    let what = what(desk, &authorized).ok_or(CredentialError::UnknownConfiguration)?;
    let (credential_type, ..) = what;
    let row = credential_type
        .register
        .subject(&authorized.subject)
        .await?
        .ok_or(CredentialError::Denied)?;
    let mapped = credential_type.mapping.apply(&row, now)?;
    // A second round only after a fresh list was started; two in a row are a fault.
    for _ in 0..2 {
        match attempt(issuer, desk, &token_key, request, what, &mapped, now).await {
            Err(IssueError::NoPlace) => status::start_list(issuer, desk, &credential_type.name).await?,
            done => return done,
        }
    }
    Err(IssueError::NoPlace)
}

async fn attempt(
    issuer: &Issuer,
    desk: &Desk,
    token_key: &str,
    request: &CredentialRequest,
    (credential_type, format, suite): What<'_>,
    mapped: &MappedClaims,
    now: Timestamp,
) -> Result<CredentialResponse, IssueError> {
    issuer
        .0
        .records
        .store()
        .transact(|tx| async move {
            // Read again within the transaction: another request may have used the token up meanwhile.
            let token = tx
                .load::<AccessTokenRecord>(token_key)
                .await?
                .ok_or(CredentialError::TokenUnknown)?;
            let (after, authorized) = authorize(&token, request, &desk.metadata, now)?;
            let proofs = verify_proofs(issuer, desk, &tx, &authorized, now).await?;
            for nonce in &proofs.spent_nonces {
                let key = format!("nonce/{}", nonce.id);
                tx.put(&key, Vec::new())?;
                expire(&tx, &key, nonce.expires_at)?;
            }
            let subject = &authorized.subject;
            let work = Work {
                desk,
                credential_type,
                format,
                suite,
                token_key,
                after: &after,
                mapped,
                subject,
                now,
            };
            work.finish(&tx, &proofs.keys).await
        })
        .await
}

async fn verify_proofs(
    issuer: &Issuer,
    desk: &Desk,
    tx: &Transaction,
    authorized: &AuthorizedRequest<'_>,
    now: Timestamp,
) -> Result<VerifiedProofs, IssueError> {
    let rules = authorized.proof_rules(&desk.identifier);
    let unverified = UnverifiedProofs::parse(&authorized.jwt_proofs, &rules).map_err(CredentialError::from)?;
    let nonce_key = &issuer.0.nonce_key;
    let mut used = BTreeSet::new();
    for id in unverified.nonce_ids(nonce_key, &desk.identifier, now) {
        if tx.get(format!("nonce/{id}")).await?.is_some() {
            used.insert(id);
        }
    }
    let resolved = resolve(unverified.did_urls());
    Ok(unverified
        .verify(&rules, &resolved, Some(nonce_key), &used, now)
        .map_err(CredentialError::from)?)
}

/// Keys of DIDs that carry them in themselves; a holder's DID of another method is not resolved, so that no
/// stranger can make this service fetch.
fn resolve(urls: BTreeSet<&str>) -> BTreeMap<String, PublicKey> {
    let key = |url: &str| {
        let id = DidUrl::parse(url).ok()?;
        let document = match id.did().method() {
            "key" => did::methods::key::resolve(id.did()).ok()?,
            "jwk" => did::methods::jwk::resolve(id.did()).ok()?,
            _ => return None,
        };
        document.key_for(&id, Purpose::Authentication).ok()
    };
    urls.into_iter()
        .filter_map(|url| key(url).map(|key| (url.to_owned(), key)))
        .collect()
}

/// What to issue: a type in a format, and of `ldp_vc` with which suite.
type What<'a> = (&'a CredentialType, CredentialFormat, Cryptosuite);

fn what<'a>(desk: &'a Desk, authorized: &AuthorizedRequest<'_>) -> Option<What<'a>> {
    let format = match authorized.configuration.profile {
        FormatProfile::SdJwtVc { .. } => CredentialFormat::DcSdJwt,
        FormatProfile::JwtVcJson { .. } => CredentialFormat::JwtVcJson,
        FormatProfile::LdpVc { .. } => CredentialFormat::LdpVc,
        FormatProfile::MsoMdoc { .. } => CredentialFormat::MsoMdoc,
        _ => return None,
    };
    // As we publish it, and so the one that the wallet chose.
    let suite = match (
        format,
        authorized
            .configuration
            .credential_signing_alg_values_supported
            .as_slice(),
    ) {
        (CredentialFormat::LdpVc, [suite]) => Cryptosuite::from_name(suite.as_str()?)?,
        (CredentialFormat::LdpVc, _) => return None,
        _ => CRYPTOSUITE,
    };
    let name =
        authorized
            .credential_configuration_id
            .strip_suffix(&configuration_id("", format, Some(suite.as_str())))?;
    Some((desk.agency.types().get(name)?, format, suite))
}

impl Work<'_> {
    async fn finish(&self, tx: &Transaction, holders: &[HolderKey]) -> Result<CredentialResponse, IssueError> {
        let mut rng = signer::os_rng();
        let ids: Vec<String> = holders.iter().map(|_| fresh_id(&mut rng)).collect();
        let places = if self.credential_type.mapping.has_status() {
            match status::take_places(tx, self.desk, &self.credential_type.name, &ids, &mut rng).await? {
                Some(places) => places.into_iter().map(Some).collect(),
                None => return Err(IssueError::NoPlace),
            }
        } else {
            vec![None; ids.len()]
        };
        let mut credentials = Vec::new();
        for ((id, holder), place) in ids.into_iter().zip(holders).zip(places) {
            let credential = self.sign(holder, place.as_ref())?;
            self.record(tx, id, place)?;
            credentials.push(Delivered { credential });
        }
        save(tx, self.token_key, self.after)?;
        Ok(CredentialResponse::Issued {
            credentials,
            notification_id: None,
        })
    }

    fn sign(&self, holder: &HolderKey, place: Option<&Place>) -> Result<Value, IssueError> {
        match self.format {
            CredentialFormat::DcSdJwt => Ok(Value::from(self.sign_sd_jwt_vc(holder, place)?)),
            CredentialFormat::JwtVcJson | CredentialFormat::LdpVc => self.sign_w3c(holder, place),
            // OpenID4VCI has no identifier for these.
            CredentialFormat::VcCose | CredentialFormat::VcSdJwt => Err(CredentialError::UnknownConfiguration.into()),
            CredentialFormat::MsoMdoc => Ok(Value::from(self.sign_mdoc(holder, place)?)),
        }
    }

    /// `IssuerSigned` in base64url
    /// ([OpenID4VCI 1.0, appendix A.2](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#mdocs)).
    fn sign_mdoc(&self, holder: &HolderKey, place: Option<&Place>) -> Result<String, IssueError> {
        let agency = &self.desk.agency;
        let mapping = &self.credential_type.mapping;
        let (Some(doc_type), Some(certificate)) = (mapping.doctype(), agency.document_signer()) else {
            return Err(CredentialError::UnknownConfiguration.into());
        };
        let (now, from, until) = (grain(self.now), certificate.valid_from(), certificate.valid_until());
        if now < from || until <= now {
            return Err(IssueError::DocumentSigner { now, from, until });
        }
        let status = place.map(|place| StatusReference::token_status_list(place.uri.clone(), place.index));
        let mdoc = NewMdoc {
            key_id: agency.key_id(),
            certificates: &[certificate.der().to_vec()],
            doc_type,
            digest_algorithm: DigestAlgorithm::Sha256,
            device_key: holder.key(),
            signed: now,
            valid_from: now,
            // Nobody could check it after its certificate's end.
            valid_until: self.mapped.expires_at.min(until),
            status: status.as_ref(),
            namespaces: &mapping.elements(self.mapped)?,
        };
        let algorithm = agency.signer().public_key().algorithm();
        let request = mdoc.issue(algorithm, &mut signer::os_rng());
        Ok(keys::signing::fulfil(agency.signer(), request)?)
    }

    fn sign_w3c(&self, holder: &HolderKey, place: Option<&Place>) -> Result<Value, IssueError> {
        let agency = &self.desk.agency;
        let w3c = self.credential_type.w3c.as_ref();
        let w3c = w3c.ok_or(CredentialError::UnknownConfiguration)?;
        let status: Vec<StatusReference> = place.map(status_entries).into_iter().flatten().collect();
        let document = NewDocument {
            issuer: agency.did(),
            issuer_name: agency.name(),
            holder: holder.did().ok_or(IssueError::NoDid)?,
            valid_from: grain(self.now),
            valid_until: self.mapped.expires_at,
            status: &status,
            claims: &self.mapped.claims,
        };
        if self.format == CredentialFormat::LdpVc {
            let signer = agency.proof_signer(self.suite);
            let (method, signer) = signer.ok_or(CredentialError::UnknownConfiguration)?;
            let maker = ProofMaker {
                cryptosuite: self.suite,
                key: signer.public_key(),
                method,
            };
            let request = w3c.sign_data_integrity(&document, maker, &mut signer::os_rng())?;
            return Ok(Value::Object(keys::signing::fulfil(signer, request)?));
        }
        let algorithm = agency.signer().public_key().algorithm();
        let request = w3c.sign_jwt(&document, agency.key_id(), algorithm)?;
        Ok(Value::from(keys::signing::fulfil(agency.signer(), request)?))
    }

    fn sign_sd_jwt_vc(&self, holder: &HolderKey, place: Option<&Place>) -> Result<String, IssueError> {
        let agency = &self.desk.agency;
        let status = place.map(|place| StatusReference::token_status_list(place.uri.clone(), place.index));
        let jwk = holder.key().to_jwk();
        let credential = sd_jwt_vc::NewCredential {
            issuer: agency.did(),
            key_id: agency.key_id(),
            vct: &self.credential_type.vct,
            type_integrity: Some(&self.credential_type.integrity),
            other_types: &[],
            holder: Some(&jwk),
            issued_at: grain(self.now),
            valid_from: None,
            valid_until: Some(self.mapped.expires_at),
            status: status.as_ref(),
            claims: &self.mapped.claims,
            disclosable: self.credential_type.mapping.disclosable(),
            decoys: DECOYS,
        };
        let algorithm = agency.signer().public_key().algorithm();
        let request = credential.issue(algorithm, &mut signer::os_rng())?;
        Ok(keys::signing::fulfil(agency.signer(), request)?)
    }

    fn record(&self, tx: &Transaction, id: String, place: Option<Place>) -> Result<(), RecordError> {
        let agency = self.desk.agency.id();
        let record = IssuedCredential {
            agency: agency.to_owned(),
            credential_type: self.credential_type.name.clone(),
            subject: self.subject.to_owned(),
            format: self.format.as_str().to_owned(),
            issued_at: self.now,
            valid_until: self.mapped.expires_at,
            status: place.map_or(CredentialStatus::Unlisted, |place| CredentialStatus::Valid { place }),
            id,
        };
        save(tx, &format!("credential/{agency}/{}", record.id), &record)?;
        tx.put(
            format!("subject/{agency}/{}/{}", subject_key(self.subject), record.id),
            Vec::new(),
        )?;
        Ok(())
    }
}

/// One entry for each view of the list, at the same place.
fn status_entries(place: &Place) -> [StatusReference; 2] {
    BitstringPurpose::ALL.map(|purpose| {
        StatusReference::bitstring(status::bitstring_uri(&place.uri, purpose), place.index, purpose.into())
    })
}

/// Rounds down, so that nothing is issued in the future.
const fn grain(time: Timestamp) -> Timestamp {
    Timestamp::from_unix(time.unix() - time.unix().rem_euclid(TIME_GRAIN_SECONDS))
}
