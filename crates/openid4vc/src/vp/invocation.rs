//! How a wallet is invoked: the URI, and what it fetches through it
//! ([OpenID4VP 1.0, sections 5.7, 5.10 and 9](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#request_uri_method_post)).

use keys::json;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;

use super::client_id::ClientId;
use super::request::AuthorizationRequest;
use super::request::MAX_NONCE_BYTES;
use super::request::MAX_REQUEST_BYTES;
use super::request::ReceivedRequest;
use super::request::RequestError;
use super::request::url_safe;
use super::request_object::UnverifiedRequestObject;
use crate::form;
use crate::form::Form;
use crate::secret::Secret;
use crate::url::SecureUrl;

/// The scheme that wallets register.
const SCHEME: &str = "openid4vp://";
/// Wallet metadata list formats and algorithms.
const WALLET_METADATA_LIMITS: json::Limits = json::Limits {
    max_bytes: 64 * 1_024,
    max_depth: 8,
};
/// Metadata and a nonce, percent-encoded.
pub const MAX_REQUEST_URI_POST_BYTES: usize = 3 * WALLET_METADATA_LIMITS.max_bytes + 3 * MAX_NONCE_BYTES;

/// What a URI asks a wallet to do.
#[derive(Clone, Debug)]
pub enum Invocation {
    /// A signed request that lies elsewhere: get it.
    Reference(RequestReference),
    /// A signed request in the URI: verify it.
    Signed(UnverifiedRequestObject),
    /// An unsigned request in the URI.
    Unsigned(Box<ReceivedRequest>),
}

/// Where a signed request lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestReference {
    /// Who asks, as the URI says; the request object must say the same.
    pub client_id: ClientId,
    /// Where to get the request object.
    pub request_uri: SecureUrl,
    /// How.
    pub method: RequestUriMethod,
}

/// `request_uri_method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestUriMethod {
    /// GET.
    #[default]
    Get,
    /// POST, with the wallet's nonce.
    Post,
}

/// The HTTP request for a request object. Redirects must not be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestObjectFetch {
    /// Where.
    pub url: SecureUrl,
    /// The form to POST; `None` for GET.
    pub form: Option<String>,
}

/// What a wallet remembers while it fetches a request object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwaitedRequestObject {
    client_id: ClientId,
    wallet_nonce: Option<String>,
}

/// The form that a wallet posts to the `request_uri`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestUriPost {
    /// To be put into the request object.
    pub wallet_nonce: Option<String>,
    /// What the wallet can do.
    pub wallet_metadata: Option<Map<String, Value>>,
}

impl Invocation {
    /// Reads a URI: of the registered scheme, or an `https` link of a wallet.
    ///
    /// # Errors
    /// [`RequestError`], the fault of whoever made it.
    pub fn parse(uri: &str) -> Result<Self, RequestError> {
        let known = ["openid4vp:", "https://"].iter().any(|start| uri.starts_with(start));
        let (_, query) = uri
            .split_once('?')
            .filter(|_| known)
            .ok_or(RequestError::NotARequestUri)?;
        let form = Form::parse(query.as_bytes(), MAX_REQUEST_BYTES)?;
        let client_id = ClientId::parse(form.required("client_id")?)?;
        let method = form
            .optional("request_uri_method")
            .map(RequestUriMethod::parse)
            .transpose()?;
        let (object, at) = (form.optional("request"), form.optional("request_uri"));
        if (object.is_some() && at.is_some()) || (method.is_some() && at.is_none()) {
            return Err(RequestError::RequestAndUri);
        }
        if (object.is_some() || at.is_some()) && client_id.did().is_none() {
            return Err(RequestError::RedirectUriSigned);
        }
        if let Some(jwt) = object {
            return Ok(Self::Signed(UnverifiedRequestObject::parse(jwt, Some(&client_id))?));
        }
        if let Some(at) = at {
            let (request_uri, method) = (SecureUrl::parse(at)?, method.unwrap_or_default());
            return Ok(Self::Reference(RequestReference {
                client_id,
                request_uri,
                method,
            }));
        }
        Ok(Self::Unsigned(Box::new(ReceivedRequest::unsigned(&form)?)))
    }
}

impl RequestUriMethod {
    fn parse(text: &str) -> Result<Self, RequestError> {
        match text {
            "get" => Ok(Self::Get),
            "post" => Ok(Self::Post),
            _ => Err(RequestError::RequestUriMethod),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
        }
    }
}

impl RequestReference {
    /// The URI that invokes a wallet.
    #[must_use]
    pub fn to_uri(&self) -> String {
        let query = form::encode([
            ("client_id", self.client_id.as_str()),
            ("request_uri", self.request_uri.as_str()),
            ("request_uri_method", self.method.as_str()),
        ]);
        format!("{SCHEME}?{query}")
    }

    /// What to fetch, and what to remember until it is there.
    #[must_use]
    pub fn fetch(
        &self,
        wallet_metadata: &Map<String, Value>,
        rng: &mut dyn CryptoRng,
    ) -> (RequestObjectFetch, AwaitedRequestObject) {
        let wallet_nonce = match self.method {
            RequestUriMethod::Get => None,
            RequestUriMethod::Post => Some(Secret::generate(rng).reveal().to_owned()),
        };
        let form = wallet_nonce.as_deref().map(|nonce| {
            let metadata = serde_json::to_string(wallet_metadata).unwrap_or_default();
            form::encode([("wallet_nonce", nonce), ("wallet_metadata", metadata.as_str())])
        });
        let fetch = RequestObjectFetch {
            url: self.request_uri.clone(),
            form,
        };
        (
            fetch,
            AwaitedRequestObject {
                client_id: self.client_id.clone(),
                wallet_nonce,
            },
        )
    }
}

impl AwaitedRequestObject {
    /// Reads the body that came.
    ///
    /// # Errors
    /// [`RequestError`], the verifier's fault.
    pub fn receive(&self, jwt: &str) -> Result<UnverifiedRequestObject, RequestError> {
        UnverifiedRequestObject::parse(jwt, Some(&self.client_id))
    }

    /// The nonce to hand to [`UnverifiedRequestObject::verify`].
    #[must_use]
    pub fn wallet_nonce(&self) -> Option<&str> {
        self.wallet_nonce.as_deref()
    }
}

impl RequestUriPost {
    /// Reads the body of a wallet's POST.
    ///
    /// # Errors
    /// [`RequestError`], the wallet's fault here.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let form = Form::parse(body, MAX_REQUEST_URI_POST_BYTES)?;
        let read = |metadata: &str| json::parse_object(metadata.as_bytes(), WALLET_METADATA_LIMITS);
        Ok(Self {
            wallet_nonce: url_safe(form.optional("wallet_nonce"), "wallet_nonce")?,
            wallet_metadata: form.optional("wallet_metadata").map(read).transpose()?,
        })
    }
}

/// The URI of an unsigned request, whole.
///
/// # Errors
/// [`RequestError::Unsigned`] for a client with a DID, the caller's fault.
pub fn unsigned_uri(request: &AuthorizationRequest) -> Result<String, RequestError> {
    if request.client_id.did().is_some() {
        return Err(RequestError::Unsigned);
    }
    let parameters: Vec<(String, String)> = request
        .to_parameters()
        .into_iter()
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect();
    let query = form::encode(parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Ok(format!("{SCHEME}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::super::request::tests::parameters;
    use super::*;

    const DID: &str = "decentralized_identifier%3Adid%3Aexample%3A123";
    const AT: &str = "https%3A%2F%2Fclient.example.org%2Frequest%2Fvapof4ql2i7m41m68uep";

    fn refused(query: &str) -> RequestError {
        Invocation::parse(&format!("openid4vp://?{query}")).unwrap_err()
    }

    fn reference(method: RequestUriMethod) -> RequestReference {
        RequestReference {
            client_id: ClientId::for_did("did:example:123").unwrap(),
            request_uri: SecureUrl::parse("https://client.example.org/request/1").unwrap(),
            method,
        }
    }

    #[test]
    fn a_reference_is_read_as_written() {
        for method in [RequestUriMethod::Get, RequestUriMethod::Post] {
            let Invocation::Reference(read) = Invocation::parse(&reference(method).to_uri()).unwrap() else {
                panic!("a reference")
            };
            assert_eq!(read, reference(method));
        }
        let plain = Invocation::parse(&format!("openid4vp://?client_id={DID}&request_uri={AT}"));
        assert!(matches!(
            plain,
            Ok(Invocation::Reference(RequestReference {
                method: RequestUriMethod::Get,
                ..
            }))
        ));
    }

    #[test]
    fn an_unsigned_request_is_read_as_written() {
        let request = AuthorizationRequest::from_parameters(&parameters()).unwrap();
        let Invocation::Unsigned(received) = Invocation::parse(&unsigned_uri(&request).unwrap()).unwrap() else {
            panic!("an unsigned request")
        };
        assert_eq!(received.request(), &request);
    }

    #[test]
    fn a_signed_request_of_the_prefix_redirect_uri_is_refused() {
        let client = "redirect_uri%3Ahttps%3A%2F%2Fclient.example.org%2Fcb";
        assert_eq!(
            refused(&format!("client_id={client}&request_uri={AT}")),
            RequestError::RedirectUriSigned
        );
        assert_eq!(
            refused(&format!("client_id={client}&request=a.b.c")),
            RequestError::RedirectUriSigned
        );
    }

    #[test]
    fn contradictory_uris_are_refused() {
        let both = refused(&format!("client_id={DID}&request_uri={AT}&request=a.b.c"));
        assert_eq!(both, RequestError::RequestAndUri);
        for alone in ["", "&request=a.b.c"] {
            let error = refused(&format!("client_id={DID}{alone}&request_uri_method=post"));
            assert_eq!(error, RequestError::RequestAndUri, "{alone}");
        }
        let method = refused(&format!("client_id={DID}&request_uri={AT}&request_uri_method=POST"));
        assert_eq!(
            (&method, method.code().as_str()),
            (&RequestError::RequestUriMethod, "invalid_request_uri_method")
        );
        assert!(matches!(
            refused(&format!("client_id={DID}&request_uri=http%3A%2F%2Fa.example")),
            RequestError::Url(_)
        ));
        assert!(matches!(refused(&format!("request_uri={AT}")), RequestError::Form(_)));
        assert!(matches!(
            Invocation::parse("file:///?a=b"),
            Err(RequestError::NotARequestUri)
        ));
    }

    #[test]
    fn the_post_carries_a_fresh_nonce() {
        let metadata = Map::from_iter([("vp_formats_supported".to_owned(), Value::Object(Map::new()))]);
        let (fetch, awaited) = reference(RequestUriMethod::Post).fetch(&metadata, &mut signer::os_rng());
        let post = RequestUriPost::parse(fetch.form.unwrap().as_bytes()).unwrap();
        assert_eq!(post.wallet_nonce.as_deref(), awaited.wallet_nonce());
        assert_eq!(post.wallet_metadata, Some(metadata.clone()));
        let (_, other) = reference(RequestUriMethod::Post).fetch(&metadata, &mut signer::os_rng());
        assert_ne!(other, awaited);
        let (fetch, awaited) = reference(RequestUriMethod::Get).fetch(&metadata, &mut signer::os_rng());
        assert_eq!((fetch.form, awaited.wallet_nonce()), (None, None));
    }

    #[test]
    fn bad_posts_are_refused() {
        assert_eq!(RequestUriPost::parse(b""), Ok(RequestUriPost::default()));
        for bad in [
            "wallet_nonce=a%20b",
            "wallet_metadata=%5B%5D",
            "wallet_metadata=x",
            "wallet_nonce=a&wallet_nonce=a",
        ] {
            assert!(RequestUriPost::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
