//! JSON pointers ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)), as they select a part of a document.

use std::fmt;
use std::str::FromStr;

use super::SelectiveError;
use crate::ClaimPath;
use crate::claim_path::PathComponent;

/// Pointers of one proof. A credential has some ten to a hundred members to choose from; the proof of an issuer
/// carries its pointers, and each is walked.
pub const MAX_POINTERS: usize = 512;

/// Bytes of one pointer: 32 levels, as deep as foreign JSON is read, of 16 bytes each. The longest in the published
/// vectors has 49.
const MAX_POINTER_BYTES: usize = 512;

/// The way from the top of a document to one of its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// The pointer to what stands at the end of these names of members.
    ///
    /// # Errors
    /// [`SelectiveError::PointerSyntax`], the caller's fault: no name at all.
    pub fn of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, SelectiveError> {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        if names.is_empty() {
            return Err(SelectiveError::PointerSyntax);
        }
        Ok(Self(names))
    }

    pub(super) fn names(&self) -> &[String] {
        &self.0
    }
}

impl FromStr for Pointer {
    type Err = SelectiveError;

    /// Reads a pointer. The empty one, to the whole document, is refused: implementations differ in what it
    /// selects.
    fn from_str(text: &str) -> Result<Self, SelectiveError> {
        let names = text
            .strip_prefix('/')
            .filter(|names| names.len() < MAX_POINTER_BYTES)
            .and_then(|names| names.split('/').map(unescaped).collect());
        names.map(Self).ok_or(SelectiveError::PointerSyntax)
    }
}

impl TryFrom<&ClaimPath> for Pointer {
    type Error = SelectiveError;

    /// The pointer to what a path of keys and indexes selects.
    fn try_from(path: &ClaimPath) -> Result<Self, SelectiveError> {
        let name = |component: &PathComponent| match component {
            PathComponent::Key(key) => Some(key.clone()),
            PathComponent::Index(index) => Some(index.to_string()),
            PathComponent::All => None,
        };
        let names = path.components().iter().map(name).collect::<Option<_>>();
        names.map(Self).ok_or(SelectiveError::PointerSyntax)
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|name| write!(f, "/{}", escaped(name)))
    }
}

pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// None if a `~` is followed by something else than `0` or `1`.
fn unescaped(name: &str) -> Option<String> {
    let mut parts = name.split('~');
    let mut out = parts.next()?.to_owned();
    for part in parts {
        let (character, rest) = match part.as_bytes().first()? {
            b'0' => ('~', part.get(1..)?),
            b'1' => ('/', part.get(1..)?),
            _ => return None,
        };
        out.push(character);
        out.push_str(rest);
    }
    Some(out)
}

/// The position that a name means in an array: digits without a leading zero.
pub(super) fn index(name: &str) -> Option<usize> {
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit()) && (name == "0" || !name.starts_with('0'));
    name.parse().ok().filter(|_| is_number)
}
