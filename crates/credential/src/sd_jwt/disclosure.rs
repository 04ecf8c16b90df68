//! One disclosure ([RFC 9901, disclosures](https://www.rfc-editor.org/rfc/rfc9901#name-disclosures)).

use keys::base64url;
use keys::json;
use keys::json::Json;
use keys::json::Tree;
use keys::json::TreeBuilder;

use super::HashAlgorithm;
use super::SdJwtError;
use super::hash::Digest;

/// What a disclosure discloses. The salt has done its work in the digest and is not kept.
#[derive(Clone, Copy)]
pub(crate) struct Disclosure<'a> {
    /// The claim's name; `None` for an array element.
    pub(crate) name: Option<&'a str>,
    /// The value, which may hold digests of further disclosures.
    pub(crate) value: Json<'a>,
}

/// The disclosures of one SD-JWT, each to be found by its digest.
pub(crate) struct Disclosures {
    tree: Tree,
    /// Sorted by digest rather than in a hash map: there are a dozen, and this is the verifier's hot path.
    by_digest: Vec<Entry>,
}

/// One disclosure, and where it stands in the tree and in the order sent.
struct Entry {
    digest: Digest,
    at: usize,
    sent: usize,
}

impl Disclosures {
    /// Reads disclosures in their base64url text.
    pub(crate) fn read<'a>(
        encoded: impl Iterator<Item = &'a str> + Clone,
        hash: HashAlgorithm,
    ) -> Result<Self, SdJwtError> {
        let (number, bytes) = encoded
            .clone()
            .fold((0, 0), |(number, bytes), text| (number + 1, bytes + text.len()));
        let mut builder = TreeBuilder::with_capacity(bytes);
        let mut by_digest = Vec::with_capacity(number);
        let mut decoded = Vec::new();
        for (sent, text) in encoded.enumerate() {
            base64url::decode_into(text, &mut decoded).map_err(|_| SdJwtError::MalformedDisclosure)?;
            let at = builder.parse(&decoded, json::DEFAULT_LIMITS);
            by_digest.push(Entry {
                // Over the text, so a disclosure can only be read the way the issuer wrote it.
                digest: hash.digest(text),
                at: at.map_err(|_| SdJwtError::MalformedDisclosure)?,
                sent,
            });
        }
        by_digest.sort_unstable_by(|one, other| one.digest.as_bytes().cmp(other.digest.as_bytes()));
        let twice = |pair: &[Entry]| matches!(pair, [one, other] if one.digest == other.digest);
        if by_digest.windows(2).any(twice) {
            return Err(SdJwtError::DuplicateDisclosure);
        }
        let tree = builder.finish();
        for entry in &by_digest {
            Disclosure::read(tree.at(entry.at)).ok_or(SdJwtError::MalformedDisclosure)?;
        }
        Ok(Self { tree, by_digest })
    }

    /// How many there are.
    pub(crate) const fn len(&self) -> usize {
        self.by_digest.len()
    }

    /// The disclosure of this digest, if it was sent, and its place in the order sent.
    pub(crate) fn find(&self, digest: &str) -> Option<(usize, Disclosure<'_>)> {
        let found = self
            .by_digest
            .binary_search_by(|entry| entry.digest.as_bytes().cmp(digest.as_bytes()));
        let entry = self.by_digest.get(found.ok()?)?;
        Some((entry.sent, Disclosure::read(self.tree.at(entry.at))?))
    }
}

impl<'a> Disclosure<'a> {
    /// `[salt, name, value]` or `[salt, value]`.
    fn read(json: Json<'a>) -> Option<Self> {
        let mut items = json.elements()?;
        items.next()?.as_str()?;
        match (items.next()?, items.next(), items.next()) {
            (name, Some(value), None) => Some(Self {
                name: Some(name.as_str()?),
                value,
            }),
            (value, None, None) => Some(Self { name: None, value }),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Disclosure<'_> {
    /// Without name and value: both are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disclosure").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use serde_json::json;

    use super::*;

    /// Name and value of one disclosure.
    fn read(encoded: &str) -> Result<(Option<String>, Value), SdJwtError> {
        let hash = HashAlgorithm::Sha256;
        let disclosures = Disclosures::read(std::iter::once(encoded), hash)?;
        let (_, disclosure) = disclosures.find(hash.digest(encoded).as_str()).unwrap();
        Ok((disclosure.name.map(str::to_owned), disclosure.value.to_value()))
    }

    fn parse(value: &str) -> Result<(Option<String>, Value), SdJwtError> {
        read(&base64url::encode(value))
    }

    /// RFC 9901 lists four texts of the same disclosure; white space and escapes are the issuer's choice.
    #[test]
    fn variations_of_one_disclosure_are_read() {
        for encoded in [
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0",
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNXHUwMGY2Yml1cyJd",
            "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsImZhbWlseV9uYW1lIiwiTcO2Yml1cyJd",
            "WwoiXzI2YmM0TFQtYWM2cTJLSTZjQlc1ZXMiLAoiZmFtaWx5X25hbWUiLAoiTcO2Yml1cyIKXQ",
        ] {
            let expected = (Some("family_name".to_owned()), json!("Möbius"));
            assert_eq!(read(encoded), Ok(expected));
        }
        let element = read("WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0");
        assert_eq!(element, Ok((None, json!("FR"))));
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "[]",
            r#"["s"]"#,
            r#"["s","n",1,2]"#,
            r#"[1,"n",1]"#,
            r#"["s",1,1]"#,
            r#"{"a":1}"#,
            "1",
            "[",
        ] {
            assert_eq!(parse(bad), Err(SdJwtError::MalformedDisclosure), "{bad}");
        }
        assert_eq!(
            parse(r#"["s",{"a":1,"a":2}]"#),
            Err(SdJwtError::MalformedDisclosure),
            "duplicate member"
        );
        assert_eq!(read("WyJz*"), Err(SdJwtError::MalformedDisclosure));
        assert!(parse(r#"["s",[]]"#).is_ok());
    }
}
