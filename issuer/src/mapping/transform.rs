//! One column's text to one claim's value.
//!
//! Every transform refuses what it does not understand. None guesses: `01/02/2003` is two dates.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use credential::mdoc::full_date;
use jiff::civil::Date;
use keys::cbor;
use serde_json::Map;
use serde_json::Value;

/// What [`date`] takes, for messages.
pub(super) const A_DATE: &str = "a date such as 2026-11-23";

/// A paragraph is text, a file is not: 8 KiB hold the longest names and addresses many times over.
const MAX_TEXT_BYTES: usize = 8 << 10;

/// Elements of a list or records of a field. A person has few nationalities, doses or categories; a
/// disclosure for each of a hundred is what wallets still show.
const MAX_ITEMS: usize = 100;

/// Twice the 30 kB of an ordinary passport portrait; larger ones belong behind a hash.
const MAX_IMAGE_BYTES: usize = 64 << 10;

/// Beyond 2^53 - 1 a JSON number is not the same for every reader
/// ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259#section-6)).
const MAX_INTEGER: u64 = (1 << 53) - 1;

/// What is done with a column's text.
#[derive(Clone, Debug)]
pub(super) enum Transform {
    /// Whether the years since the date are complete.
    AgeOver { years: u16 },
    /// `true`, `t`, `yes`, `y`, `1` and their opposites, in any case.
    Boolean,
    /// `2026-11-23` as it is.
    Date,
    /// Base64 of a JPEG or PNG to a data URL.
    Image,
    /// A whole number.
    Integer,
    /// Texts apart by `separator`; with `member` each becomes an object with that one member.
    List { separator: String, member: Option<String> },
    /// Objects apart by `separator`, their fields in order apart by `field_separator`.
    Records {
        separator: String,
        field_separator: String,
        fields: Vec<Field>,
    },
    /// Text as it is.
    Text,
}

/// A field of a record.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) transform: Transform,
}

impl Transform {
    /// The value of `text`, which has no blanks around it; none for an empty text.
    ///
    /// # Errors
    /// What was expected.
    pub(super) fn apply(&self, text: &str, today: Date) -> Result<Option<Value>, &'static str> {
        if text.is_empty() {
            return Ok(None);
        }
        match self {
            Self::AgeOver { years } => age_over(text, *years, today).map(Value::from).map(Some),
            Self::Boolean => boolean(text).map(Value::from).map(Some),
            Self::Date => date(text).map(|_| Some(Value::from(text))).ok_or(A_DATE),
            Self::Image => image(text).map(Value::from).map(Some),
            Self::Integer => integer(text).map(Value::from).map(Some),
            Self::List { separator, member } => list(text, separator, member.as_deref()),
            Self::Records {
                separator,
                field_separator,
                fields,
            } => records(text, separator, field_separator, fields, today),
            Self::Text => plain(text).map(Value::from).map(Some),
        }
    }

    /// A value that [`Transform::apply`] gave, as a data element of an mdoc: dates and images have types of their own
    /// there.
    pub(super) fn element(&self, value: &Value) -> cbor::Value {
        match (self, value) {
            (Self::Date, Value::String(date)) => full_date(date),
            (Self::Image, Value::String(url)) => {
                let base64 = url.split_once(',').map_or("", |(_, base64)| base64);
                // It is what `image` encoded.
                cbor::Value::Bytes(STANDARD.decode(base64).unwrap_or_default())
            }
            (Self::Records { fields, .. }, Value::Array(items)) => {
                let record = |item: &Value| {
                    let entry = |field: &Field| {
                        let value = field.transform.element(item.get(&field.name)?);
                        Some((cbor::Value::text(&field.name), value))
                    };
                    cbor::Value::Map(fields.iter().filter_map(entry).collect())
                };
                cbor::Value::Array(items.iter().map(record).collect())
            }
            _ => plain_element(value),
        }
    }
}

/// The CBOR of JSON that needs no type of its own. The numbers of a mapping are whole and within 53 bits.
pub(super) fn plain_element(value: &Value) -> cbor::Value {
    match value {
        Value::Null => cbor::Value::Null,
        Value::Bool(truth) => cbor::Value::Bool(*truth),
        Value::Number(number) => number.as_i64().map_or(cbor::Value::Null, cbor::Value::from),
        Value::String(text) => cbor::Value::text(text),
        Value::Array(items) => cbor::Value::Array(items.iter().map(plain_element).collect()),
        Value::Object(members) => {
            let entry = |(name, value): (&String, &Value)| (cbor::Value::text(name), plain_element(value));
            cbor::Value::Map(members.iter().map(entry).collect())
        }
    }
}

/// Exactly `YYYY-MM-DD` of a day that exists.
pub(super) fn date(text: &str) -> Option<Date> {
    // The parser behind it also takes times, basic forms and signed years.
    let shape_fits = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shape_fits {
        return None;
    }
    text.parse().ok()
}

/// Somebody born on 29 February completes a year on 1 March of a common year: never a day too early.
fn age_over(text: &str, years: u16, today: Date) -> Result<bool, &'static str> {
    let born = date(text)
        .filter(|born| *born <= today)
        .ok_or("a date that is not in the future")?;
    let had_birthday = (today.month(), today.day()) >= (born.month(), born.day());
    let completed = i32::from(today.year()) - i32::from(born.year()) - i32::from(!had_birthday);
    Ok(completed >= i32::from(years))
}

fn boolean(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "0" => Ok(false),
        _ => Err("true or false"),
    }
}

fn integer(text: &str) -> Result<i64, &'static str> {
    // `from_str` also takes a plus sign; a register with signs means something else, such as a phone number.
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<i64>()
        .ok()
        .filter(|number| is_plain && number.unsigned_abs() <= MAX_INTEGER)
        .ok_or("a whole number of at most 53 bits")
}

/// Keeps the text, with line ends as LF; other control characters are damage.
fn plain(text: &str) -> Result<String, &'static str> {
    let text = text.replace("\r\n", "\n");
    let has_damage = text
        .chars()
        .any(|character| character.is_control() && character != '\n' && character != '\t');
    if has_damage || text.len() > MAX_TEXT_BYTES {
        return Err("text of at most 8 KiB without control characters");
    }
    Ok(text)
}

fn image(text: &str) -> Result<String, &'static str> {
    const EXPECTED: &str = "base64 of a JPEG or PNG of at most 64 KiB";
    // Checked before decoding; lines of 76 characters add less than a tenth.
    if text.len() > MAX_IMAGE_BYTES * 3 / 2 {
        return Err(EXPECTED);
    }
    let compact: String = text
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .collect();
    let bytes = STANDARD.decode(&compact).map_err(|_| EXPECTED)?;
    let media_type = match bytes.as_slice() {
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => "image/png",
        _ => return Err(EXPECTED),
    };
    if bytes.len() > MAX_IMAGE_BYTES {
        return Err(EXPECTED);
    }
    Ok(format!("data:{media_type};base64,{compact}"))
}

/// Parts without the blanks around them; empty parts are dropped.
fn parts<'a>(text: &'a str, separator: &'a str) -> Result<Vec<&'a str>, &'static str> {
    let parts: Vec<&str> = text
        .split(separator)
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if parts.len() > MAX_ITEMS {
        return Err("a list of at most 100 elements");
    }
    Ok(parts)
}

fn list(text: &str, separator: &str, member: Option<&str>) -> Result<Option<Value>, &'static str> {
    let mut items = Vec::new();
    for part in parts(text, separator)? {
        let item = Value::from(plain(part)?);
        items.push(match member {
            Some(member) => Value::Object(Map::from_iter([(member.to_owned(), item)])),
            None => item,
        });
    }
    Ok(Some(items).filter(|items| !items.is_empty()).map(Value::Array))
}

fn records(
    text: &str,
    separator: &str,
    field_separator: &str,
    fields: &[Field],
    today: Date,
) -> Result<Option<Value>, &'static str> {
    let mut items = Vec::new();
    for part in parts(text, separator)? {
        let values: Vec<&str> = part.split(field_separator).map(str::trim).collect();
        // One field more or less would shift the values to the wrong names.
        if values.len() != fields.len() {
            return Err("records with exactly the fields of the mapping");
        }
        let mut item = Map::new();
        for (field, value) in fields.iter().zip(values) {
            if let Some(value) = field.transform.apply(value, today)? {
                item.insert(field.name.clone(), value);
            }
        }
        if !item.is_empty() {
            items.push(Value::Object(item));
        }
    }
    Ok(Some(items).filter(|items| !items.is_empty()).map(Value::Array))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date as day;
    use serde_json::json;

    use super::*;

    const TODAY: Date = day(2026, 11, 23);

    fn apply(transform: &Transform, text: &str) -> Result<Option<Value>, &'static str> {
        transform.apply(text, TODAY)
    }

    #[test]
    fn an_empty_text_is_no_value() {
        for transform in [
            Transform::Text,
            Transform::Date,
            Transform::Boolean,
            Transform::AgeOver { years: 18 },
        ] {
            assert_eq!(apply(&transform, ""), Ok(None));
        }
    }

    #[test]
    fn ages_count_complete_years() {
        let over = |born: &str, today| Transform::AgeOver { years: 18 }.apply(born, today);
        assert_eq!(over("2008-11-23", day(2026, 11, 23)), Ok(Some(json!(true))));
        assert_eq!(over("2008-11-24", day(2026, 11, 23)), Ok(Some(json!(false))));
        assert_eq!(over("1899-12-31", TODAY), Ok(Some(json!(true))));
        assert!(over("2026-11-24", TODAY).is_err());
    }

    #[test]
    fn a_leap_day_birthday_is_on_the_first_of_march() {
        let over = |today| Transform::AgeOver { years: 18 }.apply("2008-02-29", today);
        assert_eq!(over(day(2026, 2, 28)), Ok(Some(json!(false))));
        assert_eq!(over(day(2026, 3, 1)), Ok(Some(json!(true))));
        // In a leap year it is on the day itself.
        let over_20 = Transform::AgeOver { years: 20 };
        assert_eq!(over_20.apply("2008-02-29", day(2028, 2, 28)), Ok(Some(json!(false))));
        assert_eq!(over_20.apply("2008-02-29", day(2028, 2, 29)), Ok(Some(json!(true))));
    }

    #[test]
    fn only_one_form_of_date() {
        assert_eq!(apply(&Transform::Date, "2024-02-29"), Ok(Some(json!("2024-02-29"))));
        for bad in [
            "2023-02-29",
            "20240229",
            "2024-2-29",
            "29/02/2024",
            "2024-02-29T00:00:00",
            "+002024-02",
            "-024-02-29",
            "2024-13-01",
            "1950",
            "０２４-02-2",
        ] {
            assert_eq!(apply(&Transform::Date, bad), Err(A_DATE), "{bad}");
        }
    }

    #[test]
    fn booleans_and_integers_are_strict() {
        assert_eq!(apply(&Transform::Boolean, "YES"), Ok(Some(json!(true))));
        assert_eq!(apply(&Transform::Boolean, "f"), Ok(Some(json!(false))));
        assert!(apply(&Transform::Boolean, "maybe").is_err());
        assert_eq!(apply(&Transform::Integer, "-12"), Ok(Some(json!(-12))));
        assert_eq!(
            apply(&Transform::Integer, "9007199254740991"),
            Ok(Some(json!(9_007_199_254_740_991_i64)))
        );
        for bad in ["9007199254740992", "+1", "1.0", "1e3", "--1", "-", "٣"] {
            assert!(apply(&Transform::Integer, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_keeps_every_script_and_refuses_damage() {
        for text in ["تنجوڠ", "Nguye\u{302}\u{323}t", "𠮷野", "மாறன்", "نگین\u{200C}سادات"] {
            assert_eq!(apply(&Transform::Text, text), Ok(Some(json!(text))));
        }
        assert_eq!(apply(&Transform::Text, "a\r\nb"), Ok(Some(json!("a\nb"))));
        for bad in ["a\0b", "a\u{1b}[31m", "a\rb", &"x".repeat(MAX_TEXT_BYTES + 1)] {
            assert!(apply(&Transform::Text, bad).is_err());
        }
    }

    #[test]
    fn images_are_known_by_their_first_bytes() {
        let jpeg = STANDARD.encode([0xFF, 0xD8, 0xFF, 0xE0, 1, 2]);
        let url = format!("data:image/jpeg;base64,{jpeg}");
        assert_eq!(apply(&Transform::Image, &jpeg), Ok(Some(json!(url))));
        // Databases break base64 into lines.
        let broken = format!("{}\n{}", &jpeg[..4], &jpeg[4..]);
        assert_eq!(apply(&Transform::Image, &broken), Ok(Some(json!(url))));
        let png = STANDARD.encode(b"\x89PNG\r\n\x1a\n....");
        assert_eq!(
            apply(&Transform::Image, &png),
            Ok(Some(json!(format!("data:image/png;base64,{png}"))))
        );
        let svg = STANDARD.encode("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>");
        let mut large = vec![0xFF, 0xD8, 0xFF];
        large.resize(MAX_IMAGE_BYTES, 0);
        assert!(apply(&Transform::Image, &STANDARD.encode(&large)).is_ok());
        large.push(0);
        for bad in [
            svg.as_str(),
            "not base64!",
            &STANDARD.encode(&large),
            &"A".repeat(MAX_IMAGE_BYTES * 2),
        ] {
            assert!(apply(&Transform::Image, bad).is_err());
        }
    }

    #[test]
    fn lists_drop_empty_parts() {
        let list = Transform::List {
            separator: ";".to_owned(),
            member: None,
        };
        assert_eq!(apply(&list, "XA; XB;;"), Ok(Some(json!(["XA", "XB"]))));
        assert_eq!(apply(&list, " ; "), Ok(None));
        assert!(apply(&list, &"a;".repeat(MAX_ITEMS)).is_ok());
        assert!(apply(&list, &"a;".repeat(MAX_ITEMS + 1)).is_err());
        let objects = Transform::List {
            separator: "+".to_owned(),
            member: Some("code".to_owned()),
        };
        assert_eq!(
            apply(&objects, "01+78"),
            Ok(Some(json!([{"code": "01"}, {"code": "78"}])))
        );
    }

    #[test]
    fn records_need_exactly_their_fields() {
        let records = Transform::Records {
            separator: ";".to_owned(),
            field_separator: ":".to_owned(),
            fields: vec![
                Field {
                    name: "category".to_owned(),
                    transform: Transform::Text,
                },
                Field {
                    name: "since".to_owned(),
                    transform: Transform::Date,
                },
            ],
        };
        assert_eq!(
            apply(&records, "B:2010-11-03;A1:"),
            Ok(Some(
                json!([{"category": "B", "since": "2010-11-03"}, {"category": "A1"}])
            ))
        );
        for bad in ["B", "B:2010-11-03:more", "B:yesterday", "2010-11-03:B"] {
            assert!(apply(&records, bad).is_err(), "{bad}");
        }
    }
}
