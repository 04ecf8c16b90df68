//! `wallet show`: a credential for people to look at, as text, HTML, SVG or PNG.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::io::IsTerminal as _;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::Result;
use anyhow::bail;
use credential::CredentialFormat;
use credential::sd_jwt_vc::type_metadata;
use credential::sd_jwt_vc::type_metadata::Orientation;
use credential::sd_jwt_vc::type_metadata::ResolvedType;
use credential::sd_jwt_vc::type_metadata::SvgProperties;
use holder::HeldCredential;
use holder::card::Card;
use holder::card::MAX_TEMPLATE_BYTES;
use holder::card::Template;
use holder::card::TemplateError;
use holder::card::View;
use holder_agent::Wallet;
use holder_agent::write_private_bytes;
use keys::json;
use serde_json::Value;
use server::Clock;

use crate::cli::Form;
use crate::cli::Show;
use crate::files;
use crate::output::Output;

/// What a terminal has at least.
const COLUMNS: u16 = 80;

pub(super) fn show(wallet: &Wallet, options: &Show, output: Output) -> Result<ExitCode> {
    let details = wallet.show(&options.id)?;
    let mut value = serde_json::to_value(&details)?;
    if output.is_json() && options.out.is_none() && options.form == Form::Text {
        output.result("", &value);
        return Ok(ExitCode::SUCCESS);
    }
    let (record, held) = wallet.credential(&options.id)?;
    let documents = Documents::read(options)?;
    let resolved = documents.resolve(&held)?;
    let locale = options.locale.clone().unwrap_or_else(system_locale);
    let view = View {
        locale: &locale,
        now: Clock::System.now(),
        resolved: resolved.as_ref(),
    };
    let card = Card::new(&held, &record, &view);
    let drawn = match options.form {
        Form::Text => format!("{}\n", card.to_text(COLUMNS)).into_bytes(),
        Form::Html => card.to_html().into_bytes(),
        Form::Svg => documents.svg(&card, &held, &view)?.into_bytes(),
        Form::Png => png(&documents.svg(&card, &held, &view)?, &options.font)?,
    };
    if let Some(path) = &options.out {
        write_private_bytes(path, &drawn).with_context(|| format!("cannot write {}", path.display()))?;
        if let Some(object) = value.as_object_mut() {
            object.insert("file".to_owned(), path.display().to_string().into());
        }
        output.result(
            format!("{}: {} as a card", path.display(), details.summary.name),
            &value,
        );
        return Ok(ExitCode::SUCCESS);
    }
    if output.is_json() {
        bail!("expected --out FILE for a card beside the JSON on stdout, found none");
    }
    let mut stdout = std::io::stdout().lock();
    if options.form == Form::Png && stdout.is_terminal() {
        bail!("expected --out FILE for a PNG, found a terminal");
    }
    match stdout.write_all(&drawn).and_then(|()| stdout.flush()) {
        // A closed pipe is the reader's wish, not an error.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write the card"),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// What the caller gave of the credential's type.
struct Documents {
    types: BTreeMap<String, Vec<u8>>,
    templates: Vec<Vec<u8>>,
}

impl Documents {
    fn read(options: &Show) -> Result<Self> {
        let mut types = BTreeMap::new();
        for path in &options.type_metadata {
            let bytes = read(path, type_metadata::MAX_BYTES)?;
            let limits = json::Limits {
                max_bytes: type_metadata::MAX_BYTES,
                ..json::DEFAULT_LIMITS
            };
            let document: Value =
                json::parse(&bytes, limits).with_context(|| format!("cannot understand {}", path.display()))?;
            let vct = document.get("vct").and_then(Value::as_str);
            let vct = vct.with_context(|| format!("expected type metadata with `vct` in {}", path.display()))?;
            types.insert(vct.to_owned(), bytes);
        }
        let templates = options.template.iter().map(|path| read(path, MAX_TEMPLATE_BYTES));
        Ok(Self {
            types,
            templates: templates.collect::<Result<_>>()?,
        })
    }

    /// The type of the credential; `None` where no document was given.
    fn resolve(&self, held: &HeldCredential) -> Result<Option<ResolvedType>> {
        if self.types.is_empty() {
            return Ok(None);
        }
        let facts = held.facts();
        if facts.format() != CredentialFormat::DcSdJwt {
            bail!("expected an SD-JWT VC for --type-metadata, found another format");
        }
        let vct = facts.types().first().context("the credential has no type")?;
        let document = |vct: &str| self.types.get(vct).map(Vec::as_slice);
        let resolved = ResolvedType::resolve(vct, facts.type_integrity(), document)?;
        Ok(Some(resolved))
    }

    /// The type's own template where there is one, else our layout.
    fn svg(&self, card: &Card, held: &HeldCredential, view: &View<'_>) -> Result<String> {
        let Some(resolved) = view.resolved else {
            return Ok(card.to_svg());
        };
        let preferred = SvgProperties {
            orientation: Some(Orientation::Landscape),
            ..SvgProperties::default()
        };
        match Template::choose(resolved, view.locale, &preferred, &self.templates) {
            Ok(template) => Ok(template.fill(resolved, held.claims(), view.locale)),
            Err(TemplateError::Missing) if self.templates.is_empty() => Ok(card.to_svg()),
            Err(error) => Err(error).context("the card is not drawn; without --type-metadata it has our own layout"),
        }
    }
}

fn read(path: &Path, max_bytes: usize) -> Result<Vec<u8>> {
    files::read(path, "file", u64::try_from(max_bytes).unwrap_or(u64::MAX))
}

/// The language of messages in POSIX's variables, `zh_CN.UTF-8`, as a language range.
fn system_locale() -> String {
    let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let value = ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(set)
        .unwrap_or_default();
    range(&value)
}

fn range(posix: &str) -> String {
    let tag = posix.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    match tag.as_str() {
        "" | "C" | "POSIX" => "en".to_owned(),
        _ => tag,
    }
}

#[cfg(feature = "png")]
fn png(svg: &str, fonts: &[PathBuf]) -> Result<Vec<u8>> {
    crate::png::draw(svg, fonts)
}

#[cfg(not(feature = "png"))]
fn png(_: &str, _: &[PathBuf]) -> Result<Vec<u8>> {
    bail!("expected a program with the feature `png`, found one without: make an SVG, or build it with --features png")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_of_posix_are_language_ranges() {
        for (posix, expected) in [
            ("zh_CN.UTF-8", "zh-CN"),
            ("de_AT@euro", "de-AT"),
            ("C.UTF-8", "en"),
            ("", "en"),
            ("POSIX", "en"),
        ] {
            assert_eq!(range(posix), expected);
        }
    }
}
