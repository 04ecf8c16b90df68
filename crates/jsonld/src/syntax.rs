//! Small grammars: keywords, IRIs ([RFC 3987](https://www.rfc-editor.org/rfc/rfc3987)), blank node
//! identifiers, language tags, and reference resolution
//! ([RFC 3986, section 5.2](https://www.rfc-editor.org/rfc/rfc3986#section-5.2)).

/// Whether `text` is one of the [keywords](https://www.w3.org/TR/json-ld11/#syntax-tokens-and-keywords).
pub(crate) fn is_keyword(text: &str) -> bool {
    text.starts_with('@')
        && matches!(
            text,
            "@base"
                | "@container"
                | "@context"
                | "@direction"
                | "@graph"
                | "@id"
                | "@import"
                | "@included"
                | "@index"
                | "@json"
                | "@language"
                | "@list"
                | "@nest"
                | "@none"
                | "@prefix"
                | "@propagate"
                | "@protected"
                | "@reverse"
                | "@set"
                | "@type"
                | "@value"
                | "@version"
                | "@vocab"
        )
}

/// Whether `text` looks like a keyword (`"@"1*ALPHA`), known or not.
pub(crate) fn has_keyword_form(text: &str) -> bool {
    text.strip_prefix('@')
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()))
}

pub(crate) fn is_blank_node(text: &str) -> bool {
    text.starts_with("_:")
}

/// The part before the first colon, if it is an IRI scheme.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let rest = bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    (starts && rest).then_some(scheme)
}

/// Whether `text` has the form of an IRI: a scheme and a colon. Whether the rest is well-formed is asked
/// where a statement is made of it ([`is_well_formed_iri`]).
pub(crate) fn has_iri_form(text: &str) -> bool {
    scheme(text).is_some()
}

/// Whether `text` matches `IRI` of RFC 3987, apart from the inner structure of the authority.
pub(crate) fn is_well_formed_iri(text: &str) -> bool {
    let Some(scheme) = scheme(text) else {
        return false;
    };
    let rest = text.get(scheme.len() + 1..).unwrap_or_default();
    // Most IRIs have nothing that asks for a closer look.
    if rest.bytes().all(is_plain) {
        return true;
    }
    let mut fragments = 0;
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        let good = match character {
            '%' => {
                let mut is_hex = || characters.next().is_some_and(|digit| digit.is_ascii_hexdigit());
                is_hex() && is_hex()
            }
            '#' => {
                fragments += 1;
                fragments == 1
            }
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => false,
            ascii if ascii.is_ascii() => ascii.is_ascii_graphic(),
            other => is_ucschar(other) || is_iprivate(other),
        };
        if !good {
            return false;
        }
    }
    true
}

/// An ASCII character that may stand in any IRI, any number of times.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'#' | b'%' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

const fn is_ucschar(character: char) -> bool {
    let code = character as u32;
    // The last two code points of every plane are noncharacters.
    matches!(code, 0xA0..=0xD7FF | 0xF900..=0xFDCF | 0xFDF0..=0xFFEF | 0x1_0000..=0xE_FFFF) && code & 0xFFFE != 0xFFFE
}

const fn is_iprivate(character: char) -> bool {
    matches!(character as u32, 0xE000..=0xF8FF | 0xF_0000..=0xF_FFFD | 0x10_0000..=0x10_FFFD)
}

/// Whether `tag` has the shape that every language tag has ([BCP 47](https://www.rfc-editor.org/info/bcp47)):
/// letters, then groups of at most 8 letters and digits. Registries of subtags are not consulted.
pub(crate) fn is_language_tag(tag: &str) -> bool {
    let mut groups = tag.split('-');
    let in_size = |group: &str| (1..=8).contains(&group.len());
    groups
        .next()
        .is_some_and(|first| in_size(first) && first.bytes().all(|byte| byte.is_ascii_alphabetic()))
        && groups.all(|group| in_size(group) && group.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// Resolves `reference` against `base`, which has a scheme. No normalization but the removal of dot segments.
pub(crate) fn resolve(base: &str, reference: &str) -> String {
    let reference_parts = Reference::split(reference);
    if reference_parts.scheme.is_some() {
        return Reference {
            path: &remove_dot_segments(reference_parts.path),
            ..reference_parts
        }
        .join();
    }
    let base = Reference::split(base);
    if reference_parts.authority.is_some() {
        return Reference {
            scheme: base.scheme,
            path: &remove_dot_segments(reference_parts.path),
            ..reference_parts
        }
        .join();
    }
    let path = if reference_parts.path.is_empty() {
        base.path.to_owned()
    } else if reference_parts.path.starts_with('/') {
        remove_dot_segments(reference_parts.path)
    } else {
        remove_dot_segments(&merge(&base, reference_parts.path))
    };
    let query = if reference_parts.path.is_empty() {
        reference_parts.query.or(base.query)
    } else {
        reference_parts.query
    };
    Reference {
        scheme: base.scheme,
        authority: base.authority,
        path: &path,
        query,
        fragment: reference_parts.fragment,
    }
    .join()
}

/// The five components of RFC 3986, appendix B.
struct Reference<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Reference<'a> {
    fn split(text: &'a str) -> Self {
        let (text, fragment) = split_off(text, '#');
        let (text, query) = split_off(text, '?');
        let scheme = scheme(text);
        let text = scheme.map_or(text, |scheme| text.get(scheme.len() + 1..).unwrap_or_default());
        let (authority, path) = match text.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                let (authority, path) = rest.split_at(end);
                (Some(authority), path)
            }
            None => (None, text),
        };
        Self {
            scheme,
            authority,
            path,
            query,
            fragment,
        }
    }

    fn join(&self) -> String {
        let mut out = String::new();
        if let Some(scheme) = self.scheme {
            out.push_str(scheme);
            out.push(':');
        }
        if let Some(authority) = self.authority {
            out.push_str("//");
            out.push_str(authority);
        }
        out.push_str(self.path);
        if let Some(query) = self.query {
            out.push('?');
            out.push_str(query);
        }
        if let Some(fragment) = self.fragment {
            out.push('#');
            out.push_str(fragment);
        }
        out
    }
}

fn split_off(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator)
        .map_or((text, None), |(before, after)| (before, Some(after)))
}

/// RFC 3986, section 5.2.3.
fn merge(base: &Reference<'_>, path: &str) -> String {
    if base.authority.is_some() && base.path.is_empty() {
        return format!("/{path}");
    }
    let directory = base.path.rfind('/').and_then(|end| base.path.get(..=end));
    format!("{}{path}", directory.unwrap_or_default())
}

/// RFC 3986, section 5.2.4.
fn remove_dot_segments(path: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let rooted = path.starts_with('/');
    let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    let last = segments.len().saturating_sub(1);
    for (position, segment) in segments.iter().enumerate() {
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    out.pop();
                }
                // A dot segment at the end leaves its directory, with the slash.
                if position == last {
                    out.push("");
                }
            }
            other => out.push(other),
        }
    }
    let joined = out.join("/");
    if rooted { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3986, sections 5.4.1 and 5.4.2.
    #[test]
    fn references_of_rfc_3986_resolve() {
        let base = "http://a/b/c/d;p?q";
        for (reference, expected) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q#s"),
            ("g#s", "http://a/b/c/g#s"),
            ("g?y#s", "http://a/b/c/g?y#s"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../g", "http://a/g"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./../g", "http://a/b/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/./h", "http://a/b/c/g/h"),
            ("g/../h", "http://a/b/c/h"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("g#s/../x", "http://a/b/c/g#s/../x"),
        ] {
            assert_eq!(resolve(base, reference), expected, "{reference}");
        }
    }

    #[test]
    fn iris_are_well_formed_or_not() {
        for good in [
            "http://example.org/a?b#c",
            "urn:x:%20",
            "did:web:a.example",
            "http://ex.org/\u{e9}",
            "a:",
        ] {
            assert!(is_well_formed_iri(good), "{good}");
        }
        for bad in [
            "", "relative", "/a", "1a:b", "a:b c", "a:<b>", "a:b\\c", "a:%2", "a:#b#c", "a:\u{7f}", "_:b",
        ] {
            assert!(!is_well_formed_iri(bad), "{bad}");
        }
    }

    #[test]
    fn language_tags_are_well_formed_or_not() {
        for good in ["en", "zh-Hant-TW", "x-own", "de-1996"] {
            assert!(is_language_tag(good), "{good}");
        }
        for bad in ["", "e n", "en_GB", "en-", "toolonglang", "1a", "en-\u{e9}"] {
            assert!(!is_language_tag(bad), "{bad}");
        }
    }
}
