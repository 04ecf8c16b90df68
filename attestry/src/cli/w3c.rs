//! Options of the commands for what W3C's own software and test suites speak: the VC API, and VC-JOSE-COSE.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help that people read on a terminal"
)]

use std::path::PathBuf;

use clap::Args;
use clap::Subcommand;
use clap::ValueEnum;

use super::Platform;

#[derive(Debug, Subcommand)]
pub(crate) enum Issuer {
    /// Make an instance: a key, its DID, and the endpoints /vc-api/NAME/...
    #[command(
        after_help = "Examples:\n  attestry issuer add --did key --suite eddsa-rdfc-2022 --curve ed25519\n  attestry issuer add --did webvh --suite vc-jwt --curve p256 --name degrees\n\nAn instance signs what the holder of the administrative token tells it to. It is accredited for nothing: verifiers that ask for authority refuse what it issues."
    )]
    Add {
        #[command(flatten)]
        platform: Platform,
        /// What kind of DID it gets. did:web needs a platform with an https URL; did:webvh is logged in the registry.
        #[arg(long, value_enum, value_name = "METHOD")]
        did: DidMethod,
        /// The cryptosuite, or vc-jwt.
        #[arg(long, value_name = "NAME")]
        suite: String,
        /// The curve of its key: ed25519, p256, p384, p521 or bls12-381.
        #[arg(long, value_name = "NAME")]
        curve: String,
        /// What it is called in URLs; if absent, the suite, with the curve unless the suite tells it.
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
    },
    /// List the instances with their DIDs and endpoints.
    #[command(after_help = "Example:\n  attestry issuer list")]
    List {
        #[command(flatten)]
        platform: Platform,
    },
}

/// DID methods of instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DidMethod {
    /// did:key
    Key,
    /// did:web
    Web,
    /// did:webvh
    Webvh,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Jose {
    /// Secure a credential or presentation.
    #[command(
        after_help = "Example:\n  attestry jose issue --input credential.json --key key.json --feature credential_jose --output result.json\n  attestry jose issue --input credential.json --key key.json --feature credential_sdjwt --sd '[\"credentialSubject.name\", \"credentialSubject.phones[0]\"]'\n  attestry jose issue --input presentation.json --key key.json --feature presentation_cose\n\nThe key file is a verification method with publicKeyJwk and secretKeyJwk. The result is {\"result\": \"success\", \"data\": TEXT}, or \"failure\", or \"indeterminate\" for a key of a kind that this version does not have; exit status 0, 1 and 1. A COSE message is in base64."
    )]
    Issue(JoseOptions),
    /// Check a secured credential or presentation with the key of its issuer or holder.
    #[command(
        after_help = "Example:\n  attestry jose verify --input credential.txt --key key.json --feature credential_jose\n  attestry jose verify --input presentation.txt --key key.json --feature presentation_sdjwt\n\nSays whether the signature, the form and the times hold. Whether the issuer may issue it is what `attestry verify` judges."
    )]
    Verify(JoseOptions),
}

#[derive(Debug, Args)]
pub(crate) struct JoseOptions {
    /// The file to read.
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// The verification method, with its secret key for issuing.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// What to do: credential_jose, credential_sdjwt, credential_cose, presentation_jose, presentation_sdjwt or presentation_cose.
    #[arg(long, value_name = "NAME")]
    pub(crate) feature: String,
    /// A JSON array of the paths of what a holder may withhold, for SD-JWT: names with dots between, places in arrays as numbers in brackets.
    #[arg(long = "sd", value_name = "PATHS")]
    pub(crate) selective: Option<String>,
    /// Where the result goes; stdout if absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}
