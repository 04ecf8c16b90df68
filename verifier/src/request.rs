//! Where the verifier knows from what was asked.

use did::DidUrl;
use did::Purpose;
use keys::Timestamp;
use openid4vc::vp::ReceivedRequest;
use openid4vc::vp::UnverifiedRequestObject;
use trust::TrustedBundle;

use crate::Reason;
use crate::Refused;
use crate::authority;
use crate::bundles::Bundles;

/// Where the request came from that the holder's signature answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOrigin {
    /// The verifier made it, or was given it apart from the presentation.
    Own,
    /// It came in the same file as the presentation. Then the file may be an old answer to another verifier:
    /// the request must be signed and young, and the verdict says where it came from.
    File {
        /// When its signer says that it was made.
        issued_at: Timestamp,
    },
}

/// Takes a signed request object from a presentation file: signed by a verifier that a bundle knows, or by a
/// did:key, and no older than `max_age` seconds.
///
/// # Errors
/// [`Refused`].
pub fn accept_request(
    jwt: &str,
    bundles: &[&TrustedBundle],
    max_age: i64,
    now: Timestamp,
) -> Result<ReceivedRequest, Refused> {
    accept(jwt, bundles, max_age, now).map_err(|reason| Refused::new(vec![reason]))
}

fn accept(jwt: &str, bundles: &[&TrustedBundle], max_age: i64, now: Timestamp) -> Result<ReceivedRequest, Reason> {
    let unverified = UnverifiedRequestObject::parse(jwt, None)?;
    let method = unverified.did_url().to_owned();
    let id = DidUrl::parse(&method).map_err(|_| Reason::Form {
        expected: "a DID URL as the request's key id",
    })?;
    let key = match id.did().method() {
        "key" => did::methods::key::public_key_of_method(&id).map_err(|_| Reason::KeyUnknown { method })?,
        _ => {
            authority::key(
                &Bundles::sort(bundles, now),
                id.did().as_str(),
                &method,
                Purpose::Authentication,
            )?
            .1
        }
    };
    let received = unverified.verify(&key, None, now)?;
    match received.issued_at() {
        Some(issued) if now.seconds_since(issued) <= max_age => Ok(received),
        Some(_) => Err(Reason::RequestTooOld { limit: max_age }),
        None => Err(Reason::Form {
            expected: "a request that says when it was made",
        }),
    }
}
