//! The version of what a store keeps on disk, and which versions this program reads.
//!
//! The number changes when an older program would misread what a newer one wrote. A newer program
//! keeps reading every version down to [`OLDEST`], or refuses by name.

use thiserror::Error;

/// The version that this program writes.
pub(crate) const CURRENT: u32 = 1;

/// The oldest version that this program reads.
pub(crate) const OLDEST: u32 = 1;

/// The store was written by a program of another time. The operator chose the wrong program.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The version is higher than what this program knows.
    #[error("the store has format {found}, this program reads up to {newest}: use the newer program that wrote it")]
    TooNew {
        /// What the store says.
        found: u32,
        /// What this program writes.
        newest: u32,
    },
    /// The version is lower than what this program still reads.
    #[error("the store has format {found}, this program reads from {oldest}: copy it with an older program first")]
    TooOld {
        /// What the store says.
        found: u32,
        /// The oldest that this program reads.
        oldest: u32,
    },
    /// The version record cannot be read at all.
    #[error("expected a format record of a store, found {found:?}")]
    Unreadable {
        /// The start of what was found.
        found: String,
    },
}

/// Whether this program reads stores of version `found`.
pub(crate) fn check(found: u32) -> Result<(), FormatError> {
    check_within(found, OLDEST, CURRENT)
}

/// [`check`] for a program that reads `oldest` to `newest`: what a later version of this program
/// does is tested today.
fn check_within(found: u32, oldest: u32, newest: u32) -> Result<(), FormatError> {
    if found > newest {
        return Err(FormatError::TooNew { found, newest });
    }
    if found < oldest {
        return Err(FormatError::TooOld { found, oldest });
    }
    Ok(())
}

/// The version record of an embedded store: three lines of text, so that a person who finds the
/// folder knows what it is.
pub(crate) fn to_text(engine: &str) -> String {
    format!("attestry store\nformat {CURRENT}\nengine {engine}\n")
}

/// Reads what [`to_text`] wrote, of any version: the version and the engine's name.
pub(crate) fn parse_text(text: &str) -> Result<(u32, String), FormatError> {
    let unreadable = || FormatError::Unreadable {
        found: text.chars().take(80).collect(),
    };
    let mut lines = text.lines();
    if lines.next() != Some("attestry store") {
        return Err(unreadable());
    }
    let version = lines
        .next()
        .and_then(|line| line.strip_prefix("format "))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(unreadable)?;
    // A newer format may well have other lines than these: its number is judged first.
    check(version)?;
    let engine = lines
        .next()
        .and_then(|line| line.strip_prefix("engine "))
        .ok_or_else(unreadable)?;
    Ok((version, engine.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_record_is_read() {
        assert_eq!(parse_text(&to_text("fjall")), Ok((CURRENT, "fjall".to_owned())));
    }

    #[test]
    fn newer_format_is_refused_even_if_its_other_lines_differ() {
        assert_eq!(
            parse_text("attestry store\nformat 2\nshards 16\n"),
            Err(FormatError::TooNew {
                found: 2,
                newest: CURRENT
            })
        );
    }

    #[test]
    fn newer_program_reads_this_format_or_refuses_by_name() {
        assert_eq!(check_within(CURRENT, 1, CURRENT + 1), Ok(()));
        assert_eq!(
            check_within(CURRENT, CURRENT + 1, CURRENT + 2),
            Err(FormatError::TooOld {
                found: CURRENT,
                oldest: CURRENT + 1
            })
        );
    }

    #[test]
    fn anything_else_is_unreadable() {
        for text in [
            "",
            "attestry store\n",
            "attestry store\nformat +1\nengine fjall\n",
            "attestry store\nformat 1\n",
            "other\nformat 1\nengine fjall\n",
        ] {
            assert!(
                matches!(parse_text(text), Err(FormatError::Unreadable { .. })),
                "{text:?}"
            );
        }
    }
}
