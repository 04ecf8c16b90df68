//! Presenting an mdoc: a choice of data elements, and the device's signature over it.

use keys::Algorithm;
use keys::SigningRequest;
use keys::base64url;
use keys::cbor;
use keys::cbor::Value;
use keys::cose;
use keys::cose::CoseError;
use keys::cose::HeaderMap;
use keys::cose::MacKey;

use super::Mdoc;
use super::MdocError;
use super::SessionTranscript;
use super::device_auth::device_authentication;
use super::issue::encode;
use crate::ClaimPath;
use crate::Held;
use crate::HolderKey;
use crate::claim_path::PathComponent;

/// An mdoc with the data elements that the holder chose, to be signed by the device.
#[must_use]
pub struct Presentation {
    doc_type: String,
    issuer_signed: Vec<u8>,
    algorithm: Algorithm,
}

impl Held<Mdoc> {
    /// The path of every data element: namespace and identifier. Each can be shown or left out.
    pub fn disclosable_paths(&self) -> Vec<ClaimPath> {
        let namespaces = &self.contents.issuer_signed.namespaces;
        namespaces
            .iter()
            .flat_map(|(namespace, items)| {
                items
                    .iter()
                    .map(move |item| [namespace.as_str(), item.identifier.as_str()])
            })
            .filter_map(|path| ClaimPath::of_keys(path).ok())
            .collect()
    }

    /// Shows the data elements at `paths`, and no other.
    ///
    /// # Errors
    /// [`MdocError::Selection`] when a path is not that of a data element; nothing is disclosed then.
    pub fn present(&self, paths: &[ClaimPath]) -> Result<Presentation, MdocError> {
        let chosen = paths.iter().map(namespace_and_identifier).collect::<Option<Vec<_>>>();
        let chosen = chosen.ok_or(MdocError::Selection)?;
        let issuer_signed = &self.contents.issuer_signed;
        let mut found = 0;
        let mut namespaces = Vec::new();
        for (namespace, items) in &issuer_signed.namespaces {
            let items: Vec<&[u8]> = items
                .iter()
                .filter(|item| chosen.contains(&(namespace, &item.identifier)))
                .map(|item| item.encoded.as_slice())
                .collect();
            found += items.len();
            if !items.is_empty() {
                namespaces.push((namespace.as_str(), cbor::array_of_encoded(&items)));
            }
        }
        let distinct: std::collections::BTreeSet<_> = chosen.iter().collect();
        if found != distinct.len() {
            return Err(MdocError::Selection);
        }
        let (Some(HolderKey::Key(device_key)), Some(doc_type)) = (self.facts.holder(), self.facts.types().first())
        else {
            return Err(MdocError::Selection);
        };
        let namespaces: Vec<(&str, &[u8])> = namespaces
            .iter()
            .map(|(name, items)| (*name, items.as_slice()))
            .collect();
        let chosen = (!namespaces.is_empty()).then(|| cbor::map_of_encoded(&namespaces));
        Ok(Presentation {
            doc_type: doc_type.clone(),
            issuer_signed: encode(chosen.as_deref(), &issuer_signed.issuer_auth),
            algorithm: device_key.algorithm(),
        })
    }
}

impl Presentation {
    /// `IssuerSigned` with the chosen data elements in base64url: for the holder to see what would leave.
    #[must_use]
    pub fn issuer_signed(&self) -> String {
        base64url::encode(&self.issuer_signed)
    }

    /// The document for one session, once signed by the device's key, for [`super::device_response`].
    pub fn sign(self, transcript: &SessionTranscript) -> SigningRequest<Vec<u8>> {
        let payload = self.authenticated(transcript);
        let request = cose::sign_detached(HeaderMap::new(), HeaderMap::new(), &payload, self.algorithm);
        request.map(move |signature| self.document("deviceSignature", &signature))
    }

    /// The document for one session, with a MAC by the key that device and reader share.
    ///
    /// # Errors
    /// [`CoseError`], which cannot occur.
    pub fn mac(self, transcript: &SessionTranscript, key: &MacKey) -> Result<Vec<u8>, CoseError> {
        let payload = self.authenticated(transcript);
        let mac = cose::mac_detached(HeaderMap::new(), HeaderMap::new(), &payload, key)?;
        Ok(self.document("deviceMac", &mac))
    }

    fn authenticated(&self, transcript: &SessionTranscript) -> Vec<u8> {
        device_authentication(transcript, &self.doc_type, &no_namespaces())
    }

    fn document(&self, kind: &str, authenticator: &[u8]) -> Vec<u8> {
        let device_signed = cbor::map_of_encoded(&[
            ("nameSpaces", &no_namespaces()),
            ("deviceAuth", &cbor::map_of_encoded(&[(kind, authenticator)])),
        ]);
        cbor::map_of_encoded(&[
            ("docType", &Value::text(self.doc_type.as_str()).to_vec()),
            ("issuerSigned", &self.issuer_signed),
            ("deviceSigned", &device_signed),
        ])
    }
}

/// `DeviceNameSpacesBytes` of a device that adds nothing of its own.
fn no_namespaces() -> Vec<u8> {
    cbor::tag_24(Value::Map(Vec::new()).to_vec()).to_vec()
}

fn namespace_and_identifier(path: &ClaimPath) -> Option<(&String, &String)> {
    match path.components() {
        [PathComponent::Key(namespace), PathComponent::Key(identifier)] => Some((namespace, identifier)),
        _ => None,
    }
}
