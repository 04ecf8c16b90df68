//! The command line: names, options, help with examples. What the commands do is in `commands/`.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help that people read on a terminal"
)]

mod hub;
mod registry;
mod show;
mod w3c;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap::ValueEnum;
use server::listen::TlsFiles;
use trust::projection::Projections;
use url::Url;

pub(crate) use self::hub::Api;
pub(crate) use self::hub::Apply;
pub(crate) use self::hub::Call;
pub(crate) use self::hub::Consent;
pub(crate) use self::hub::Home;
pub(crate) use self::hub::Hub;
pub(crate) use self::hub::Publish;
pub(crate) use self::registry::ApprovalAlgorithm;
pub(crate) use self::registry::Key;
pub(crate) use self::registry::Registry;
pub(crate) use self::show::Form;
pub(crate) use self::show::Show;
pub(crate) use self::w3c::Issuer;
pub(crate) use self::w3c::Jose;

/// Verifiable credentials without a centre: issue, hold, verify offline, exchange.
#[derive(Debug, Parser)]
#[command(
    name = "attestry",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Examples:\n  attestry up --sample          the whole platform with a sample nation on http://127.0.0.1:8080\n  attestry demo                 the whole story, performed and checked, in under a minute\n  attestry wallet accept OFFER  receive a credential\n  attestry verify --bundle trust.bundle presentation.json\n\nEvery command has --help with examples, and --json for programs."
)]
pub(crate) struct Cli {
    /// Print one JSON object on stdout instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run every part of the platform in one process.
    Up(Up),
    /// Tell and perform the whole story on a fresh data folder; exit 0 only if every step held.
    Demo(Demo),
    /// Bring an agency to a running platform.
    #[command(subcommand)]
    Agency(Agency),
    /// Instances of the W3C VC API: one key, one DID, one suite each.
    #[command(subcommand)]
    Issuer(Issuer),
    /// Offer a credential to a person.
    #[command(subcommand)]
    Offer(Offer),
    /// Keep credentials and present them.
    Wallet(Wallet),
    /// Ask for presentations and read the results.
    #[command(subcommand)]
    Verifier(Verifier),
    /// Fetch, update and look into trust bundles.
    #[command(subcommand)]
    Bundle(Bundle),
    /// Check a presentation against trust bundles, with no network.
    Verify(Verify),
    /// List the credentials that an agency issued.
    #[command(subcommand)]
    Credentials(Credentials),
    /// Suspend a credential until it is reinstated.
    #[command(
        after_help = "Example:\n  attestry suspend --agency population --credential 7f9c...\n\nA verifier refuses a suspended credential with its next bundle. Suspending it again changes nothing."
    )]
    Suspend(ChangeStatus),
    /// Let a suspended credential count again.
    #[command(
        after_help = "Example:\n  attestry reinstate --agency population --credential 7f9c...\n\nA revoked credential cannot be reinstated: issue another one."
    )]
    Reinstate(ChangeStatus),
    /// Revoke a credential for good.
    #[command(after_help = "Example:\n  attestry revoke --agency population --credential 7f9c...")]
    Revoke(ChangeStatus),
    /// Secure and check W3C credentials with JOSE and COSE, from files.
    #[command(subcommand)]
    Jose(Jose),
    /// Resolve a DID.
    Resolve(Resolve),
    /// Govern the registry: proposals and officers' approvals.
    #[command(subcommand)]
    Registry(Registry),
    /// Watch over logs, and say so.
    #[command(subcommand)]
    Witness(Witness),
    /// Exchange data between agencies, with consent and with evidence.
    #[command(subcommand)]
    Hub(Hub),
    /// Look for what would keep this machine from running the platform.
    Doctor(Doctor),
    /// Print a completion script for a shell.
    #[command(
        after_help = "Example:\n  attestry completions bash > ~/.local/share/bash-completion/completions/attestry"
    )]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attestry up --sample\n  attestry up --sample --tls-self-signed\n  attestry up --data /srv/attestry --store postgres://attestry@db/attestry --listen 0.0.0.0:8080 --public-url https://attestry.agency.example --log-files s3://registry-log/v1\n\nPrints one line 'ready http://...' when everything answers. SIGTERM finishes what is in flight and exits 0."
)]
pub(crate) struct Up {
    /// Where keys, the store and the administrative token are kept.
    #[arg(long, env = "ATTESTRY_DATA", default_value = "attestry-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The address to listen on. Plain HTTP is for loopback only.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// fjall, sled or postgres://USER@HOST/DATABASE.
    #[arg(long, env = "ATTESTRY_STORE", default_value = "fjall", value_name = "STORE")]
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) facing: Facing,
    /// Also serve https on this loopback address (127.0.0.1:8443 if none is given), with a certificate that is made at start and that only this machine can trust. Status lists of the VC API then have https URLs.
    #[arg(
        long,
        value_name = "ADDRESS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "127.0.0.1:8443"
    )]
    pub(crate) tls_self_signed: Option<SocketAddr>,
    /// Seed an empty data folder with the sample nation: an authority, four agencies, their registers. Also makes an instance of the VC API for every suite and curve; programs of this machine may use them without a token, as long as the platform listens on loopback and has no --public-url.
    #[arg(long)]
    pub(crate) sample: bool,
    /// The unique name of the registry's log when it is founded: a host, with a path if need be. Later starts know it.
    #[arg(long, value_name = "NAME")]
    pub(crate) origin: Option<String>,
    /// Keep the registry's log as files there too, for readers without the platform: file:///FOLDER or s3://BUCKET/PREFIX (with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT). `attestry registry audit` reads them.
    #[arg(long, env = "ATTESTRY_LOG_FILES", value_name = "URL")]
    pub(crate) log_files: Option<Url>,
    /// Sign the log's checkpoints a second time, with ML-DSA-44, which quantum computers do not break. A registry that is founded with it demands both signatures from the first; an existing one from the Policy on that `attestry registry add-ml-dsa` proposes. The key is made once, and later starts go on with it.
    #[arg(long)]
    pub(crate) ml_dsa: bool,
    /// Issuers outside of the registries that the platform's verifier trusts, as `attestry verify` has them. Several may be given.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust_anchor: Vec<PathBuf>,
}

/// How a service looks from outside.
#[derive(Debug, Args)]
pub(crate) struct Facing {
    /// What clients call this service, when a proxy stands in front.
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<Url>,
    /// A PEM certificate chain for serving https itself.
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// The certificate's private key.
    #[arg(long, requires = "tls_certificate", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
}

impl Facing {
    /// The public URL, and the files for https.
    pub(crate) fn into_parts(self) -> (Option<Url>, Option<TlsFiles>) {
        let tls = self.tls_certificate.zip(self.tls_key);
        let tls = tls.map(|(certificate, key)| TlsFiles { certificate, key });
        (self.public_url, tls)
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Witness {
    /// Cosign checkpoints of logs that take nothing back, and of registries what their entries come to, as C2SP tlog-witness has it.
    #[command(
        after_help = "Example:\n  attestry witness serve --name witness.example/w1 \\\n    --registry https://registry.example/registry\n\nPrints one line 'ready http://... KEY KEY' with the verifier keys of its plain and its state statements, for the policies of logs. SIGTERM finishes what is in flight and exits 0."
    )]
    Serve(Serve),
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Where the key and the last checkpoint of each log are kept.
    #[arg(long, default_value = "attestry-witness", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The address to listen on. Plain HTTP is for loopback only.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// fjall, sled or postgres://USER@HOST/DATABASE.
    #[arg(long, default_value = "fjall", value_name = "STORE")]
    pub(crate) store: String,
    #[command(flatten)]
    pub(crate) facing: Facing,
    /// The name of the witness's key: a URL without scheme that nobody else uses.
    #[arg(long, value_name = "NAME")]
    pub(crate) name: String,
    /// The verifier key of a log whose checkpoints are cosigned if nothing was taken back, NAME+ID+KEY. Several may be given, also of one log.
    #[arg(long, value_name = "KEY", required_unless_present = "registry")]
    pub(crate) log: Vec<String>,
    /// The URL of a registry's log whose entries are re-executed, too, for a second statement with a second key. Several may be given. Its anchor is the one that is pinned for the log's name, or else the one that is served beside the log.
    #[arg(long, value_name = "URL")]
    pub(crate) registry: Vec<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  attestry demo\n  attestry demo --federation\n  attestry demo --keep --json")]
pub(crate) struct Demo {
    /// Tell another story: of three nations, and of what it means that one recognises another.
    #[arg(long)]
    pub(crate) federation: bool,
    /// Keep the data folder and print where it is.
    #[arg(long)]
    pub(crate) keep: bool,
}

/// How an administrative command reaches and proves itself to a running platform.
#[derive(Clone, Debug, Args)]
pub(crate) struct Platform {
    /// The running platform.
    #[arg(
        long,
        env = "ATTESTRY_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) url: Url,
    /// The platform's data folder, where the administrative token lies.
    #[arg(long, env = "ATTESTRY_DATA", default_value = "attestry-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The administrative token itself, instead of the data folder.
    #[arg(long, env = "ATTESTRY_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Agency {
    /// Make an agency's keys and DID, begin to issue from its register, and propose its accreditation.
    #[command(
        after_help = "Example:\n  attestry agency add --id library --name 'City Library' --folder library/\n\nThe folder has mappings/TYPE.json, types/TYPE/type.json and display.json, the CSV files that the mappings name, and if the agency shall be in trusted lists, its names and addresses in listing.json. It is copied into the platform's data folder, so the command runs on the platform's machine."
    )]
    Add {
        #[command(flatten)]
        platform: Platform,
        /// Short name in URLs.
        #[arg(long, value_name = "ID")]
        id: String,
        /// Name for people.
        #[arg(long, value_name = "NAME")]
        name: String,
        /// The agency's mappings, types and registers.
        #[arg(long, value_name = "DIR")]
        folder: PathBuf,
    },
    /// Certify an agency's key as a signer of mdocs, as the issuing authority.
    #[command(
        after_help = "Example:\n  attestry agency certify --id library --authority attestry-data-officers/\n\nA certificate is good for 457 days. It is written into the agency's folder, where the platform finds it at its next start, so the command runs on the platform's machine."
    )]
    Certify {
        #[command(flatten)]
        platform: Platform,
        /// The agency.
        #[arg(long, value_name = "ID")]
        id: String,
        /// The folder with the issuing authority's key.
        #[arg(long, value_name = "DIR")]
        authority: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Offer {
    /// Make an offer and print its openid-credential-offer:// URI.
    #[command(
        after_help = "Examples:\n  attestry offer create --agency population --type PersonIdentity --subject X0000001A\n  attestry offer create --agency transport --type DrivingLicence --subject X0000001A --tx-code 4711\n  attestry offer create --agency population --type PersonIdentity --subject X0000001A --format ldp_vc --suite bbs-2023\n  attestry offer create --agency transport --type DrivingLicence --subject X0000001A --format mso_mdoc\n\nThe sample's people are in schemas/sample/persons.csv; the first column is the subject id."
    )]
    Create {
        #[command(flatten)]
        platform: Platform,
        /// The agency that issues.
        #[arg(long, value_name = "ID")]
        agency: String,
        /// The credential type, such as PersonIdentity.
        #[arg(long = "type", value_name = "TYPE")]
        credential_type: String,
        /// Whose record in the agency's register.
        #[arg(long, value_name = "ID")]
        subject: String,
        /// A code that the person must give too; tell it over another channel.
        #[arg(long, value_name = "CODE")]
        tx_code: Option<String>,
        /// The credential format.
        #[arg(long, value_enum, default_value_t = Format::DcSdJwt)]
        format: Format,
        /// The cryptosuite of ldp_vc: ecdsa-sd-2023 or bbs-2023, of which the holder shows only what is asked for; if absent, eddsa-rdfc-2022, which is shown as a whole.
        #[arg(long, value_name = "NAME")]
        suite: Option<String>,
        /// Put a link to the offer into the URI instead of the offer itself.
        #[arg(long)]
        by_reference: bool,
    },
}

/// Credential formats by their OpenID4VCI names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// SD-JWT VC.
    #[value(name = "dc+sd-jwt")]
    DcSdJwt,
    /// W3C VC 2.0 as a JWT.
    #[value(name = "jwt_vc_json")]
    JwtVcJson,
    /// W3C VC 2.0 with a Data Integrity proof.
    #[value(name = "ldp_vc")]
    LdpVc,
    /// Mobile document of ISO/IEC 18013-5.
    #[value(name = "mso_mdoc")]
    MsoMdoc,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attestry wallet init\n  attestry wallet accept 'openid-credential-offer://?credential_offer=...'\n  attestry wallet list\n  attestry wallet show 5f1c9a02be --as html --out card.html\n  attestry wallet present 'openid4vp://?...' \n  attestry wallet refresh\n  attestry wallet present request.json --out presentation.json --yes\n\nWithout a terminal the passphrase comes from ATTESTRY_PASSPHRASE."
)]
pub(crate) struct Wallet {
    /// The wallet's folder.
    #[arg(long, env = "ATTESTRY_WALLET", value_name = "DIR", global = true)]
    pub(crate) home: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: WalletCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Make a new wallet.
    Init,
    /// Accept a credential offer.
    Accept {
        /// The openid-credential-offer:// URI.
        offer: String,
        /// The code that came over another channel.
        #[arg(long, value_name = "CODE")]
        tx_code: Option<String>,
    },
    /// List what the wallet holds.
    List,
    /// Show one credential with its claims: as text, or drawn as HTML, SVG or PNG.
    Show(Show),
    /// Ask the registry what it says of your credentials' issuers and statuses now, to take along for verifiers who have been offline for longer.
    #[command(
        after_help = "Examples:\n  attestry wallet refresh\n  attestry wallet refresh 5f1c9a02be --url https://platform.example\n\nA file that `wallet present --out` writes then has it in it. The registry learns which issuers and types you ask about and which 131,072 credentials yours is among; nobody else learns anything."
    )]
    Refresh {
        /// Ids of credentials; without any, all.
        id: Vec<String>,
        /// The platform whose registry is asked.
        #[arg(
            long,
            env = "ATTESTRY_URL",
            default_value = "http://127.0.0.1:8080",
            value_name = "URL"
        )]
        url: Url,
    },
    /// Show what was presented to whom, and when.
    History,
    /// Answer a request; asks before anything is disclosed.
    Present {
        /// The openid4vp:// URI, or the file of a self-contained request.
        request: String,
        /// Which credentials to use where several fit (their ids).
        #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',')]
        select: Vec<String>,
        /// Write request and response into this file and send nothing.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Disclose without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Remove one credential and its key.
    Forget {
        /// Its id in the list.
        id: String,
        /// Remove without asking.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verifier {
    /// Ask for a presentation; prints the openid4vp:// URI and the request's id.
    #[command(
        after_help = "Examples:\n  attestry verifier request --query age-over-18\n  attestry verifier request --query my-query.json\n  attestry verifier request --offline --query age-over-18 --out request.json\n\nBuilt-in queries: age-over-18, identity, driving-licence, driving-licence-mdoc."
    )]
    Request {
        #[command(flatten)]
        platform: Platform,
        /// A file with a DCQL query, or the name of a built-in one.
        #[arg(long, value_name = "FILE|NAME")]
        query: String,
        /// Make a self-contained request signed by a did:key of this machine, for use with no server at all.
        #[arg(long, requires = "out")]
        offline: bool,
        /// Where the self-contained request goes.
        #[arg(long, requires = "offline", value_name = "FILE")]
        out: Option<PathBuf>,
        /// Ask for an encrypted response (direct_post.jwt).
        #[arg(long, conflicts_with = "offline")]
        encrypted: bool,
    },
    /// Read the result of a request.
    #[command(after_help = "Example:\n  attestry verifier result 5CBm0yQk")]
    Result {
        #[command(flatten)]
        platform: Platform,
        /// The id that `verifier request` printed.
        id: String,
    },
}

/// What of a bundle somebody needs.
#[derive(Debug, Args)]
pub(crate) struct Needs {
    /// Leave out the status lists of all issuers but this one. Several may be given.
    #[arg(long, value_name = "DID")]
    pub(crate) issuer: Vec<String>,
    /// Leave out what is about other types than this one, by its id or vct. Several may be given.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) types: Vec<String>,
    /// Leave out the status lists of issuers that are not accredited for this territory. Several may be given.
    #[arg(long, value_name = "CODE")]
    pub(crate) territory: Vec<String>,
}

/// The registry in the form of others.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Projection {
    /// List of Trusted Entities of ETSI TS 119 602, a JWS.
    EtsiLote,
    /// Everything that the registry signs as a Trust Anchor of OpenID Federation, as JSON.
    OpenidFederation,
    /// Verified Issuer Certificate Authority List of ISO/IEC 18013-5, a COSE_Sign1.
    Vical,
}

impl Projection {
    /// Its name in Snapshots.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::EtsiLote => Projections::LOTE,
            Self::OpenidFederation => Projections::FEDERATION,
            Self::Vical => Projections::VICAL,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bundle {
    /// Fetch a trust bundle. The first one prints and pins its anchor.
    #[command(
        after_help = "Examples:\n  attestry bundle fetch http://127.0.0.1:8080 --out trust.bundle\n  attestry bundle fetch https://attestry.agency.example --out trust.bundle --anchor anchor.json\n  attestry bundle fetch https://attestry.abroad.example --out abroad.bundle --recognised-by trust.bundle\n  attestry bundle fetch http://127.0.0.1:8080 --out counter.bundle --type PersonIdentity\n\nA credential about which a bundle was asked to say nothing is not covered: update it with the same options."
    )]
    Fetch {
        /// The platform.
        url: Url,
        /// Where the bundle goes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// The anchor, received over another channel.
        #[arg(long, value_name = "FILE", conflicts_with = "recognised_by")]
        anchor: Option<PathBuf>,
        /// The bundle of a pinned registry that recognises this one. Then no anchor is pinned: the bundle counts as long as
        /// that registry says so.
        #[arg(long, value_name = "FILE")]
        recognised_by: Option<PathBuf>,
        #[command(flatten)]
        needs: Needs,
    },
    /// Bring a bundle up to date; an older one never replaces it. Only what changed is fetched, where the platform still
    /// knows what the bundle has.
    #[command(
        after_help = "Examples:\n  attestry bundle update trust.bundle http://127.0.0.1:8080\n  attestry bundle update trust.bundle monday.delta"
    )]
    Update {
        /// The bundle.
        file: PathBuf,
        /// The platform, or a file that `bundle delta` wrote.
        #[arg(value_name = "URL|FILE")]
        source: String,
        /// As for `fetch`.
        #[arg(long, value_name = "FILE")]
        recognised_by: Option<PathBuf>,
        #[command(flatten)]
        needs: Needs,
    },
    /// Fetch what has changed since a bundle, to be carried to wherever it is. The bundle stays as it is.
    #[command(
        after_help = "Example:\n  attestry bundle delta trust.bundle http://127.0.0.1:8080 --out monday.delta\n  attestry bundle update trust.bundle monday.delta"
    )]
    Delta {
        /// The bundle.
        file: PathBuf,
        /// The platform.
        url: Url,
        /// Where the delta goes.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// As for `fetch`.
        #[arg(long, value_name = "FILE")]
        recognised_by: Option<PathBuf>,
        #[command(flatten)]
        needs: Needs,
    },
    /// Hold a trusted list, as other software uses it, against what the bundle's registry has committed to.
    #[command(
        after_help = "Examples:\n  attestry bundle compare trust.bundle etsi-lote lote.json\n  attestry bundle compare trust.bundle vical vical.cbor\n  attestry bundle compare trust.bundle openid-federation openid-federation.json\n\nThe registry serves them at /export/lote.json, /export/vical.cbor and /export/openid-federation.json. A list from another day than the bundle differs: fetch both anew."
    )]
    Compare {
        /// The bundle.
        bundle: PathBuf,
        /// The form of the list.
        #[arg(value_enum)]
        form: Projection,
        /// The list, as it was signed.
        file: PathBuf,
        /// As for `fetch`.
        #[arg(long, value_name = "FILE")]
        recognised_by: Option<PathBuf>,
    },
    /// Show what a bundle says.
    #[command(after_help = "Example:\n  attestry bundle show trust.bundle")]
    Show {
        /// The bundle.
        file: PathBuf,
        /// As for `fetch`.
        #[arg(long, value_name = "FILE")]
        recognised_by: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attestry verify --bundle trust.bundle presentation.json\n  attestry verify --bundle trust.bundle --request request.json --max-age 10m presentation.json --json\n  attestry verify --bundle trust.bundle --bundle abroad.bundle presentation.json\n  attestry verify --trust-anchor anchors.json presentation.json\n\nA bundle of a registry that is not pinned counts if a pinned one recognises it and its bundle is given too. A bundle older than one that was used here before is wrong use too, except with --at.\n\nExit status: 0 valid; 1 refused, stale or not covered; 2 wrong use."
)]
pub(crate) struct Verify {
    /// A trust bundle; several may be given.
    #[arg(long, required_unless_present = "trust_anchor", value_name = "FILE")]
    pub(crate) bundle: Vec<PathBuf>,
    /// An extract of a pinned or recognised register, newer than the bundle; several may be given. Those in the presentation count as well.
    #[arg(long, value_name = "FILE")]
    pub(crate) extract: Vec<PathBuf>,
    /// Issuers outside of the registries that you choose to trust: certificate authorities or issuer metadata, and the types that each may issue (spec/profile.md, section 2.1). Several may be given.
    #[arg(long, value_name = "FILE")]
    pub(crate) trust_anchor: Vec<PathBuf>,
    /// The request that this presentation has to answer. Without it, the one in the file counts.
    #[arg(long, value_name = "FILE")]
    pub(crate) request: Option<PathBuf>,
    /// How old the holder's signature and a request from the file may be (90s, 10m, 2h).
    #[arg(long, default_value = "10m", value_name = "DURATION")]
    pub(crate) max_age: String,
    /// Verify as of this time instead of now.
    #[arg(long, value_name = "RFC3339")]
    pub(crate) at: Option<String>,
    /// The file that `wallet present --out` wrote.
    pub(crate) presentation: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Credentials {
    /// List an agency's issued credentials.
    #[command(after_help = "Example:\n  attestry credentials list --agency population --subject X0000001A")]
    List {
        #[command(flatten)]
        platform: Platform,
        /// The agency.
        #[arg(long, value_name = "ID")]
        agency: String,
        /// Only this person's.
        #[arg(long, value_name = "ID")]
        subject: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ChangeStatus {
    #[command(flatten)]
    pub(crate) platform: Platform,
    /// The agency.
    #[arg(long, value_name = "ID")]
    pub(crate) agency: String,
    /// The credential's id in `credentials list`.
    #[arg(long, value_name = "ID")]
    pub(crate) credential: String,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  attestry resolve did:key:z6MkvDqGT54cXesYGvABpF1UapVNwjCqRcafi4Px6Thv5T3Z\n  attestry resolve did:webvh:... --url http://127.0.0.1:8080"
)]
pub(crate) struct Resolve {
    /// The DID.
    pub(crate) did: String,
    /// The platform whose registry resolves it.
    #[arg(
        long,
        env = "ATTESTRY_URL",
        default_value = "http://127.0.0.1:8080",
        value_name = "URL"
    )]
    pub(crate) url: Url,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  attestry doctor --data attestry-data")]
pub(crate) struct Doctor {
    /// The data folder to look into.
    #[arg(long, env = "ATTESTRY_DATA", default_value = "attestry-data", value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The address that `up` would listen on.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
}
