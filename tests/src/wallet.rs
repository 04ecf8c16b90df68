//! A wallet of a few lines: the pre-authorized code flow and a `direct_post` answer, each step by itself, so that
//! a test can repeat, mix up and spoil them.

use std::io;

use credential::ClaimPath;
use credential::Held;
use credential::Mdoc;
use credential::SdJwtVc;
use credential::Unverified;
use credential::mdoc::SessionTranscript;
use credential::mdoc::device_response;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use openid4vc::SecureUrl;
use openid4vc::vci::CredentialOffer;
use openid4vc::vci::CredentialRequest;
use openid4vc::vci::TokenRequest;
use openid4vc::vci::TokenResponse;
use openid4vc::vci::offer::OfferUri;
use openid4vc::vci::proof;
use openid4vc::vci::proof::ProofKey;
use serde_json::Value;
use server::Clock;
use signer::SoftwareKey;

use crate::Client;
use crate::Request;
use crate::Response;

/// A credential offer by value.
#[derive(Clone, Debug)]
pub struct Offer(CredentialOffer);

/// A key of a person, and what a wallet does with it.
pub struct Wallet {
    key: SoftwareKey,
}

impl Offer {
    /// Reads the URI of an offer by value.
    #[must_use]
    pub fn parse(uri: &str) -> Self {
        match OfferUri::parse(uri).unwrap() {
            OfferUri::Value(offer) => Self(offer),
            OfferUri::Reference(url) => panic!("expected an offer by value, found {url}"),
        }
    }

    /// The Credential Issuer Identifier.
    #[must_use]
    pub const fn issuer(&self) -> &SecureUrl {
        &self.0.credential_issuer
    }

    /// The agency's part of it.
    #[must_use]
    pub fn agency(&self) -> &str {
        self.issuer().as_str().rsplit('/').next().unwrap()
    }

    /// The only configuration that is offered.
    #[must_use]
    pub fn configuration(&self) -> &str {
        &self.0.credential_configuration_ids[0]
    }

    /// The pre-authorized code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.0.grants.pre_authorized_code.as_ref().unwrap().pre_authorized_code
    }

    /// The token request, as a form.
    #[must_use]
    pub fn form(&self, tx_code: Option<&str>) -> String {
        let request = TokenRequest {
            pre_authorized_code: self.code().to_owned(),
            tx_code: tx_code.map(str::to_owned),
            authorization_details: Vec::new(),
            client_id: None,
        };
        request.to_form()
    }

    /// Redeems the code at the offer's own agency.
    ///
    /// # Errors
    /// The connection's.
    pub fn redeem(&self, client: &Client, tx_code: Option<&str>) -> io::Result<Response> {
        let target = format!("/issuers/{}/token", self.agency());
        Request::post_form(&target, self.form(tx_code)).send(client.address())
    }

    /// The token of an offer that is good.
    #[must_use]
    pub fn token(&self, client: &Client) -> String {
        let answer = self.redeem(client, None).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        TokenResponse::parse(&answer.body).unwrap().access_token
    }
}

impl Wallet {
    /// A wallet with a fresh key.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "two wallets are never equal")]
    pub fn new() -> Self {
        Self {
            key: SoftwareKey::generate(Algorithm::Es256, &mut signer::os_rng()),
        }
    }

    /// A nonce of an agency.
    ///
    /// # Errors
    /// The connection's.
    pub fn nonce(client: &Client, agency: &str) -> io::Result<String> {
        let answer = Request::new("POST", &format!("/issuers/{agency}/nonce")).send(client.address())?;
        Ok(answer.expect(200)["c_nonce"].as_str().unwrap().to_owned())
    }

    /// The proof of this wallet's key for an issuer.
    #[must_use]
    pub fn proof(&self, issuer: &SecureUrl, nonce: Option<&str>) -> String {
        let key = ProofKey::Jwk(self.key.public_key().clone());
        let request = proof::sign(&key, issuer, nonce, None, Clock::System.now());
        self.key.fulfil(request).unwrap()
    }

    /// Gets the credential of an offer: code, nonce, proof, credential.
    ///
    /// # Errors
    /// The connection's; an answer that is an error is a failure of the test.
    pub fn try_accept(&self, client: &Client, offer: &Offer) -> io::Result<String> {
        let redeemed = offer.redeem(client, None)?;
        let token = redeemed.expect(200)["access_token"].as_str().unwrap().to_owned();
        let nonce = Self::nonce(client, offer.agency())?;
        let proof = self.proof(offer.issuer(), Some(&nonce));
        let answer = credential_request(offer, &token, vec![proof]).send(client.address())?;
        let credential = &answer.expect(200)["credentials"][0]["credential"];
        Ok(credential.as_str().unwrap().to_owned())
    }

    /// Like [`Wallet::try_accept`], from a platform that is expected to answer.
    #[must_use]
    pub fn accept(&self, client: &Client, offer: &Offer) -> String {
        self.try_accept(client, offer).unwrap()
    }

    /// Its public key.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        self.key.public_key()
    }

    /// The device response that shows data elements of an mdoc to one session, signed with this wallet's key, whoever's
    /// the mdoc is.
    #[must_use]
    pub fn present_mdoc(
        &self,
        mdoc: &str,
        issuer: &PublicKey,
        elements: &[[&str; 2]],
        session: &SessionTranscript,
    ) -> String {
        let unverified = Unverified::<Mdoc>::parse(mdoc).unwrap();
        let did = unverified.issuer().unwrap().to_owned();
        let held: Held<Mdoc> = unverified.restore(issuer, &did).unwrap();
        let paths: Vec<ClaimPath> = elements.iter().map(|path| ClaimPath::of_keys(*path).unwrap()).collect();
        let request = held.present(&paths).unwrap().sign(session);
        device_response(&[self.key.fulfil(request).unwrap()])
    }

    /// The SD-JWT+KB that shows one claim to whoever asks under `audience` with `nonce`.
    #[must_use]
    pub fn present(&self, credential: &str, issuer: &PublicKey, claim: &str, audience: &str, nonce: &str) -> String {
        let unverified = Unverified::<SdJwtVc>::parse(credential).unwrap();
        let iss = unverified.issuer().unwrap().to_owned();
        let held: Held<SdJwtVc> = unverified.restore(issuer, &iss).unwrap();
        let chosen = held.present(&[ClaimPath::of_keys([claim]).unwrap()]).unwrap();
        let request = chosen.bind(audience, nonce, Clock::System.now()).unwrap();
        self.key.fulfil(request).unwrap()
    }
}

/// A credential request at the offer's own agency.
#[must_use]
pub fn credential_request(offer: &Offer, token: &str, proofs: Vec<String>) -> Request {
    let response = TokenResponse {
        access_token: token.to_owned(),
        token_type: "Bearer".to_owned(),
        expires_in: None,
        authorization_details: None,
    };
    let body = CredentialRequest::new(&response, offer.configuration(), proofs).to_json();
    Request::post(
        &format!("/issuers/{}/credential", offer.agency()),
        "application/json",
        body,
    )
    .bearer(token)
}

/// Where the status of an SD-JWT VC stands: issuer, list, index. Read without any check.
#[must_use]
pub fn status_of(credential: &str) -> (String, String, u64) {
    let payload = credential.split('.').nth(1).unwrap();
    let payload: Value = serde_json::from_slice(&keys::base64url::decode(payload).unwrap()).unwrap();
    let list = &payload["status"]["status_list"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&payload["iss"]), text(&list["uri"]), list["idx"].as_u64().unwrap())
}
