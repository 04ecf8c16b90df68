//! What wallets and issuers send each other. What we write, we read.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use openid4vc::SecureUrl;
use openid4vc::form::Form;
use openid4vc::oauth::AuthorizationServerMetadata;
use openid4vc::oauth::BearerToken;
use openid4vc::oauth::ErrorResponse;
use openid4vc::vci::CredentialOffer;
use openid4vc::vci::CredentialRequest;
use openid4vc::vci::CredentialResponse;
use openid4vc::vci::IssuerMetadata;
use openid4vc::vci::TokenRequest;
use openid4vc::vci::TokenResponse;
use openid4vc::vci::authorization_details::AuthorizationDetail;
use openid4vc::vci::deferred::DeferredCredentialRequest;
use openid4vc::vci::nonce::NonceResponse;
use openid4vc::vci::notification::NotificationRequest;
use openid4vc::vci::offer::OfferUri;
use openid4vc::vci::proof::PROOF_TYP;
use openid4vc::vci::proof::ProofRules;
use openid4vc::vci::proof::UnverifiedProofs;

use crate::NOW;
use crate::holder;
use crate::text;

pub(crate) const ISSUER: &str = "https://issuer.example/issuers/population";

static METADATA: LazyLock<IssuerMetadata> = LazyLock::new(|| {
    let issuer = SecureUrl::parse_identifier(ISSUER).expect("our own URL");
    IssuerMetadata::parse(crate::seeds::issuer_metadata().as_bytes(), &issuer).expect("our own metadata")
});

/// The input as each message.
pub fn fuzz(data: &[u8]) {
    let issuer = SecureUrl::parse_identifier(ISSUER).expect("our own URL");
    if let Ok(offer) = CredentialOffer::parse(data) {
        assert_eq!(OfferUri::parse(&offer.to_uri()), Ok(OfferUri::Value(offer)));
    }
    if let Ok(request) = CredentialRequest::parse(data) {
        let written = CredentialRequest::parse(request.to_json().as_bytes());
        // A proof type that we do not know is named, not kept.
        if let Ok(written) = written {
            assert_eq!(written, request);
        }
    }
    if let Ok(metadata) = IssuerMetadata::parse(data, &issuer) {
        let _ = metadata.check();
        for configuration in metadata.credential_configurations_supported.values() {
            proofs(
                data,
                &ProofRules {
                    credential_issuer: &issuer,
                    configuration,
                    client_id: None,
                },
            );
        }
    }
    let _ = AuthorizationServerMetadata::parse(data, &issuer);
    let _ = CredentialResponse::parse(data, 2);
    let _ = TokenRequest::parse(data);
    let _ = TokenResponse::parse(data);
    let _ = AuthorizationDetail::parse_all(data);
    let _ = DeferredCredentialRequest::parse(data);
    let _ = NonceResponse::parse(data);
    let _ = NotificationRequest::parse(data);
    let _ = ErrorResponse::parse(data);
    let _ = Form::parse(data, 1 << 16);
    keyed(data, &issuer);
    if let Some(text) = text(data) {
        texts(text);
    }
}

fn texts(text: &str) {
    let _ = OfferUri::parse(text);
    let _ = BearerToken::from_header(Some(text));
    if let Ok(url) = SecureUrl::parse(text) {
        assert_eq!(url.as_str(), text);
    }
    if let Ok(url) = SecureUrl::parse_identifier(text) {
        let _ = url.well_known("openid-credential-issuer");
    }
}

/// The input as payload of a key proof.
fn keyed(data: &[u8], issuer: &SecureUrl) {
    for configuration in METADATA.credential_configurations_supported.values() {
        proofs(
            data,
            &ProofRules {
                credential_issuer: issuer,
                configuration,
                client_id: None,
            },
        );
    }
}

fn proofs(data: &[u8], rules: &ProofRules<'_>) {
    let jwts = [holder().jws(PROOF_TYP, data)];
    if let Ok(proofs) = UnverifiedProofs::parse(&jwts, rules) {
        let resolved = BTreeMap::from([(holder().method.clone(), holder().public().clone())]);
        let _ = proofs.verify(rules, &resolved, None, &BTreeSet::new(), NOW);
    }
}
