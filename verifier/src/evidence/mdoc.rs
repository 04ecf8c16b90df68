//! mdoc ([OpenID4VP](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#name-mobile-documents-or-mdocs-i)).

use credential::Mdoc;
use credential::Unverified;
use credential::mdoc::SessionTranscript;
use credential::mdoc::anchor_name;
use credential::mdoc::parse_device_response;
use did::Purpose;
use keys::Jwk;
use keys::x509;
use keys::x509::verify_path;
use openid4vc::dcql::CredentialQuery;
use serde_json::Value;

use super::Judge;
use super::Judged;
use super::text;
use crate::Delivered;
use crate::Reason;
use crate::authority;

impl Judge<'_> {
    /// An mdoc always comes with the device's signature, so it is checked even where the query does not demand it.
    pub(super) fn mso_mdoc(&self, asked: &CredentialQuery, presentation: &Value) -> Result<Judged, Reason> {
        let transcript = self.session_transcript()?;
        let mut documents = parse_device_response(text(presentation)?)?;
        let (Some(unverified), true) = (documents.pop(), documents.is_empty()) else {
            return Err(Reason::Form {
                expected: "one document in each device response",
            });
        };
        if self.is_certified(&unverified) {
            return self.by_iaca(asked, unverified, &transcript);
        }
        let issuer = unverified.issuer()?.to_owned();
        let method = unverified.verification_method()?;
        let (bundle, key) = authority::key(&self.bundles, &issuer, &method, Purpose::AssertionMethod)?;
        let authentic = unverified.authenticate(&key, &issuer, self.now)?;
        let holder_binding = authentic.verify_device_signature(&transcript)?;
        let types = authentic.facts().types().to_vec();
        self.finish(asked, authentic, types, holder_binding, bundle)
    }

    /// The DID of an mdoc is a hint outside of what is signed. A DID that a bundle has is followed; otherwise the
    /// certificates are, if the verifier chose an authority.
    fn is_certified(&self, unverified: &Unverified<Mdoc>) -> bool {
        let is_known = |did: &str| self.bundles.iter().any(|bundle| bundle.document(did).is_some());
        !self.trust_anchors.certificates().is_empty()
            && !unverified.certificates().is_empty()
            && !unverified.issuer().is_ok_and(is_known)
    }

    fn by_iaca(
        &self,
        asked: &CredentialQuery,
        unverified: Unverified<Mdoc>,
        transcript: &SessionTranscript,
    ) -> Result<Judged, Reason> {
        let anchors = self.trust_anchors.certificates();
        let purpose = x509::Purpose::MdocDocumentSigner;
        let path = verify_path(unverified.certificates(), anchors, purpose, self.now)?;
        let authentic = unverified.authenticate_path(&path, self.now)?;
        let holder_binding = authentic.verify_device_signature(transcript)?;
        self.finish_chosen(asked, authentic, holder_binding, &anchor_name(path.anchor()))
    }

    /// What the device signed of the request, as this verifier knows it.
    fn session_transcript(&self) -> Result<SessionTranscript, Reason> {
        match self.delivered {
            Delivered::Posted {
                response_uri,
                encryption_key,
            } => Ok(SessionTranscript::openid4vp(
                self.transaction.audience,
                self.transaction.nonce,
                encryption_key.map(Jwk::thumbprint_bytes).as_ref(),
                response_uri,
            )),
            Delivered::InFile => Err(Reason::Form {
                expected: "an mdoc that was posted: no standard says what a device signs for a file",
            }),
        }
    }
}
