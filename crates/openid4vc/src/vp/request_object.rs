//! Signed request objects (JAR, [RFC 9101](https://www.rfc-editor.org/rfc/rfc9101)) under the prefix
//! `decentralized_identifier`
//! ([OpenID4VP 1.0, sections 5 and 5.9.3](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#client_identifier_prefixes)).

use keys::Algorithm;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use keys::json;
use keys::jws;
use keys::jws::UnverifiedJws;
use serde_json::Map;
use serde_json::Value;

use super::client_id::ClientId;
use super::request::AuthorizationRequest;
use super::request::MAX_REQUEST_BYTES;
use super::request::ReceivedRequest;
use super::request::RequestError;
use crate::claims;

/// "Wallets MUST NOT process Request Objects where the `typ` Header Parameter is not present or does not
/// have the value".
pub const REQUEST_OBJECT_TYP: &str = "oauth-authz-req+jwt";
/// The media type of a request object in HTTP.
pub const REQUEST_OBJECT_MEDIA_TYPE: &str = "application/oauth-authz-req+jwt";
/// The `aud` for a wallet that the verifier does not know.
pub const ANY_WALLET: &str = "https://self-issued.me/v2";
/// Clocks of phones.
const MAX_CLOCK_SKEW_SECONDS: i64 = 60;

/// A request for the signed form of `request`, valid from `now` to `expires_at`. `did_url` names the
/// signing key in the client's DID document.
///
/// # Errors
/// [`RequestError::RedirectUriSigned`] or [`RequestError::SignerMismatch`], the caller's fault.
pub fn sign(
    request: &AuthorizationRequest,
    did_url: &str,
    algorithm: Algorithm,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<SigningRequest<String>, RequestError> {
    check_signer(&request.client_id, did_url)?;
    let mut header = Map::new();
    header.insert("typ".to_owned(), REQUEST_OBJECT_TYP.into());
    header.insert("kid".to_owned(), did_url.into());
    let mut payload = request.to_parameters();
    payload.insert("aud".to_owned(), ANY_WALLET.into());
    payload.insert("iat".to_owned(), now.unix().into());
    payload.insert("exp".to_owned(), expires_at.unix().into());
    Ok(jws::sign(
        header,
        Value::Object(payload).to_string().as_bytes(),
        algorithm,
    ))
}

/// A request object as it arrived. Nothing in it means anything yet but where its key is.
#[derive(Clone, Debug)]
pub struct UnverifiedRequestObject {
    jws: UnverifiedJws,
    did_url: String,
}

impl UnverifiedRequestObject {
    /// Reads a request object. `client_id` is the one of the URI that led to it; `None` where there was no
    /// URI, as with a request in a file.
    ///
    /// # Errors
    /// [`RequestError`], the verifier's fault.
    pub fn parse(jwt: &str, client_id: Option<&ClientId>) -> Result<Self, RequestError> {
        let jws = UnverifiedJws::parse(jwt.trim_ascii(), MAX_REQUEST_BYTES)?;
        jws.header().expect_typ(REQUEST_OBJECT_TYP)?;
        let payload = json::parse_object(jws.unverified_payload(), json::DEFAULT_LIMITS)?;
        let claimed = ClientId::parse(claims::required_string(&payload, "client_id")?)?;
        if client_id.is_some_and(|expected| *expected != claimed) {
            return Err(RequestError::ClientIdMismatch);
        }
        let did_url = jws.header().kid().ok_or(RequestError::SignerMismatch)?.to_owned();
        check_signer(&claimed, &did_url)?;
        Ok(Self { jws, did_url })
    }

    /// The DID URL whose key must verify the signature: a `verificationMethod` of the client's DID document.
    #[must_use]
    pub fn did_url(&self) -> &str {
        &self.did_url
    }

    /// Verifies the signature and reads the request. `wallet_nonce` is the one sent in the POST for it.
    ///
    /// # Errors
    /// [`RequestError`], the verifier's fault.
    pub fn verify(
        self,
        key: &PublicKey,
        wallet_nonce: Option<&str>,
        now: Timestamp,
    ) -> Result<ReceivedRequest, RequestError> {
        let payload = self.jws.verify(key)?.claims()?;
        check_audience(payload.get("aud"))?;
        let issued_at = claims::optional_date(&payload, "iat")?;
        let expires_at = claims::optional_date(&payload, "exp")?;
        let not_before = claims::optional_date(&payload, "nbf")?;
        let too_early = |from: Timestamp| from > now.plus(MAX_CLOCK_SKEW_SECONDS);
        if expires_at.is_some_and(|end| now >= end.plus(MAX_CLOCK_SKEW_SECONDS))
            || issued_at.is_some_and(too_early)
            || not_before.is_some_and(too_early)
        {
            return Err(RequestError::Expired);
        }
        let request = AuthorizationRequest::from_parameters(&payload)?;
        if wallet_nonce.is_some() && request.wallet_nonce.as_deref() != wallet_nonce {
            return Err(RequestError::WalletNonce);
        }
        Ok(ReceivedRequest {
            request,
            signed_by: Some(self.did_url),
            issued_at,
            expires_at,
        })
    }
}

/// The key that signs must be one of the client's DID.
fn check_signer(client_id: &ClientId, did_url: &str) -> Result<(), RequestError> {
    let did = client_id.did().ok_or(RequestError::RedirectUriSigned)?;
    match did_url.split_once('#') {
        Some((signer, fragment)) if signer == did && !fragment.is_empty() => Ok(()),
        Some(_) | None => Err(RequestError::SignerMismatch),
    }
}

/// A request object without `aud` is taken, as the text's own examples have none; one for another wallet
/// is not.
fn check_audience(audience: Option<&Value>) -> Result<(), RequestError> {
    let fits = match audience {
        None => true,
        Some(Value::Array(audiences)) => audiences.iter().any(|one| one == ANY_WALLET),
        Some(audience) => audience == ANY_WALLET,
    };
    if fits { Ok(()) } else { Err(RequestError::Audience) }
}

#[cfg(test)]
mod tests {
    use keys::Signer as _;
    use keys::jws::JwsError;
    use serde_json::json;
    use signer::SoftwareKey;

    use super::super::request::tests::parameters;
    use super::*;

    struct World {
        key: SoftwareKey,
        did: String,
    }

    fn now() -> Timestamp {
        Timestamp::from_unix(1_795_402_800)
    }

    impl World {
        fn new() -> Self {
            let key = SoftwareKey::generate(Algorithm::EdDsa, &mut signer::os_rng());
            let did = format!("did:key:{}", key.public_key().to_multikey());
            Self { key, did }
        }

        fn did_url(&self) -> String {
            format!("{}#{}", self.did, self.key.public_key().to_multikey())
        }

        fn request(&self) -> AuthorizationRequest {
            let mut parameters = parameters();
            parameters.insert(
                "client_id".to_owned(),
                json!(format!("decentralized_identifier:{}", self.did)),
            );
            AuthorizationRequest::from_parameters(&parameters).unwrap()
        }

        fn genuine(&self) -> String {
            let signing = sign(
                &self.request(),
                &self.did_url(),
                Algorithm::EdDsa,
                now(),
                now().plus(300),
            )
            .unwrap();
            self.key.fulfil(signing).unwrap()
        }

        /// The genuine request object with another header or payload, signed again.
        fn changed(&self, change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>)) -> String {
            let jws = UnverifiedJws::parse(&self.genuine(), MAX_REQUEST_BYTES).unwrap();
            let mut payload = json::parse_object(jws.unverified_payload(), json::DEFAULT_LIMITS).unwrap();
            let mut header = Map::new();
            header.insert("typ".to_owned(), REQUEST_OBJECT_TYP.into());
            header.insert("kid".to_owned(), self.did_url().into());
            change(&mut header, &mut payload);
            let payload = Value::Object(payload).to_string();
            self.key
                .fulfil(jws::sign(header, payload.as_bytes(), Algorithm::EdDsa))
                .unwrap()
        }

        fn receive(&self, jwt: &str) -> Result<ReceivedRequest, RequestError> {
            let client_id = ClientId::for_did(&self.did).unwrap();
            let object = UnverifiedRequestObject::parse(jwt, Some(&client_id))?;
            object.verify(self.key.public_key(), None, now())
        }

        fn refused(&self, change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>)) -> RequestError {
            assert!(self.receive(&self.changed(|_, _| ())).is_ok());
            self.receive(&self.changed(change)).unwrap_err()
        }
    }

    #[test]
    fn a_genuine_request_object_is_taken() {
        let world = World::new();
        let received = world.receive(&world.genuine()).unwrap();
        assert_eq!(received.request(), &world.request());
        assert_eq!(received.signed_by(), Some(world.did_url().as_str()));
        assert_eq!(
            (received.issued_at(), received.expires_at()),
            (Some(now()), Some(now().plus(300)))
        );
    }

    #[test]
    fn a_missing_or_other_typ_is_refused() {
        let world = World::new();
        for change in [None, Some("JWT")] {
            let error = world.refused(|header, _| match change {
                None => drop(header.remove("typ")),
                Some(typ) => drop(header.insert("typ".to_owned(), typ.into())),
            });
            assert!(matches!(error, RequestError::Jws(JwsError::WrongType { .. })));
        }
    }

    #[test]
    fn a_signed_request_of_the_prefix_redirect_uri_is_refused() {
        let world = World::new();
        let client_id = "redirect_uri:https://client.example.org/post";
        let jwt = world.changed(|_, payload| drop(payload.insert("client_id".to_owned(), client_id.into())));
        let refused = UnverifiedRequestObject::parse(&jwt, Some(&ClientId::parse(client_id).unwrap()));
        assert_eq!(refused.unwrap_err(), RequestError::RedirectUriSigned);
        let request = AuthorizationRequest::from_parameters(&parameters()).unwrap();
        let signing = sign(&request, &world.did_url(), Algorithm::EdDsa, now(), now());
        assert_eq!(signing.unwrap_err(), RequestError::RedirectUriSigned);
    }

    #[test]
    fn the_signer_is_the_client() {
        let world = World::new();
        let other = World::new();
        let kid = other.did_url();
        assert_eq!(
            world.refused(|header, _| drop(header.insert("kid".to_owned(), kid.into()))),
            RequestError::SignerMismatch
        );
        assert_eq!(
            world.refused(|header, _| drop(header.remove("kid"))),
            RequestError::SignerMismatch
        );
        let bare = world.did.clone();
        assert_eq!(
            world.refused(|header, _| drop(header.insert("kid".to_owned(), bare.into()))),
            RequestError::SignerMismatch
        );
        let object = UnverifiedRequestObject::parse(&world.genuine(), None).unwrap();
        let by_other = object.verify(other.key.public_key(), None, now());
        assert!(matches!(by_other, Err(RequestError::Jws(JwsError::Signature(_)))));
    }

    #[test]
    fn the_client_is_the_one_of_the_uri() {
        let world = World::new();
        let other = ClientId::for_did("did:example:123").unwrap();
        let refused = UnverifiedRequestObject::parse(&world.genuine(), Some(&other));
        assert_eq!(refused.unwrap_err(), RequestError::ClientIdMismatch);
    }

    #[test]
    fn another_audience_is_refused() {
        let world = World::new();
        let aud = |value: Value| world.refused(|_, payload| drop(payload.insert("aud".to_owned(), value)));
        assert_eq!(aud(json!("https://wallet.example")), RequestError::Audience);
        assert_eq!(aud(json!(["https://wallet.example"])), RequestError::Audience);
    }

    #[test]
    fn the_time_is_checked() {
        let world = World::new();
        let at = |name: &str, time: Timestamp| {
            world.refused(|_, payload| drop(payload.insert(name.to_owned(), time.unix().into())))
        };
        assert_eq!(at("exp", now().minus(MAX_CLOCK_SKEW_SECONDS)), RequestError::Expired);
        assert_eq!(at("iat", now().plus(MAX_CLOCK_SKEW_SECONDS + 1)), RequestError::Expired);
        assert_eq!(at("nbf", now().plus(MAX_CLOCK_SKEW_SECONDS + 1)), RequestError::Expired);
    }

    #[test]
    fn the_wallet_nonce_comes_back() {
        let world = World::new();
        let verify = |jwt: &str| {
            let object = UnverifiedRequestObject::parse(jwt, None).unwrap();
            object.verify(world.key.public_key(), Some("qPmxiNFCR3QTm19POc8u"), now())
        };
        let with =
            |nonce: &str| world.changed(|_, payload| drop(payload.insert("wallet_nonce".to_owned(), nonce.into())));
        assert!(verify(&with("qPmxiNFCR3QTm19POc8u")).is_ok());
        assert_eq!(verify(&with("another")), Err(RequestError::WalletNonce));
        assert_eq!(verify(&world.genuine()), Err(RequestError::WalletNonce));
    }
}
