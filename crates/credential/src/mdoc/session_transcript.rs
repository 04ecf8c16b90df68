//! What a presentation belongs to (ISO/IEC 18013-5 clause 9.1.5.1): both sides compute it, and the device signs it.
//!
//! ```text
//! SessionTranscript = [ DeviceEngagementBytes / null, EReaderKeyBytes / null, Handover ]
//! ```

use keys::cbor;
use keys::cbor::Value;

use super::LIMITS;
use super::MdocError;

/// An encoded `SessionTranscript`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionTranscript(Vec<u8>);

impl SessionTranscript {
    /// Of a request of OpenID4VP by redirect or `direct_post`
    /// ([OpenID4VP](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#name-invocation-via-redirects)).
    /// `client_id` has its prefix, `thumbprint` is the SHA-256 thumbprint of the key that the response is encrypted to, if
    /// it is, and `response_uri` may be the `redirect_uri`.
    #[must_use]
    pub fn openid4vp(client_id: &str, nonce: &str, thumbprint: Option<&[u8; 32]>, response_uri: &str) -> Self {
        let info = [
            Value::text(client_id),
            Value::text(nonce),
            thumbprint_or_null(thumbprint),
            Value::text(response_uri),
        ];
        Self::of_handover("OpenID4VPHandover", info.into())
    }

    /// Of a request by the Digital Credentials API
    /// ([OpenID4VP](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#name-invocation-via-the-digital-))
    /// from `origin`, without the prefix `origin:`.
    #[must_use]
    pub fn openid4vp_dc_api(origin: &str, nonce: &str, thumbprint: Option<&[u8; 32]>) -> Self {
        let info = [Value::text(origin), Value::text(nonce), thumbprint_or_null(thumbprint)];
        Self::of_handover("OpenID4VPDCAPIHandover", info.into())
    }

    /// Of a meeting that began with the device's QR code. Both parts are CBOR in a byte string with tag 24, as they were
    /// sent.
    ///
    /// # Errors
    /// [`MdocError`] when a part is not.
    pub fn qr(device_engagement: &[u8], e_reader_key: &[u8]) -> Result<Self, MdocError> {
        Self::proximity(device_engagement, e_reader_key, &Value::Null)
    }

    /// Of a meeting that began over NFC, with the handover's messages; `request` only if it was negotiated.
    ///
    /// # Errors
    /// As [`SessionTranscript::qr`].
    pub fn nfc(
        device_engagement: &[u8],
        e_reader_key: &[u8],
        select: &[u8],
        request: Option<&[u8]>,
    ) -> Result<Self, MdocError> {
        let request = request.map_or(Value::Null, Value::bytes);
        Self::proximity(
            device_engagement,
            e_reader_key,
            &Value::Array(vec![Value::bytes(select), request]),
        )
    }

    /// The encoding.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// `SessionTranscriptBytes`: in a byte string with tag 24.
    pub(super) fn to_encoded(&self) -> Vec<u8> {
        cbor::tag_24(self.0.as_slice()).to_vec()
    }

    fn of_handover(name: &'static str, info: Vec<Value>) -> Self {
        let hash = keys::sha256(&Value::Array(info).to_vec());
        let handover = Value::Array(vec![Value::text(name), Value::bytes(hash)]);
        Self(Value::Array(vec![Value::Null, Value::Null, handover]).to_vec())
    }

    fn proximity(device_engagement: &[u8], e_reader_key: &[u8], handover: &Value) -> Result<Self, MdocError> {
        for (part, member) in [(device_engagement, "DeviceEngagement"), (e_reader_key, "EReaderKey")] {
            if cbor::decode_foreign(part, LIMITS)?.as_encoded().is_none() {
                let expected = "CBOR in a byte string with tag 24";
                return Err(MdocError::Form { member, expected });
            }
        }
        let handover = handover.to_vec();
        Ok(Self(cbor::array_of_encoded(&[
            device_engagement,
            e_reader_key,
            &handover,
        ])))
    }
}

fn thumbprint_or_null(thumbprint: Option<&[u8; 32]>) -> Value {
    thumbprint.map_or(Value::Null, |thumbprint| Value::bytes(*thumbprint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unhex(hex: &str) -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    }

    const NONCE: &str = "exc7gBkxjx1rdc9udRrveKvSsJIq80avlXeLHhGwqtA";

    /// The thumbprint of the examples' key.
    fn thumbprint() -> [u8; 32] {
        let jwk = serde_json::json!({"kty": "EC", "crv": "P-256",
            "x": "DxiH5Q4Yx3UrukE2lWCErq8N8bqC9CHLLrAwLz5BmE0", "y": "XtLM4-3h5o3HUH0MHVJV0kyq0iBlrBwlh8qEDMZ4-Pc"});
        keys::Jwk::from_value(&jwk).unwrap().thumbprint_bytes()
    }

    #[test]
    fn examples_of_openid4vp() {
        let transcript = SessionTranscript::openid4vp(
            "x509_san_dns:example.com",
            NONCE,
            Some(&thumbprint()),
            "https://example.com/response",
        );
        assert_eq!(
            transcript.as_bytes(),
            unhex(
                "83f6f682714f70656e494434565048616e646f7665725820048bc053c00442af9b8eed494cefdd9d95240d254b046b11b68013722aad38ac"
            )
        );
        let transcript = SessionTranscript::openid4vp_dc_api("https://example.com", NONCE, Some(&thumbprint()));
        assert_eq!(
            transcript.as_bytes(),
            unhex(
                "83f6f682764f70656e4944345650444341504948616e646f7665725820fbece366f4212f9762c74cfdbf83b8c69e371d5d68cea09cb4c48ca6daab761a"
            )
        );
    }

    #[test]
    fn each_part_of_a_request_makes_another_transcript() {
        let of = |client_id, nonce, thumbprint: Option<&[u8; 32]>, uri| {
            SessionTranscript::openid4vp(client_id, nonce, thumbprint, uri)
        };
        let all = [
            of("a", "n", None, "u"),
            of("b", "n", None, "u"),
            of("a", "m", None, "u"),
            of("a", "n", Some(&[0; 32]), "u"),
            of("a", "n", None, "v"),
            SessionTranscript::openid4vp_dc_api("a", "n", None),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(all.iter().skip(place + 1).all(|other| one != other), "{place}");
        }
    }
}
