//! Options of `wallet show`.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help that people read on a terminal"
)]

use std::path::PathBuf;

use clap::Args;
use clap::ValueEnum;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attestry wallet show 5f1c9a02be\n  attestry wallet show 5f1c9a02be --locale zh --as html --out card.html\n  attestry wallet show 5f1c9a02be --as png --out card.png --font NotoSansTamil-Regular.ttf\n  attestry wallet show 5f1c9a02be --as svg --type-metadata type.json --template card.svg\n\nNothing is fetched: nobody learns that you look. A drawn card has everything in it that the credential tells, so files are made for your eyes only."
)]
pub(crate) struct Show {
    /// Its id in the list.
    pub(crate) id: String,
    /// What to make of it.
    #[arg(long = "as", value_enum, default_value_t = Form::Text)]
    pub(crate) form: Form,
    /// The language of labels, such as zh-Hant; if absent, the one of this terminal (LC_ALL, LC_MESSAGES, LANG).
    #[arg(long, value_name = "LANG")]
    pub(crate) locale: Option<String>,
    /// Write it into this file, readable by you alone, instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// PNG: a font (TTF, OTF or a collection) to prefer to those of the system; several may be given.
    #[arg(long, value_name = "FILE")]
    pub(crate) font: Vec<PathBuf>,
    /// The SD-JWT VC type metadata of the credential's type, and the documents of the types that it extends. Its labels, colours and SVG template are preferred to what the issuer's metadata said.
    #[arg(long, value_name = "FILE")]
    pub(crate) type_metadata: Vec<PathBuf>,
    /// SVG and PNG: an SVG template that the type metadata names by its digest; several may be given.
    #[arg(long, value_name = "FILE", requires = "type_metadata")]
    pub(crate) template: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Lines for a terminal.
    Text,
    /// A page of its own, without scripts.
    Html,
    /// A drawing.
    Svg,
    /// A picture.
    Png,
}
