//! Breaking text into lines of a width, for terminals and for SVG, which breaks none itself.

use unicode_width::UnicodeWidthChar as _;

/// Joins what stands before and after it to one sign.
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Columns of a terminal that a character takes.
pub(crate) fn columns(character: char) -> f32 {
    f32::from(cells(character))
}

/// The same as a number that is compared.
pub(crate) fn cells(character: char) -> u8 {
    match character.width() {
        Some(2) => 2,
        Some(0) | None => 0,
        Some(_) => 1,
    }
}

/// Columns of a text.
pub(crate) fn width(text: &str, of: impl Fn(char) -> f32) -> f32 {
    text.chars().map(of).sum()
}

/// The lines of `text`, none of them wider than `max` unless a single sign is. Its own line breaks stay. Lines break
/// after a space or hyphen and beside ideographs, otherwise where the line is full, never before a combining mark.
pub(crate) fn wrap(text: &str, max: f32, of: impl Fn(char) -> f32) -> Vec<String> {
    text.split('\n').flat_map(|line| wrap_line(line, max, &of)).collect()
}

fn wrap_line(line: &str, max: f32, of: &impl Fn(char) -> f32) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut start, mut used) = (0, 0.0);
    // Where the line may break, and how much of it stands before.
    let mut chance = None;
    let mut previous = ' ';
    for (at, character) in line.char_indices() {
        let width = of(character);
        let joined = cells(character) == 0 || previous == ZERO_WIDTH_JOINER;
        if !joined && at > start {
            if matches!(previous, ' ' | '-') || cells(character) == 2 || cells(previous) == 2 {
                chance = Some((at, used));
            }
            if used + width > max && character != ' ' {
                let (end, before) = chance.take().unwrap_or((at, used));
                lines.push(line.get(start..end).unwrap_or_default().trim_end().to_owned());
                start = end;
                used -= before;
            }
        }
        used += width;
        previous = character;
    }
    lines.push(line.get(start..).unwrap_or_default().trim_end().to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, max: f32) -> Vec<String> {
        wrap(text, max, columns)
    }

    #[test]
    fn lines_break_where_readers_expect_it() {
        assert_eq!(lines("", 4.0), [""]);
        assert_eq!(lines("to be or not", 5.0), ["to be", "or", "not"]);
        assert_eq!(lines("well-known", 6.0), ["well-", "known"]);
        assert_eq!(lines("abcdefgh", 3.0), ["abc", "def", "gh"]);
        assert_eq!(lines("a\n\nb", 9.0), ["a", "", "b"]);
        assert_eq!(lines("个人身份证明", 4.0), ["个人", "身份", "证明"]);
        assert_eq!(lines("x个人", 3.0), ["x个", "人"]);
    }

    #[test]
    fn signs_are_not_torn_apart() {
        assert_eq!(lines("ae\u{301}e\u{301}", 2.0), ["ae\u{301}", "e\u{301}"]);
        assert_eq!(
            lines("a👩\u{200d}👩\u{200d}👧b", 3.0).concat(),
            "a👩\u{200d}👩\u{200d}👧b"
        );
        assert!(
            lines("a👩\u{200d}👩\u{200d}👧b", 3.0)
                .iter()
                .all(|line| !line.starts_with('\u{200d}'))
        );
        assert_eq!(lines("人", 1.0), ["人"]);
    }

    #[test]
    fn nothing_gets_lost_in_long_text() {
        let long = "x".repeat(1_000) + &"é ".repeat(500) + &"字".repeat(300);
        let wrapped = lines(&long, 17.0);
        assert!(wrapped.iter().all(|line| width(line, columns) <= 17.0));
        let letters = |text: &str| text.replace(' ', "");
        assert_eq!(letters(&wrapped.concat()), letters(&long));
    }
}
