//! Which key a JOSE header names, in our profile of DID issuers and holders: `kid` is a verification method of
//! the DID, as an absolute or relative DID URL or as its bare fragment
//! ([DID URL syntax](https://www.w3.org/TR/did-1.0/#did-url-syntax)).

/// The absolute DID URL for a `kid` of `did`, which may be absolute, relative or a bare fragment; `None` for a `kid` of
/// anybody else.
pub(crate) fn absolute_key_id(did: &str, key_id: &str) -> Option<String> {
    let fragment = match key_id.strip_prefix(did) {
        Some(rest) => rest.strip_prefix('#')?,
        None => key_id.strip_prefix('#').unwrap_or(key_id),
    };
    // RFC 3986 fragment characters without "?" and "/"; a colon or another "#" would be another DID URL.
    let is_fragment = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=@%".contains(&byte);
    (!fragment.is_empty() && fragment.bytes().all(is_fragment)).then(|| format!("{did}#{fragment}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_ids_become_absolute() {
        let url = "did:example:issuer#key-1".to_owned();
        for key_id in ["did:example:issuer#key-1", "#key-1", "key-1"] {
            assert_eq!(
                absolute_key_id("did:example:issuer", key_id),
                Some(url.clone()),
                "{key_id}"
            );
        }
        for key_id in [
            "did:example:issuer",
            "did:example:issuer#",
            "did:example:issuer2#key-1",
            "did:example:issuer/path#key-1",
            "did:example:other#key-1",
            "#",
            "",
            "#a#b",
            "#a b",
        ] {
            assert_eq!(absolute_key_id("did:example:issuer", key_id), None, "{key_id}");
        }
    }
}
