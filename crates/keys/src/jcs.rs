//! JSON Canonicalization Scheme ([RFC 8785](https://www.rfc-editor.org/rfc/rfc8785)).

use serde_json::Map;
use serde_json::Number;
use serde_json::Value;
use thiserror::Error;

/// The value has no canonical form.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected numbers that IEEE 754 doubles can hold, found another")]
pub struct JcsError;

/// Room for a credential, so that its text is not moved while it is written.
const TYPICAL_BYTES: usize = 1024;

/// The canonical text of `value`: members sorted by UTF-16 code units, numbers as ECMAScript prints
/// them, the shortest string escapes. Integers beyond 2^53 are printed as the double nearest to them.
///
/// # Errors
/// [`JcsError`] for a number that is not a finite double.
pub fn canonicalize(value: &Value) -> Result<String, JcsError> {
    let mut out = String::with_capacity(TYPICAL_BYTES);
    write_value(value, &mut out)?;
    Ok(out)
}

/// As [`canonicalize`], of an object's members.
///
/// # Errors
/// [`JcsError`] for a number that is not a finite double.
pub fn canonicalize_object(members: &Map<String, Value>) -> Result<String, JcsError> {
    let mut out = String::with_capacity(TYPICAL_BYTES);
    write_object(members, &mut out)?;
    Ok(out)
}

fn write_value(value: &Value, out: &mut String) -> Result<(), JcsError> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => write_number(number, out)?,
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write_value(item, out)?;
            }
            out.push(']');
        }
        Value::Object(map) => write_object(map, out)?,
    }
    Ok(())
}

fn write_object(map: &Map<String, Value>, out: &mut String) -> Result<(), JcsError> {
    // UTF-16 order differs from UTF-8 order above U+D7FF, so byte order would be wrong.
    if map.keys().all(|name| name.is_ascii()) {
        // As a map is that does not keep the order in which members came.
        if map.keys().is_sorted() {
            return write_members(map.iter(), out);
        }
        let mut members: Vec<(&String, &Value)> = map.iter().collect();
        members.sort_unstable_by_key(|(name, _)| *name);
        return write_members(members.into_iter(), out);
    }
    let mut members: Vec<(&String, &Value)> = map.iter().collect();
    members.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
    write_members(members.into_iter(), out)
}

fn write_members<'m>(members: impl Iterator<Item = (&'m String, &'m Value)>, out: &mut String) -> Result<(), JcsError> {
    out.push('{');
    for (position, (name, value)) in members.enumerate() {
        if position > 0 {
            out.push(',');
        }
        write_string(name, out);
        out.push(':');
        write_value(value, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    // Every byte is looked at, also behind one that is found: several at once that way.
    let is_escaped = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    if text.bytes().fold(false, |any, byte| any | is_escaped(byte)) {
        text.chars().for_each(|character| write_character(character, out));
    } else {
        out.push_str(text);
    }
    out.push('"');
}

fn write_character(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\u{9}' => out.push_str("\\t"),
        '\u{a}' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\u{d}' => out.push_str("\\r"),
        control if control < '\u{20}' => {
            let escaped = format!("\\u{:04x}", u32::from(control));
            out.push_str(&escaped);
        }
        other => out.push(other),
    }
}

fn write_number(number: &Number, out: &mut String) -> Result<(), JcsError> {
    const SAFE: u64 = 1 << 53;
    let exact = number.as_i64().filter(|integer| integer.unsigned_abs() <= SAFE);
    if let Some(integer) = exact {
        out.push_str(&integer.to_string());
        return Ok(());
    }
    let double = number.as_f64().filter(|double| double.is_finite()).ok_or(JcsError)?;
    write_double(double, out);
    Ok(())
}

/// `Number::toString` of [ECMA-262](https://tc39.es/ecma262/#sec-numeric-types-number-tostring). The JSON
/// library prints the same shortest digits (Rust's own `{:e}` does not: it rounds a tie up where the
/// standard takes the even digit); only their layout differs.
fn write_double(double: f64, out: &mut String) {
    if double == 0.0 {
        out.push('0'); // also for -0
        return;
    }
    if double < 0.0 {
        out.push('-');
    }
    let printed = Number::from_f64(double.abs())
        .map(|number| number.to_string())
        .unwrap_or_default();
    let (digits, point) = digits_and_point(&printed);
    let exponent = point - 1;
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    if count <= point && point <= 21 {
        out.push_str(&digits);
        out.push_str(&zeros(point - count));
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        out.push_str(whole);
        out.push('.');
        out.push_str(fraction);
    } else if -6 < point && point <= 0 {
        out.push_str("0.");
        out.push_str(&zeros(-point));
        out.push_str(&digits);
    } else {
        let (first, rest) = digits.split_at(1);
        out.push_str(first);
        if !rest.is_empty() {
            out.push('.');
            out.push_str(rest);
        }
        out.push_str(if exponent < 0 { "e-" } else { "e+" });
        out.push_str(&exponent.unsigned_abs().to_string());
    }
}

/// Takes a positive decimal text apart: the value is 0.DIGITS times ten to the power of the second result
/// (`n` in ECMA-262), DIGITS without zeros at either end.
fn digits_and_point(printed: &str) -> (String, i32) {
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let leading_zeros = all.len() - significant.len();
    // Texts of doubles have at most 325 digits and exponents of 3, so nothing can overflow.
    let point = exponent.parse::<i32>().unwrap_or(0) + i32::try_from(whole.len()).unwrap_or(0)
        - i32::try_from(leading_zeros).unwrap_or(0);
    (significant.trim_end_matches('0').to_owned(), point)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 8785, appendix B.
    #[test]
    fn numbers_of_appendix_b() {
        for (bits, expected) in [
            (0x0000_0000_0000_0000_u64, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            let mut out = String::new();
            write_double(f64::from_bits(bits), &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn integers_beyond_doubles_are_printed_as_doubles() {
        assert_eq!(canonicalize(&json!(u64::MAX)).unwrap(), "18446744073709552000");
        assert_eq!(canonicalize(&json!(1_795_402_800)).unwrap(), "1795402800");
    }

    #[test]
    fn members_are_sorted_by_utf16() {
        // U+1F600 is D83D DE00 in UTF-16 and so comes before U+FB33, after it in UTF-8.
        assert_eq!(
            canonicalize(&json!({"\u{fb33}": 1, "\u{1f600}": 2, "a": 3})).unwrap(),
            "{\"a\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }
}
