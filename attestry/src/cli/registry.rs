//! Options of `registry`: a log judged from outside, and governance.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help that people read on a terminal"
)]

use std::path::PathBuf;

use clap::ArgGroup;
use clap::Subcommand;
use clap::ValueEnum;
use url::Url;

use super::Platform;

#[derive(Debug, Subcommand)]
pub(crate) enum Registry {
    /// Replay a registry's whole log and say the first thing that is wrong with it.
    #[command(
        after_help = "Examples:\n  attestry registry audit http://127.0.0.1:8080/registry --save seen.checkpoint\n  attestry registry audit http://127.0.0.1:8080/registry --from seen.checkpoint\n  attestry registry audit /srv/mirror\n\nExit status: 0 if the log holds, 1 if it does not, 2 if it could not be read."
    )]
    Audit {
        /// The URL below which the log is served, or a folder with a copy of it.
        source: String,
        /// The anchor that tells which log it is. Without it, the one that is pinned for the log's name, or else the one
        /// that is served beside the log.
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
        /// A checkpoint that the log signed before, to which it is held.
        #[arg(long, value_name = "CHECKPOINT")]
        from: Option<PathBuf>,
        /// Where to keep the checkpoint that holds, for the next time.
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
    },
    /// Keep a copy of a registry's log in a folder, judged before it is kept. Any server of files can serve it.
    #[command(
        after_help = "Example:\n  attestry registry mirror https://registry.example/registry --to /srv/mirror\n\nExit status: 0 if the copy is up to date, 1 if the log does not hold, 2 if it could not be read or copied."
    )]
    Mirror {
        /// The URL below which the log is served, or a folder with a copy of it.
        source: String,
        /// The folder of the copy. What is there already is continued.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// The anchor that tells which log it is; as for `audit`.
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
    },
    /// Make the key of an officer, an officer's next key or a recovery key, or show what is public of one.
    #[command(subcommand)]
    Key(Key),
    /// List proposals, and say whether a recovery of the policy is pending.
    #[command(after_help = "Example:\n  attestry registry proposals")]
    Proposals {
        #[command(flatten)]
        platform: Platform,
    },
    /// Propose an entry that officers then approve; of a recovery, holders of recovery keys.
    #[command(
        group = ArgGroup::new("entry").required(true),
        after_help = "Examples:\n  attestry registry propose accreditation.json\n  attestry registry propose recover.json\n  attestry registry propose cancel.json\n  attestry registry propose --did did:web:agency.example\n  attestry registry propose --did did:web:agency.example --document did.json --json\n\nWhat may stand in the file is a table at the top of registry/src/proposal/body.rs. For instance {\"type\": \"policy\", \"action\": \"cancel_recovery\"} stops a recovery once a quorum of officers has approved it; officers who have committed to next keys add the \"authorities\" with these keys."
    )]
    Propose {
        #[command(flatten)]
        platform: Platform,
        /// The entry's body as JSON.
        #[arg(group = "entry")]
        file: Option<PathBuf>,
        /// A did:web instead, whose document is to be logged as its website serves it now.
        #[arg(long, group = "entry", value_name = "DID")]
        did: Option<String>,
        /// That document from a file; then nothing is fetched.
        #[arg(long, value_name = "FILE", requires = "did")]
        document: Option<PathBuf>,
    },
    /// Propose to recognise another nation's registry, as it is now: then its accreditations count here, and no others'.
    #[command(
        after_help = "Example:\n  attestry registry recognise https://registry.abroad.example --until 2028-01-01T00:00:00Z \\\n    --type PersonIdentity --type DrivingLicence=ForeignLicence --max-staleness 2d\n\nTo end it, propose {\"type\": \"recognition\", \"action\": \"withdraw\", \"origin\": NAME}."
    )]
    Recognise {
        #[command(flatten)]
        platform: Platform,
        /// The other nation's platform.
        #[arg(value_name = "URL")]
        abroad: Url,
        /// Its anchor, received over another channel. Without it, the one that it serves is printed to be compared.
        #[arg(long, value_name = "FILE")]
        anchor: Option<PathBuf>,
        /// Not at or after (RFC 3339).
        #[arg(long, value_name = "TIME")]
        until: String,
        /// A type that counts, by its id there and, where it is called otherwise here, the id here. All, if none is named.
        #[arg(long = "type", value_name = "ID[=ID]")]
        types: Vec<String>,
        /// How old its bundle may be, and ours when it is used (90m, 12h, 2d).
        #[arg(long, default_value = "1d", value_name = "DURATION")]
        max_staleness: String,
    },
    /// Propose that checkpoints count with the log's second signature only, by the ML-DSA-44 key of `up --ml-dsa`.
    #[command(
        after_help = "Example:\n  attestry up --ml-dsa\n  attestry registry add-ml-dsa\n\nTo end it, propose {\"type\": \"policy\", \"action\": \"witnesses\"} with a tlog-policy that does not name the key."
    )]
    AddMlDsa {
        #[command(flatten)]
        platform: Platform,
    },
    /// Approve a proposal with an officer's own key, or a recovery with a recovery key. The key never leaves this machine.
    #[command(
        after_help = "Examples:\n  attestry registry approve 3 --key officers/officer-1.key\n  attestry registry approve 4 --key officers/recovery-1.key\n\nThe document of a did:web is compared with what its website serves now; with --json, `website` says what came of it."
    )]
    Approve {
        #[command(flatten)]
        platform: Platform,
        /// The proposal's id.
        id: String,
        /// The key file. Its passphrase comes from the terminal or ATTESTRY_PASSPHRASE.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Show who governs, by which keys and rules, and whether a recovery is pending: from a bundle that was checked, not by
    /// the platform's word.
    #[command(
        after_help = "Example:\n  attestry registry status --url https://attestry.example\n\nWith --json, `authorities` and `recovery` have the form that proposals have."
    )]
    Status {
        #[command(flatten)]
        platform: Platform,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key and its file, and print what others may know of it.
    #[command(
        after_help = "Examples:\n  attestry registry key new officer-1.key\n  attestry registry key new next-1.key --algorithm ESP256\n\nPrints the key as Multikey, the `key` of an officer in a proposal, and the SHA-256 digest of its text, which commits to it before it is known: as the `next` of an officer, or among the `keys` of a recovery. A file that exists is never overwritten."
    )]
    New {
        /// The file. Only its owner may read it, and its passphrase comes from the terminal or ATTESTRY_PASSPHRASE.
        file: PathBuf,
        /// The signature algorithm, which the policy has to allow when the key signs.
        #[arg(long, value_enum, default_value_t = ApprovalAlgorithm::Ed25519)]
        algorithm: ApprovalAlgorithm,
    },
    /// Print again what others may know of a key. Takes no passphrase.
    #[command(after_help = "Example:\n  attestry registry key show officer-1.key")]
    Show {
        /// The key file.
        file: PathBuf,
    },
}

/// Algorithms of approvals, by their names in RFC 9864.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ApprovalAlgorithm {
    /// Ed25519
    #[value(name = "Ed25519")]
    Ed25519,
    /// ECDSA on P-256 with SHA-256
    #[value(name = "ESP256")]
    Esp256,
    /// ECDSA on P-384 with SHA-384
    #[value(name = "ESP384")]
    Esp384,
}
