//! The `jwt` proof type: that the wallet has the keys the credentials will be bound to
//! ([OpenID4VCI 1.0, appendix F](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#proof-types)).
//!
//! A wallet signs what [`sign`] asks for. An issuer reads the proofs of a request with
//! [`UnverifiedProofs::parse`], resolves the DID URLs among their keys, and [`UnverifiedProofs::verify`]
//! gives [`VerifiedProofs`]: the only place where a [`HolderKey`] comes from.
//!
//! Not implemented, and refused: `x5c` and `trust_chain` headers. A `key_attestation` is ignored, as no
//! configuration of ours asks for one.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keys::Algorithm;
use keys::Jwk;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use keys::json::Json;
use keys::jws;
use keys::jws::JwsError;
use keys::jws::UnverifiedJws;
use serde_json::Map;
use serde_json::Value;
use thiserror::Error;

use super::configuration::CredentialConfiguration;
use super::nonce::NonceError;
use super::nonce::NonceKey;
use super::nonce::SpentNonce;
use crate::claims;
use crate::claims::ClaimError;
use crate::url::SecureUrl;

/// "explicitly types the key proof JWT".
pub const PROOF_TYP: &str = "openid4vci-proof+jwt";
/// A key, three claims and a signature are 600 bytes; a wallet's key attestation has a few kB.
pub const MAX_PROOF_BYTES: usize = 16 * 1_024;
/// As old as a nonce can get.
pub const MAX_PROOF_AGE_SECONDS: i64 = 5 * 60;
/// "on the order of seconds or minutes": clocks of phones.
pub const MAX_CLOCK_SKEW_SECONDS: i64 = 60;
/// DID URLs of did:jwk hold a whole key; those of did:webvh a long path.
const MAX_DID_URL_BYTES: usize = 2_048;

/// How a proof names its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofKey {
    /// The `jwk` header: the key itself.
    Jwk(PublicKey),
    /// The `kid` header: a DID URL that names a verification method, and the key behind it.
    DidUrl {
        /// The DID URL.
        url: String,
        /// Its key.
        key: PublicKey,
    },
}

/// A request for a wallet's proof. `client_id` only if the token was asked for with it; `nonce` if the
/// issuer has a Nonce Endpoint.
pub fn sign(
    key: &ProofKey,
    credential_issuer: &SecureUrl,
    nonce: Option<&str>,
    client_id: Option<&str>,
    now: Timestamp,
) -> SigningRequest<String> {
    let mut header = Map::new();
    header.insert("typ".to_owned(), PROOF_TYP.into());
    let algorithm = match key {
        ProofKey::Jwk(key) => {
            header.insert("jwk".to_owned(), key.to_jwk().to_value());
            key.algorithm()
        }
        ProofKey::DidUrl { url, key } => {
            header.insert("kid".to_owned(), url.as_str().into());
            key.algorithm()
        }
    };
    let mut payload = Map::new();
    payload.insert("aud".to_owned(), credential_issuer.as_str().into());
    payload.insert("iat".to_owned(), now.unix().into());
    for (name, value) in [("nonce", nonce), ("iss", client_id)] {
        if let Some(value) = value {
            payload.insert(name.to_owned(), value.into());
        }
    }
    jws::sign(header, Value::Object(payload).to_string().as_bytes(), algorithm)
}

/// What proofs must keep to.
#[derive(Clone, Debug)]
pub struct ProofRules<'a> {
    /// The audience.
    pub credential_issuer: &'a SecureUrl,
    /// The configuration asked for: its algorithms and binding methods.
    pub configuration: &'a CredentialConfiguration,
    /// The client of the access token.
    pub client_id: Option<&'a str>,
}

/// The proofs of one request, read but proving nothing yet.
#[derive(Clone, Debug)]
pub struct UnverifiedProofs(Vec<UnverifiedProof>);

#[derive(Clone, Debug)]
struct UnverifiedProof {
    jws: UnverifiedJws,
    named: NamedKey,
}

#[derive(Clone, Debug)]
enum NamedKey {
    Jwk(PublicKey),
    DidUrl(String),
}

/// Keys that the wallet has proven, and the nonces that this used up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct VerifiedProofs {
    /// In the order of the proofs, all different.
    pub keys: Vec<HolderKey>,
    /// To be stored, each only if absent, in the transaction that issues: otherwise two requests with one
    /// nonce could both succeed.
    pub spent_nonces: Vec<SpentNonce>,
}

/// A key that a wallet has proven to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderKey {
    key: PublicKey,
    did_url: Option<String>,
}

/// The wallet's fault, unless a variant says otherwise.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProofError {
    /// Signed with an algorithm that the issuer does not list.
    #[error("expected a proof signed with an algorithm of the issuer's metadata, found {found}")]
    Algorithm {
        /// The proof's.
        found: Algorithm,
    },
    /// Made for another issuer.
    #[error("expected a proof whose aud is this credential issuer")]
    Audience,
    /// A kind of key that this credential is not bound to.
    #[error("expected a key by one of the issuer's cryptographic_binding_methods_supported")]
    BindingMethod,
    /// A claim is absent or of another type.
    #[error("expected the claims of a key proof")]
    Claim(#[from] ClaimError),
    /// `iss` of another client, or of an anonymous one.
    #[error("expected iss to be the client_id of the access token, or absent if that is anonymous")]
    ClientId,
    /// Two proofs of one key: each key is bound to one credential at most.
    #[error("expected proofs of different keys")]
    DuplicateKey,
    /// Made at another time.
    #[error("expected a proof made in the last {MAX_PROOF_AGE_SECONDS} seconds")]
    IssuedAt,
    /// Not the JWT of a proof, of another `typ`, or not signed by the key that it names.
    #[error("expected a key proof as JWT, signed by the key that it names")]
    Jws(#[from] JwsError),
    /// Not exactly one of `jwk` and `kid`, or a key that is not read.
    #[error("expected exactly one of jwk and kid in the header, with a key or DID URL that we read")]
    Key,
    /// No nonce where the issuer has a Nonce Endpoint.
    #[error("expected a nonce from the nonce endpoint")]
    NonceMissing,
    /// A nonce that is not good.
    #[error("expected a fresh nonce of this issuer")]
    Nonce(#[from] NonceError),
    /// A private key where a public one belongs.
    #[error("expected a public key in the header, found a private one")]
    PrivateKey,
    /// The caller gave no key for a DID URL: it could not be resolved.
    #[error("expected a DID URL that resolves to an authentication key")]
    Unresolved,
}

impl UnverifiedProofs {
    /// Reads the JWTs of one request. How many there may be was checked with the request.
    ///
    /// # Errors
    /// [`ProofError`], the wallet's fault.
    pub fn parse(jwts: &[String], rules: &ProofRules<'_>) -> Result<Self, ProofError> {
        jwts.iter()
            .map(|jwt| parse_one(jwt, rules))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The DID URLs to resolve before [`Self::verify`].
    #[must_use]
    pub fn did_urls(&self) -> BTreeSet<&str> {
        let named = self.0.iter().map(|proof| &proof.named);
        named
            .filter_map(|named| match named {
                NamedKey::DidUrl(url) => Some(url.as_str()),
                NamedKey::Jwk(_) => None,
            })
            .collect()
    }

    /// The ids under which used nonces of these proofs would be stored; to be looked up before
    /// [`Self::verify`], in the transaction that issues. Nonces that are not good are left out here.
    #[must_use]
    pub fn nonce_ids(&self, nonce_key: &NonceKey, issuer: &SecureUrl, now: Timestamp) -> BTreeSet<String> {
        let payload =
            |proof: &UnverifiedProof| json::parse_object(proof.jws.unverified_payload(), json::DEFAULT_LIMITS).ok();
        let id = |payload: Map<String, Value>| {
            let nonce = claims::optional_string(&payload, "nonce").ok()??;
            Some(nonce_key.recognize(nonce, issuer, now).ok()?.id)
        };
        self.0.iter().filter_map(payload).filter_map(id).collect()
    }

    /// Verifies every proof.
    ///
    /// `resolved` has the keys behind [`Self::did_urls`], each listed under `authentication` in its DID
    /// document; `used` has those of [`Self::nonce_ids`] that are stored already.
    ///
    /// # Errors
    /// [`ProofError`]; if one proof is not good, none is.
    pub fn verify(
        self,
        rules: &ProofRules<'_>,
        resolved: &BTreeMap<String, PublicKey>,
        nonces: Option<&NonceKey>,
        used: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<VerifiedProofs, ProofError> {
        let mut keys: Vec<HolderKey> = Vec::new();
        let mut spent_nonces: Vec<SpentNonce> = Vec::new();
        for proof in self.0 {
            let key = proof.holder_key(resolved)?;
            if keys.iter().any(|one| one.key == key.key) {
                return Err(ProofError::DuplicateKey);
            }
            let claims = proof.jws.verify(&key.key)?.claims()?;
            check_claims(&claims, rules, now)?;
            if let Some(nonce_key) = nonces {
                let nonce = claims::optional_string(&claims, "nonce")?.ok_or(ProofError::NonceMissing)?;
                let spent = nonce_key.recognize(nonce, rules.credential_issuer, now)?;
                if used.contains(&spent.id) {
                    return Err(NonceError::Used.into());
                }
                // All proofs of one request may share its nonce.
                if !spent_nonces.contains(&spent) {
                    spent_nonces.push(spent);
                }
            }
            keys.push(key);
        }
        Ok(VerifiedProofs { keys, spent_nonces })
    }
}

impl UnverifiedProof {
    fn holder_key(&self, resolved: &BTreeMap<String, PublicKey>) -> Result<HolderKey, ProofError> {
        match &self.named {
            NamedKey::Jwk(key) => Ok(HolderKey {
                key: key.clone(),
                did_url: None,
            }),
            NamedKey::DidUrl(url) => {
                let key = resolved.get(url).cloned().ok_or(ProofError::Unresolved)?;
                Ok(HolderKey {
                    key,
                    did_url: Some(url.clone()),
                })
            }
        }
    }
}

impl HolderKey {
    /// The key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The DID that the wallet named the key by; `None` if it gave the key itself.
    #[must_use]
    pub fn did(&self) -> Option<&str> {
        self.did_url.as_deref().and_then(|url| url.split('#').next())
    }

    /// The DID URL that the wallet named the key by.
    #[must_use]
    pub fn did_url(&self) -> Option<&str> {
        self.did_url.as_deref()
    }
}

fn parse_one(jwt: &str, rules: &ProofRules<'_>) -> Result<UnverifiedProof, ProofError> {
    let jws = UnverifiedJws::parse(jwt, MAX_PROOF_BYTES)?;
    let header = jws.header();
    header.expect_typ(PROOF_TYP)?;
    let found = header.algorithm();
    if !rules.configuration.jwt_proof_algorithms().contains(&found) {
        return Err(ProofError::Algorithm { found });
    }
    if ["x5c", "trust_chain"].iter().any(|name| header.member(name).is_some()) {
        return Err(ProofError::Key);
    }
    let named = match (header.member("jwk"), header.kid()) {
        (Some(jwk), None) => NamedKey::Jwk(public_key(jwk)?),
        (None, Some(url)) => NamedKey::DidUrl(check_did_url(url)?.to_owned()),
        (Some(_), Some(_)) | (None, None) => return Err(ProofError::Key),
    };
    let methods = &rules.configuration.cryptographic_binding_methods_supported;
    let binds_to = |method: &str| methods.iter().any(|one| one == method);
    let is_bindable = match &named {
        // The methods name what the credential is bound to; a proof is a JWT, and the issuer makes a COSE_Key of its key.
        NamedKey::Jwk(_) => binds_to("jwk") || binds_to("cose_key"),
        NamedKey::DidUrl(url) => did_method(url).is_some_and(binds_to),
    };
    if !is_bindable {
        return Err(ProofError::BindingMethod);
    }
    Ok(UnverifiedProof { jws, named })
}

fn public_key(jwk: Json<'_>) -> Result<PublicKey, ProofError> {
    let jwk = Jwk::from_json(jwk).map_err(|error| match error {
        keys::jwk::JwkError::Private { .. } => ProofError::PrivateKey,
        _ => ProofError::Key,
    })?;
    if !jwk.is_for_signatures() {
        return Err(ProofError::Key);
    }
    PublicKey::from_jwk(&jwk).map_err(|_| ProofError::Key)
}

fn check_did_url(url: &str) -> Result<&str, ProofError> {
    let (did, fragment) = url.split_once('#').ok_or(ProofError::Key)?;
    let printable = url.bytes().all(|byte| byte.is_ascii_graphic());
    if url.len() > MAX_DID_URL_BYTES || !printable || fragment.is_empty() || did_method(did).is_none() {
        return Err(ProofError::Key);
    }
    Ok(url)
}

/// `did:key` of `did:key:z6Mk...#z6Mk...`.
fn did_method(url: &str) -> Option<&str> {
    let (method, _) = url.strip_prefix("did:")?.split_once(':')?;
    url.get(.."did:".len() + method.len()).filter(|_| !method.is_empty())
}

fn check_claims(claims: &Map<String, Value>, rules: &ProofRules<'_>, now: Timestamp) -> Result<(), ProofError> {
    if claims::required_string(claims, "aud")? != rules.credential_issuer.as_str() {
        return Err(ProofError::Audience);
    }
    // "This claim MUST be omitted if the access token [...] was obtained [...] through anonymous access".
    let issuer = claims::optional_string(claims, "iss")?;
    if issuer.is_some() && issuer != rules.client_id {
        return Err(ProofError::ClientId);
    }
    let age = now.seconds_since(claims::required_date(claims, "iat")?);
    if !(-MAX_CLOCK_SKEW_SECONDS..=MAX_PROOF_AGE_SECONDS).contains(&age) {
        return Err(ProofError::IssuedAt);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use keys::Signer as _;
    use serde_json::json;
    use signer::SoftwareKey;

    use super::*;
    use crate::vci::configuration::CredentialMetadata;
    use crate::vci::configuration::FormatProfile;

    /// One issuer with a nonce, and a wallet with a key.
    struct World {
        issuer: SecureUrl,
        configuration: CredentialConfiguration,
        nonces: NonceKey,
        nonce: String,
        wallet: SoftwareKey,
    }

    fn now() -> Timestamp {
        Timestamp::from_unix(1_795_402_800)
    }

    impl World {
        fn new() -> Self {
            let issuer = SecureUrl::parse_identifier("https://issuer.example/a").unwrap();
            let nonces = NonceKey::generate(&mut signer::os_rng());
            let nonce = nonces.issue(&issuer, 300, now(), &mut signer::os_rng()).c_nonce;
            let configuration = CredentialConfiguration::keyed(
                FormatProfile::SdJwtVc {
                    vct: "urn:pid".to_owned(),
                },
                None,
                vec![json!("ES256")],
                vec!["jwk".to_owned(), "did:key".to_owned()],
                &[Algorithm::Es256],
                CredentialMetadata::default(),
            )
            .unwrap();
            let wallet = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
            Self {
                issuer,
                configuration,
                nonces,
                nonce,
                wallet,
            }
        }

        fn rules(&self) -> ProofRules<'_> {
            ProofRules {
                credential_issuer: &self.issuer,
                configuration: &self.configuration,
                client_id: None,
            }
        }

        fn key(&self) -> ProofKey {
            ProofKey::Jwk(self.wallet.public_key().clone())
        }

        fn genuine(&self) -> String {
            self.wallet
                .fulfil(sign(&self.key(), &self.issuer, Some(&self.nonce), None, now()))
                .unwrap()
        }

        /// The genuine proof with another header or payload, signed again.
        fn changed(&self, change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>)) -> String {
            let jws = UnverifiedJws::parse(&self.genuine(), MAX_PROOF_BYTES).unwrap();
            let mut payload = json::parse_object(jws.unverified_payload(), json::DEFAULT_LIMITS).unwrap();
            let mut header = Map::new();
            header.insert("typ".to_owned(), PROOF_TYP.into());
            header.insert("jwk".to_owned(), self.wallet.public_key().to_jwk().to_value());
            change(&mut header, &mut payload);
            let payload = Value::Object(payload).to_string();
            self.wallet
                .fulfil(jws::sign(header, payload.as_bytes(), Algorithm::Es256))
                .unwrap()
        }

        fn verify(&self, jwts: &[String]) -> Result<VerifiedProofs, ProofError> {
            self.verify_at(jwts, &BTreeMap::new(), &BTreeSet::new(), now())
        }

        fn verify_at(
            &self,
            jwts: &[String],
            resolved: &BTreeMap<String, PublicKey>,
            used: &BTreeSet<String>,
            at: Timestamp,
        ) -> Result<VerifiedProofs, ProofError> {
            UnverifiedProofs::parse(jwts, &self.rules())?.verify(&self.rules(), resolved, Some(&self.nonces), used, at)
        }

        fn refused(&self, change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>)) -> ProofError {
            assert!(self.verify(&[self.changed(|_, _| ())]).is_ok());
            self.verify(&[self.changed(change)]).unwrap_err()
        }
    }

    #[test]
    fn a_genuine_proof_gives_the_key() {
        let world = World::new();
        let verified = world.verify(&[world.genuine()]).unwrap();
        assert_eq!(verified.keys[0].key(), world.wallet.public_key());
        assert_eq!(verified.keys[0].did(), None);
        assert_eq!(verified.spent_nonces.len(), 1);
    }

    #[test]
    fn a_did_url_is_resolved_by_the_caller() {
        let world = World::new();
        let key = world.wallet.public_key().clone();
        let url = format!("did:key:{0}#{0}", key.to_multikey());
        let proof_key = ProofKey::DidUrl {
            url: url.clone(),
            key: key.clone(),
        };
        let jwt = world
            .wallet
            .fulfil(sign(&proof_key, &world.issuer, Some(&world.nonce), None, now()))
            .unwrap();
        let proofs = UnverifiedProofs::parse(std::slice::from_ref(&jwt), &world.rules()).unwrap();
        assert_eq!(proofs.did_urls(), BTreeSet::from([url.as_str()]));
        let jwts = [jwt];
        assert_eq!(world.verify(&jwts), Err(ProofError::Unresolved));
        let resolved = BTreeMap::from([(url, key.clone())]);
        let verified = world.verify_at(&jwts, &resolved, &BTreeSet::new(), now()).unwrap();
        assert_eq!(
            verified.keys[0].did(),
            Some(format!("did:key:{}", key.to_multikey()).as_str())
        );
    }

    #[test]
    fn several_proofs_share_a_nonce() {
        let world = World::new();
        let mut other = World::new();
        other.wallet = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
        let second = other
            .wallet
            .fulfil(sign(&other.key(), &world.issuer, Some(&world.nonce), None, now()))
            .unwrap();
        let verified = world.verify(&[world.genuine(), second]).unwrap();
        assert_eq!((verified.keys.len(), verified.spent_nonces.len()), (2, 1));
    }

    #[test]
    fn duplicated_proofs_are_refused() {
        let world = World::new();
        let again = world
            .wallet
            .fulfil(sign(
                &world.key(),
                &world.issuer,
                Some(&world.nonce),
                None,
                now().plus(1),
            ))
            .unwrap();
        assert_eq!(world.verify(&[world.genuine(), again]), Err(ProofError::DuplicateKey));
    }

    #[test]
    fn a_reused_nonce_is_refused() {
        let world = World::new();
        let jwts = [world.genuine()];
        let proofs = UnverifiedProofs::parse(&jwts, &world.rules()).unwrap();
        let ids = proofs.nonce_ids(&world.nonces, &world.issuer, now());
        let first = world
            .verify_at(&jwts, &BTreeMap::new(), &BTreeSet::new(), now())
            .unwrap();
        assert_eq!(ids, first.spent_nonces.into_iter().map(|spent| spent.id).collect());
        let second = world.verify_at(&jwts, &BTreeMap::new(), &ids, now());
        assert_eq!(second, Err(ProofError::Nonce(NonceError::Used)));
    }

    #[test]
    fn a_wrong_or_missing_nonce_is_refused() {
        let world = World::new();
        let wrong =
            world.refused(|_, payload| drop(payload.insert("nonce".to_owned(), "LarRGSbmUPYtRYO6BQ4yn8".into())));
        assert_eq!(wrong, ProofError::Nonce(NonceError::Unknown));
        assert_eq!(
            world.refused(|_, payload| drop(payload.remove("nonce"))),
            ProofError::NonceMissing
        );
    }

    #[test]
    fn a_proof_for_another_audience_is_refused() {
        let world = World::new();
        let aud = |value: Value| world.refused(|_, payload| drop(payload.insert("aud".to_owned(), value)));
        assert_eq!(aud(json!("https://issuer.example/b")), ProofError::Audience);
        assert!(matches!(aud(json!(["https://issuer.example/a"])), ProofError::Claim(_)));
        assert!(matches!(
            world.refused(|_, payload| drop(payload.remove("aud"))),
            ProofError::Claim(_)
        ));
    }

    #[test]
    fn a_missing_or_other_typ_is_refused() {
        let world = World::new();
        for change in [None, Some("JWT"), Some("kb+jwt")] {
            let error = world.refused(|header, _| match change {
                None => drop(header.remove("typ")),
                Some(typ) => drop(header.insert("typ".to_owned(), typ.into())),
            });
            assert!(
                matches!(error, ProofError::Jws(JwsError::WrongType { .. })),
                "{change:?}"
            );
        }
    }

    #[test]
    fn a_private_key_in_the_header_is_refused() {
        let world = World::new();
        let error = world.refused(|header, _| header["jwk"]["d"] = json!("c2VjcmV0"));
        assert_eq!(error, ProofError::PrivateKey);
    }

    #[test]
    fn exactly_one_key_is_named() {
        let world = World::new();
        let kid = "did:key:z6MkvrFpBNCoYewiaeBLgjUDvLxUtnK5R6mqh5XPvLsrPsro#k";
        assert_eq!(
            world.refused(|header, _| drop(header.insert("kid".to_owned(), kid.into()))),
            ProofError::Key
        );
        assert_eq!(world.refused(|header, _| drop(header.remove("jwk"))), ProofError::Key);
        assert_eq!(
            world.refused(|header, _| drop(header.insert("x5c".to_owned(), json!(["MII"])))),
            ProofError::Key
        );
        for bad in ["0", "did:key:z6Mk", "did:key:z6Mk#", "https://a#b", "did::x#y"] {
            let error = world.refused(|header, _| {
                header.remove("jwk");
                header.insert("kid".to_owned(), bad.into());
            });
            assert_eq!(error, ProofError::Key, "{bad}");
        }
    }

    #[test]
    fn a_jwk_proves_a_key_that_becomes_a_cose_key() {
        let mut world = World::new();
        let genuine = [world.genuine()];
        for (methods, refused) in [
            (["jwk"], None),
            (["cose_key"], None),
            (["did:key"], Some(ProofError::BindingMethod)),
        ] {
            world.configuration.cryptographic_binding_methods_supported = methods.map(str::to_owned).to_vec();
            assert_eq!(world.verify(&genuine).err(), refused, "{methods:?}");
        }
    }

    #[test]
    fn another_signer_is_refused() {
        let world = World::new();
        let other = SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng());
        let jwk = other.public_key().to_jwk().to_value();
        let error = world.refused(|header, _| drop(header.insert("jwk".to_owned(), jwk)));
        assert!(matches!(error, ProofError::Jws(JwsError::Signature(_))));
    }

    #[test]
    fn algorithms_and_binding_methods_are_those_of_the_metadata() {
        let mut world = World::new();
        let ed25519 = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
        let key = ProofKey::Jwk(ed25519.public_key().clone());
        let jwt = ed25519
            .fulfil(sign(&key, &world.issuer, Some(&world.nonce), None, now()))
            .unwrap();
        assert_eq!(
            world.verify(&[jwt]),
            Err(ProofError::Algorithm {
                found: Algorithm::EdDsa
            })
        );
        let jwts = [world.genuine()];
        world.configuration.cryptographic_binding_methods_supported = vec!["did:key".to_owned()];
        assert_eq!(world.verify(&jwts), Err(ProofError::BindingMethod));
    }

    #[test]
    fn the_time_of_the_proof_is_now() {
        let world = World::new();
        let iat = |seconds: i64| {
            world.refused(|_, payload| drop(payload.insert("iat".to_owned(), now().plus(seconds).unix().into())))
        };
        assert_eq!(iat(MAX_CLOCK_SKEW_SECONDS + 1), ProofError::IssuedAt);
        assert_eq!(iat(-MAX_PROOF_AGE_SECONDS - 1), ProofError::IssuedAt);
        assert!(matches!(
            world.refused(|_, payload| drop(payload.remove("iat"))),
            ProofError::Claim(_)
        ));
        let edge = world.changed(|_, payload| {
            drop(payload.insert("iat".to_owned(), now().plus(MAX_CLOCK_SKEW_SECONDS).unix().into()));
        });
        assert!(world.verify(&[edge]).is_ok());
    }

    #[test]
    fn iss_is_the_client_of_the_token() {
        let world = World::new();
        let named = |payload: &mut Map<String, Value>| drop(payload.insert("iss".to_owned(), "wallet".into()));
        assert_eq!(world.refused(|_, payload| named(payload)), ProofError::ClientId);
        let jwts = [world.changed(|_, payload| named(payload))];
        let rules = ProofRules {
            client_id: Some("wallet"),
            ..world.rules()
        };
        let proofs = UnverifiedProofs::parse(&jwts, &rules).unwrap();
        assert!(
            proofs
                .verify(&rules, &BTreeMap::new(), Some(&world.nonces), &BTreeSet::new(), now())
                .is_ok()
        );
    }

    #[test]
    fn too_long_a_proof_is_refused() {
        let world = World::new();
        let error =
            world.refused(|_, payload| drop(payload.insert("x".to_owned(), "x".repeat(MAX_PROOF_BYTES).into())));
        assert!(matches!(error, ProofError::Jws(JwsError::TooLong { .. })));
    }
}
