//! The compact form ([RFC 9901, data formats](https://www.rfc-editor.org/rfc/rfc9901#name-sd-jwt-and-sd-jwtkb-data-fo)):
//! `<Issuer-signed JWT>~<Disclosure 1>~...~<Disclosure N>~` and then either nothing or a Key Binding JWT.

use super::MAX_BYTES;
use super::MAX_DISCLOSURES;
use super::SdJwtError;

/// An SD-JWT or SD-JWT+KB, split but not read.
#[derive(Clone)]
pub(crate) struct SdJwt {
    text: String,
    /// Bytes of the Issuer-signed JWT, without its tilde.
    jwt_bytes: usize,
    /// Bytes up to and including the last tilde: what `sd_hash` covers.
    bound_bytes: usize,
}

impl SdJwt {
    /// Splits the text; nothing is decoded.
    pub(crate) fn parse(text: &str) -> Result<Self, SdJwtError> {
        if text.len() > MAX_BYTES {
            return Err(SdJwtError::TooLarge { found: text.len() });
        }
        let mut tildes = text.match_indices('~').map(|(at, _)| at);
        let jwt_bytes = tildes.next().ok_or(SdJwtError::Form)?;
        let (mut last_tilde, mut disclosures) = (jwt_bytes, 0);
        for tilde in tildes {
            if tilde == last_tilde + 1 {
                return Err(SdJwtError::EmptyDisclosure);
            }
            (last_tilde, disclosures) = (tilde, disclosures + 1);
        }
        if disclosures > MAX_DISCLOSURES {
            return Err(SdJwtError::TooManyDisclosures);
        }
        Ok(Self {
            text: text.to_owned(),
            jwt_bytes,
            bound_bytes: last_tilde + 1,
        })
    }

    /// Joins the parts of an SD-JWT without key binding.
    pub(crate) fn join<'a>(jwt: &str, disclosures: impl IntoIterator<Item = &'a str>) -> String {
        let mut text = format!("{jwt}~");
        for disclosure in disclosures {
            text.push_str(disclosure);
            text.push('~');
        }
        text
    }

    /// As [`Self::join`], of disclosures that have their tildes already.
    pub(crate) fn of_parts(jwt: String, disclosures: &str) -> String {
        let mut text = jwt;
        text.reserve_exact(1 + disclosures.len());
        text.push('~');
        text.push_str(disclosures);
        text
    }

    /// The Issuer-signed JWT.
    pub(crate) fn jwt(&self) -> &str {
        self.text.get(..self.jwt_bytes).unwrap_or_default()
    }

    /// The encoded disclosures in the order sent.
    pub(crate) fn disclosures(&self) -> impl Iterator<Item = &str> + Clone {
        let between = self.text.get(self.jwt_bytes + 1..self.bound_bytes).unwrap_or_default();
        // Each disclosure ends with a tilde, so the piece behind the last tilde is none of them.
        between.split_terminator('~')
    }

    /// Everything but the Key Binding JWT: what `sd_hash` covers.
    pub(crate) fn without_key_binding(&self) -> &str {
        self.text.get(..self.bound_bytes).unwrap_or_default()
    }

    /// The Key Binding JWT, if there is one.
    pub(crate) fn key_binding(&self) -> Option<&str> {
        self.text.get(self.bound_bytes..).filter(|jwt| !jwt.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_permutations() {
        for (text, disclosures, key_binding) in [
            ("a.b.c~", vec![], None),
            ("a.b.c~D~E~", vec!["D", "E"], None),
            ("a.b.c~k.b.j", vec![], Some("k.b.j")),
            ("a.b.c~D~E~k.b.j", vec!["D", "E"], Some("k.b.j")),
        ] {
            let parsed = SdJwt::parse(text).unwrap();
            assert_eq!(parsed.jwt(), "a.b.c");
            assert_eq!(parsed.disclosures().collect::<Vec<_>>(), disclosures);
            assert_eq!(parsed.key_binding(), key_binding);
            assert_eq!(SdJwt::join("a.b.c", disclosures), parsed.without_key_binding());
        }
    }

    #[test]
    fn other_forms_are_refused() {
        assert_eq!(SdJwt::parse("a.b.c").err(), Some(SdJwtError::Form));
        for empty in ["a.b.c~~", "a.b.c~~D~", "a.b.c~D~~", "a.b.c~~k.b.j"] {
            assert_eq!(SdJwt::parse(empty).err(), Some(SdJwtError::EmptyDisclosure), "{empty}");
        }
    }

    #[test]
    fn size_and_number_are_bounded() {
        let with = |number: usize| format!("a.b.c~{}", "D~".repeat(number));
        assert!(SdJwt::parse(&with(MAX_DISCLOSURES)).is_ok());
        assert_eq!(
            SdJwt::parse(&with(MAX_DISCLOSURES + 1)).err(),
            Some(SdJwtError::TooManyDisclosures)
        );
        let large = "~".repeat(MAX_BYTES + 1);
        assert_eq!(
            SdJwt::parse(&large).err(),
            Some(SdJwtError::TooLarge { found: MAX_BYTES + 1 })
        );
    }
}
