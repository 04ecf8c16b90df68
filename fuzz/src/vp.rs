//! What verifiers and wallets send each other.

use std::sync::LazyLock;

use keys::json;
use openid4vc::dcql::DcqlQuery;
use openid4vc::vp::ClientId;
use openid4vc::vp::ClientMetadata;
use openid4vc::vp::Invocation;
use openid4vc::vp::UnverifiedRequestObject;
use openid4vc::vp::file::PresentationFile;
use openid4vc::vp::file::RequestFile;
use openid4vc::vp::invocation::RequestUriPost;
use openid4vc::vp::request_object::REQUEST_OBJECT_TYP;
use openid4vc::vp::response::AuthorizationResponse;
use openid4vc::vp::response::ResponseReceipt;

use crate::NOW;
use crate::issuer;
use crate::jwt::decryption_key;
use crate::object;
use crate::text;

static QUERY: LazyLock<DcqlQuery> =
    LazyLock::new(|| DcqlQuery::parse(crate::seeds::QUERY.as_bytes()).expect("our own query"));

/// The input as each message, and as payload of a signed request.
pub fn fuzz(data: &[u8]) {
    let _ = RequestUriPost::parse(data);
    let _ = ResponseReceipt::parse(data);
    if let Ok(file) = RequestFile::parse(data) {
        assert_eq!(RequestFile::parse(file.to_json().as_bytes()).as_ref(), Ok(&file));
        request(file.request());
    }
    if let Ok(file) = PresentationFile::parse(data) {
        assert_eq!(PresentationFile::parse(file.to_json().as_bytes()).as_ref(), Ok(&file));
        let _ = file.vp_token(&QUERY);
    }
    let _ = AuthorizationResponse::open(data, &QUERY, None, None);
    let _ = AuthorizationResponse::open(data, &QUERY, Some("state"), Some(&decryption_key()));
    if let Some(parameters) = object(data) {
        let _ = AuthorizationResponse::from_parameters(parameters, &QUERY, None);
    }
    if let Ok(value) = json::parse(data, json::DEFAULT_LIMITS)
        && let Ok(metadata) = ClientMetadata::from_value(&value)
    {
        assert_eq!(ClientMetadata::from_value(&metadata.to_value()), Ok(metadata));
    }
    request(&issuer().jws(REQUEST_OBJECT_TYP, data));
    let Some(text) = text(data) else { return };
    request(text);
    if let Ok(client_id) = ClientId::parse(text) {
        assert_eq!(client_id.to_string(), text);
    }
    if let Ok(Invocation::Reference(reference)) = Invocation::parse(text) {
        let again = Invocation::parse(&reference.to_uri());
        assert!(matches!(again, Ok(Invocation::Reference(again)) if again == reference));
    }
}

fn request(jwt: &str) {
    if let Ok(request) = UnverifiedRequestObject::parse(jwt, None) {
        let _ = request.verify(issuer().public(), None, NOW);
    }
}
