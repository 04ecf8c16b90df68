//! What a credential looks like to people: a title, an issuer, labelled rows, colours, and how it stands. Pure.
//!
//! A [`Card`] is made of what is held, never of what is merely claimed: [`HeldCredential`] has checked the issuer's
//! signature. It is drawn as text ([`Card::to_text`]), HTML ([`Card::to_html`]) and SVG ([`Card::to_svg`]); a type's own
//! SVG template is filled in by [`Template`]. PNG is made at the edge.
//!
//! Labels, names and colours are the issuer's: its type metadata first, then the metadata of its credential endpoint,
//! since "format-specific mechanisms [...] are always preferred by the Wallet"
//! ([OpenID4VCI 1.0](https://openid.net/specs/openid-4-verifiable-credential-issuance-1_0.html#credential-issuer-parameters)).
//! Nothing is fetched for a card, so that looking at a credential tells nobody: pictures and templates that lie
//! elsewhere are not drawn unless the caller has their bytes.
//!
//! `renderMethod` of W3C credentials is not read: its text is a working draft "not fit for production deployment".

mod color;
mod escape;
mod html;
mod labels;
mod language;
mod picture;
mod rows;
mod svg;
mod template;
mod text;
mod words;
mod wrap;

pub use color::Color;
pub use color::MIN_CONTRAST;
pub use color::Scheme;
pub use picture::MAX_PICTURE_BYTES;
pub use picture::MAX_PICTURE_SIDE;
pub use picture::Picture;
pub use template::MAX_TEMPLATE_BYTES;
pub use template::Template;
pub use template::TemplateError;

use credential::sd_jwt_vc::type_metadata::ResolvedType;
use credential::sd_jwt_vc::type_metadata::SimpleRendering;
use credential::sd_jwt_vc::type_metadata::TypeDisplay;
use keys::Timestamp;
use openid4vc::vci::configuration::Display;

use crate::CredentialRecord;
use crate::HeldCredential;
use crate::text::printable_lines;
use labels::Labels;
use rows::Rows;
use words::Words;

/// How a card is wanted.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The language range of whoever looks at it (BCP 47), such as `zh-Hant-TW`.
    pub locale: &'a str,
    /// When it is looked at.
    pub now: Timestamp,
    /// The type's metadata, if the caller has it; compared with the credential's `vct#integrity` by whoever resolved it.
    pub resolved: Option<&'a ResolvedType>,
}

/// A credential for people to look at. No text in it has a character that a screen would obey.
#[derive(Clone, Debug)]
pub struct Card {
    words: &'static Words,
    title: Phrase,
    description: Option<Phrase>,
    issuer: Phrase,
    rows: Vec<Row>,
    scheme: Scheme,
    logo: Option<Logo>,
    standing: Standing,
}

/// A text and, where it is known, its language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// What it says, over several lines perhaps.
    pub text: String,
    /// A well-formed language tag.
    pub language: Option<String>,
}

/// One claim with its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The issuer's name for the claim, else the name that it has in the credential.
    pub label: Phrase,
    /// What the claim says.
    pub value: Value,
}

/// What a claim says, as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A day or a time.
    Date {
        /// For programs, such as `1990-05-17`.
        machine: String,
        /// For people.
        text: String,
    },
    /// The claims of an object.
    Group(Vec<Row>),
    /// The elements of an array.
    List(Vec<Self>),
    /// A portrait, a signature.
    Picture {
        /// The picture.
        picture: Picture,
        /// What to say where none can be drawn.
        text: String,
    },
    /// Anything else.
    Text(Phrase),
}

#[derive(Clone, Debug)]
struct Logo {
    picture: Picture,
    alternative: String,
}

/// How the credential stands, as far as it tells itself.
#[derive(Clone, Copy, Debug)]
struct Standing {
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    now: Timestamp,
    has_status: bool,
}

impl Card {
    /// Draws up the card of a credential. `record` is the one that it was opened from: it has the issuer's metadata.
    #[must_use]
    pub fn new(held: &HeldCredential, record: &CredentialRecord, view: &View<'_>) -> Self {
        let words = Words::of(view.locale);
        let facts = held.facts();
        let looks = Looks::choose(record, view);
        let labels = Labels::new(&record.metadata.claims, view);
        let mut rows = Rows::new(&labels, words, view.locale, &record.format);
        // A W3C credential may have a name of its own, in several languages; what the card says above is no row.
        let title = looks.title.or_else(|| rows.take_language_value(held.claims(), "name"));
        let description = looks
            .description
            .or_else(|| rows.take_language_value(held.claims(), "description"));
        let type_name = || {
            facts
                .types()
                .first()
                .map_or_else(|| record.format.as_str(), String::as_str)
        };
        let rows = rows.of_credential(held.claims());
        Self {
            words,
            title: title.unwrap_or_else(|| Phrase::new(type_name(), None)),
            description,
            issuer: Phrase::new(record.issuer_name.as_deref().unwrap_or(&record.issuer), None),
            rows,
            scheme: looks.scheme,
            logo: looks.logo,
            standing: Standing {
                from: facts.valid_from(),
                until: facts.valid_until(),
                now: view.now,
                has_status: !facts.status().is_empty() || !facts.unknown_status().is_empty(),
            },
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn title(&self) -> &Phrase {
        &self.title
    }

    /// Who issued it, by name or DID.
    #[must_use]
    pub const fn issuer(&self) -> &Phrase {
        &self.issuer
    }

    /// The claims, each once.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Its colours.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Validity and status, in our words.
    fn standing_rows(&self) -> Vec<Row> {
        let (words, standing) = (self.words, self.standing);
        let row = |label: &str, value: Value| Row {
            label: Phrase::new(label, Some(words.language)),
            value,
        };
        let text = |text: &str| Value::Text(Phrase::new(text, Some(words.language)));
        let mut rows = Vec::new();
        rows.extend(standing.from.map(|time| row(words.valid_from, words.time(time))));
        rows.extend(standing.until.map(|time| row(words.valid_until, words.time(time))));
        let state = if standing.until.is_some_and(|end| end <= standing.now) {
            words.expired
        } else if standing.from.is_some_and(|start| start > standing.now) {
            words.not_yet
        } else {
            words.current
        };
        rows.push(row(words.state, text(state)));
        let status = if standing.has_status {
            words.status_not_looked_up
        } else {
            words.status_none
        };
        rows.push(row(words.status, text(status)));
        rows
    }
}

impl Phrase {
    fn new(text: &str, language: Option<&str>) -> Self {
        Self {
            text: printable_lines(text),
            language: language.and_then(language::well_formed).map(str::to_owned),
        }
    }
}

impl Value {
    const fn is_nested(&self) -> bool {
        matches!(self, Self::Group(_) | Self::List(_))
    }

    /// In one text, the parts of a list one after the other.
    fn to_line(&self) -> String {
        match self {
            Self::Date { text, .. } | Self::Picture { text, .. } => text.clone(),
            Self::Text(phrase) => phrase.text.clone(),
            Self::List(items) => items.iter().map(Self::to_line).collect::<Vec<_>>().join(", "),
            Self::Group(rows) => {
                let row = |row: &Row| format!("{}: {}", row.label.text, row.value.to_line());
                rows.iter().map(row).collect::<Vec<_>>().join("; ")
            }
        }
    }
}

/// Title and colours of one language, of whichever metadata has them.
struct Looks {
    title: Option<Phrase>,
    description: Option<Phrase>,
    scheme: Scheme,
    logo: Option<Logo>,
}

impl Looks {
    fn choose(record: &CredentialRecord, view: &View<'_>) -> Self {
        let of_type = view.resolved.map(ResolvedType::display).unwrap_or_default();
        if let Some(display) = language::best(view.locale, of_type, |display| Some(&display.locale)) {
            return Self::of_type(display);
        }
        let displays = &record.metadata.display;
        let display = language::best(view.locale, displays, |display| display.locale.as_deref());
        display.map_or_else(|| Self::of_issuer(&Display::default()), Self::of_issuer)
    }

    fn of_type(display: &TypeDisplay) -> Self {
        let plain = SimpleRendering::default();
        let simple = display
            .rendering
            .as_ref()
            .and_then(|rendering| rendering.simple.as_ref());
        let simple = simple.unwrap_or(&plain);
        let language = Some(display.locale.as_str());
        let logo = simple.logo.as_ref().and_then(|logo| {
            let picture = Picture::from_data_url(&logo.uri)?;
            // Over the bytes as they came. A logo that is not the one meant is left out.
            let bytes = picture::data_url(&logo.uri, MAX_PICTURE_BYTES)?;
            logo.check(&bytes).ok()?;
            Some(Logo::new(picture, logo.alt_text.as_deref()))
        });
        Self {
            title: Some(Phrase::new(&display.name, language)),
            description: display.description.as_deref().map(|text| Phrase::new(text, language)),
            scheme: Scheme::new(simple.background_color.as_deref(), simple.text_color.as_deref()),
            logo,
        }
    }

    fn of_issuer(display: &Display) -> Self {
        let language = display.locale.as_deref();
        let logo = display.logo.as_ref().and_then(|logo| {
            let picture = Picture::from_data_url(&logo.uri)?;
            Some(Logo::new(picture, logo.alt_text.as_deref()))
        });
        Self {
            title: display.name.as_deref().map(|name| Phrase::new(name, language)),
            description: display.description.as_deref().map(|text| Phrase::new(text, language)),
            scheme: Scheme::new(display.background_color.as_deref(), display.text_color.as_deref()),
            logo,
        }
    }
}

impl Logo {
    fn new(picture: Picture, alternative: Option<&str>) -> Self {
        Self {
            picture,
            alternative: printable_lines(alternative.unwrap_or_default()),
        }
    }
}
