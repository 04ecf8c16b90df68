//! From claims to rows: each claim once, under its label or its own name.

use credential::claim_path::PathComponent;
use keys::Timestamp;
use openid4vc::CredentialFormat;
use serde_json::Map;
use serde_json::Value as Json;

use super::Phrase;
use super::Picture;
use super::Row;
use super::Value;
use super::labels::Labels;
use super::language;
use super::picture::is_picture_url;
use super::words::Words;
use crate::claims::SUBJECT;
use crate::envelope;

/// Says how to draw a W3C credential, and is no claim.
const RENDER_METHOD: &str = "renderMethod";

pub(crate) struct Rows<'a> {
    labels: &'a Labels,
    words: &'static Words,
    locale: &'a str,
    format: &'a CredentialFormat,
    /// Members of the credential that stand elsewhere on the card.
    taken: Vec<&'static str>,
}

impl<'a> Rows<'a> {
    pub(crate) const fn new(
        labels: &'a Labels,
        words: &'static Words,
        locale: &'a str,
        format: &'a CredentialFormat,
    ) -> Self {
        Self {
            labels,
            words,
            locale,
            format,
            taken: Vec::new(),
        }
    }

    /// The `name` or `description` of a W3C credential, which then is no row
    /// ([names and descriptions](https://www.w3.org/TR/vc-data-model-2.0/#names-and-descriptions)).
    pub(crate) fn take_language_value(&mut self, claims: &Map<String, Json>, name: &'static str) -> Option<Phrase> {
        let phrase = match claims.get(name)? {
            _ if !self.is_w3c() => return None,
            Json::String(text) => Phrase::new(text, None),
            value => language_value(value, self.locale)?,
        };
        self.taken.push(name);
        Some(phrase)
    }

    /// The rows of a whole credential, without its envelope.
    pub(crate) fn of_credential(&self, claims: &Map<String, Json>) -> Vec<Row> {
        let envelope = envelope(self.format);
        let mut rows = Vec::new();
        for (name, value) in claims {
            if envelope.contains(&name.as_str()) || self.taken.contains(&name.as_str()) {
                continue;
            }
            let path = vec![PathComponent::Key(name.clone())];
            match value {
                // The subject's `id` is the holder's key as a DID.
                Json::Object(members) if self.is_w3c() && name == SUBJECT => {
                    rows.extend(self.of_members(members, &path, &["id"]));
                }
                _ if self.is_w3c() && name == RENDER_METHOD => {}
                // A namespace.
                Json::Object(members) if *self.format == CredentialFormat::MsoMdoc => {
                    rows.extend(self.of_members(members, &path, &[]));
                }
                _ => rows.push(self.row(name, value, &path)),
            }
        }
        in_order(rows)
    }

    const fn is_w3c(&self) -> bool {
        matches!(self.format, CredentialFormat::JwtVcJson | CredentialFormat::LdpVc)
    }

    fn of_members(&self, members: &Map<String, Json>, path: &[PathComponent], without: &[&str]) -> Vec<Placed> {
        let members = members.iter().filter(|(name, _)| !without.contains(&name.as_str()));
        let row =
            |(name, value): (&String, &Json)| self.row(name, value, &within(path, PathComponent::Key(name.clone())));
        members.map(row).collect()
    }

    fn row(&self, name: &str, value: &Json, path: &[PathComponent]) -> Placed {
        let label = self.labels.label(path).cloned();
        let label = label.unwrap_or_else(|| Phrase::new(name, None));
        let place = self.labels.place(path);
        let value = self.value(value, path);
        Placed {
            place,
            row: Row { label, value },
        }
    }

    fn value(&self, value: &Json, path: &[PathComponent]) -> Value {
        let own = |text: &str| Value::Text(Phrase::new(text, Some(self.words.language)));
        match value {
            Json::Bool(true) => own(self.words.yes),
            Json::Bool(false) => own(self.words.no),
            Json::Null => own(self.words.nothing),
            Json::Number(number) => Value::Text(Phrase::new(&number.to_string(), None)),
            Json::String(text) => self.words.text(text, self.is_bytes_possible()),
            Json::Array(items) if items.is_empty() => own(self.words.nothing),
            Json::Object(members) if members.is_empty() => own(self.words.nothing),
            Json::Array(_) | Json::Object(_) => self.nested(value, path),
        }
    }

    fn nested(&self, value: &Json, path: &[PathComponent]) -> Value {
        if self.is_w3c()
            && let Some(phrase) = language_value(value, self.locale)
        {
            return Value::Text(phrase);
        }
        match value {
            Json::Object(members) => Value::Group(in_order(self.of_members(members, path, &[]))),
            other => {
                let items = other.as_array().into_iter().flatten();
                let item = |(index, item)| self.value(item, &within(path, PathComponent::Index(index)));
                let mut items: Vec<Value> = items.enumerate().map(item).collect();
                // One object in an array needs no number of its own.
                if items.len() == 1
                    && let Some(only) = items.pop_if(|only| only.is_nested())
                {
                    return only;
                }
                Value::List(items)
            }
        }
    }

    /// Only CBOR has byte strings; elsewhere a text is a text.
    fn is_bytes_possible(&self) -> bool {
        *self.format == CredentialFormat::MsoMdoc
    }
}

/// A row and its place among those beside it.
struct Placed {
    place: usize,
    row: Row,
}

/// As the metadata has them; those that it does not name after them, as they stand.
fn in_order(mut rows: Vec<Placed>) -> Vec<Row> {
    rows.sort_by_key(|placed| placed.place);
    rows.into_iter().map(|placed| placed.row).collect()
}

fn within(path: &[PathComponent], inner: PathComponent) -> Vec<PathComponent> {
    path.iter().cloned().chain([inner]).collect()
}

/// A [language value object](https://www.w3.org/TR/vc-data-model-2.0/#language-and-base-direction), or the best of
/// several.
fn language_value(value: &Json, locale: &str) -> Option<Phrase> {
    let read = |value: &Json| -> Option<(String, Option<String>)> {
        let object = value.as_object()?;
        let known = |name: &String| matches!(name.as_str(), "@value" | "@language" | "@direction");
        if !object.keys().all(known) {
            return None;
        }
        let language = object.get("@language").and_then(Json::as_str).map(str::to_owned);
        Some((object.get("@value")?.as_str()?.to_owned(), language))
    };
    let all: Vec<(String, Option<String>)> = match value {
        Json::Array(items) => items.iter().map(read).collect::<Option<_>>()?,
        one => vec![read(one)?],
    };
    let (text, language) = language::best(locale, &all, |(_, language)| language.as_deref())?;
    Some(Phrase::new(text, language.as_deref()))
}

impl Words {
    /// A text as people read it: dates, pictures, anything else as it stands.
    pub(crate) fn text(&self, text: &str, bytes_possible: bool) -> Value {
        if let Some(date) = self.date(text) {
            return Value::Date {
                machine: text.to_owned(),
                text: date,
            };
        }
        if let Ok(time) = Timestamp::parse_rfc3339(text) {
            return self.time(time);
        }
        if is_picture_url(text) {
            return self.picture(Picture::from_data_url(text), text);
        }
        if bytes_possible && let Some(picture) = Picture::from_base64url(text) {
            return self.picture(Some(picture), text);
        }
        Value::Text(Phrase::new(text, None))
    }

    /// A time, in UTC.
    pub(crate) fn time(&self, time: Timestamp) -> Value {
        let machine = time.to_rfc3339();
        let (day, rest) = machine.split_once('T').unwrap_or((&machine, ""));
        let minutes = rest.get(..5).unwrap_or_default();
        let day = self.date(day).unwrap_or_else(|| day.to_owned());
        let text = format!("{day}, {minutes} UTC");
        Value::Date { machine, text }
    }

    /// A picture, or how long what cannot be shown is.
    fn picture(&self, picture: Option<Picture>, claim: &str) -> Value {
        if let Some(picture) = picture {
            let (kind, width, height) = (picture.kind(), picture.width(), picture.height());
            let text = format!("{}: {kind}, {width} × {height}", self.picture);
            Value::Picture { picture, text }
        } else {
            let text = format!("{}: {} {}", self.picture, claim.len(), self.characters);
            Value::Text(Phrase::new(&text, Some(self.language)))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::card::View;
    use crate::card::picture::tests::png;

    /// The title and the rows, one in a line.
    fn drawn(format: &CredentialFormat, locale: &str, descriptions: &Json, claims: &Json) -> (Option<Phrase>, String) {
        let descriptions: Vec<_> = serde_json::from_value(descriptions.clone()).unwrap();
        let view = View {
            locale,
            now: Timestamp::from_unix(0),
            resolved: None,
        };
        let labels = Labels::new(&descriptions, &view);
        let mut rows = Rows::new(&labels, Words::of(locale), locale, format);
        let claims = claims.as_object().unwrap();
        let title = rows.take_language_value(claims, "name");
        (title, Value::Group(rows.of_credential(claims)).to_line())
    }

    #[test]
    fn claims_of_an_sd_jwt_vc_stand_in_the_order_of_their_descriptions() {
        let descriptions = json!([
            {"path": ["b", null, "y"], "display": [{"name": "Why", "locale": "en"}]},
            {"path": ["b"], "display": [{"name": "Bee"}]},
            {"path": ["missing"], "display": [{"name": "Missing"}]},
            {"path": ["a"]},
        ]);
        let claims = json!({
            "iss": "did:example:1", "vct": "urn:a", "exp": 1, "cnf": {},
            "a": "2024-02-29", "b": [{"x": 1.5, "y": true}, {"y": false}], "list": ["XA", "XB"], "name": "N",
            "no": null, "empty": [], "t": "2026-11-28T12:30:00+08:00", "0": {"in": {"deep": "er"}},
        });
        let (title, rows) = drawn(&CredentialFormat::SdJwtVc, "en", &descriptions, &claims);
        assert_eq!(title, None, "a name is a claim like any other here");
        assert_eq!(
            rows,
            "Bee: Why: yes; x: 1.5, Why: no; a: 29 February 2024; 0: in: deep: er; empty: none; list: XA, XB; name: N; \
             no: none; t: 28 November 2026, 04:30 UTC"
        );
    }

    #[test]
    fn texts_of_w3c_credentials_are_in_the_wanted_language() {
        let name = json!([{"@value": "Ausweis", "@language": "de"}, {"@value": "Identity", "@language": "en"}]);
        let claims = json!({
            "@context": [], "type": ["VerifiableCredential"], "issuer": "did:example:1", "name": name,
            "credentialSubject": {"id": "did:key:z", "job": {"@value": "مهندس", "@language": "ar", "@direction": "rtl"},
                "town": {"@value": "X", "more": 1}},
            "renderMethod": {"type": "TemplateRenderMethod"}, "evidence": "E",
        });
        let (title, rows) = drawn(&CredentialFormat::LdpVc, "de-AT", &json!([]), &claims);
        let title = title.unwrap();
        assert_eq!(
            (title.text.as_str(), title.language.as_deref()),
            ("Ausweis", Some("de"))
        );
        assert_eq!(rows, "job: مهندس; town: @value: X; more: 1; evidence: E");
    }

    #[test]
    fn elements_of_an_mdoc_stand_without_their_namespaces() {
        let portrait = keys::base64url::encode(png(30, 40));
        let claims = json!({"org.iso.18013.5.1": {"family_name": "Doe", "portrait": portrait}, "org.example": {"note": portrait}});
        let labels = json!([{"path": ["org.iso.18013.5.1", "family_name"], "display": [{"name": "Family name"}]}]);
        let (_, rows) = drawn(&CredentialFormat::MsoMdoc, "en", &labels, &claims);
        assert_eq!(
            rows,
            "Family name: Doe; note: picture: PNG, 30 × 40; portrait: picture: PNG, 30 × 40"
        );
        let (_, rows) = drawn(&CredentialFormat::SdJwtVc, "en", &json!([]), &json!({"note": portrait}));
        assert_eq!(rows, format!("note: {portrait}"), "a text is a text");
    }

    #[test]
    fn a_picture_that_is_not_shown_is_told_by_its_length() {
        let claims = json!({"a": "data:image/jp2;base64,AAAA", "b": "data:text/plain,x"});
        let (_, rows) = drawn(&CredentialFormat::SdJwtVc, "en", &json!([]), &claims);
        assert_eq!(rows, "a: picture: 26 characters; b: data:text/plain,x");
    }
}
