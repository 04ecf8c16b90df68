//! The sample nation: seeds an empty data folder with an authority of three officers, four agencies with
//! their DIDs, keys and registers, and everything that the registry must know of them.
//!
//! Nothing here is special to the running platform: an own agency comes in by the same entries.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use anyhow::Result;
use did::Purpose;
use did::document::NewMethod;
use did::document::new_document;
use did::webvh;
use issuer::AgencySigners;
use issuer::agency::AgencyFile;
use issuer::mapping::Mapping;
use keys::Algorithm;
use keys::Signer;
use keys::Timestamp;
use openid4vc::SecureUrl;
use registry::Registry;
use signer::KeyFile;
use signer::Passphrase;
use signer::SoftwareKey;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Authority;
use trust::entry::Backdating;
use trust::entry::Body;
use trust::entry::DocumentRole;
use trust::entry::Draft;
use trust::entry::Grant;
use trust::entry::Listing;
use trust::entry::Localised;
use trust::entry::Officer;
use trust::entry::OnStale;
use trust::entry::Particulars;
use trust::entry::PostalAddress;
use trust::entry::Publication;
use trust::entry::Recovery;
use trust::entry::Resource;
use trust::entry::Schema;
use trust::entry::SchemaBody;
use trust::entry::SchemaDocument;
use trust::merkle::Hash;

use crate::data::DataFolder;
use crate::data::officers_folder;
use crate::iaca::Iaca;
use crate::register_api;

/// The name of the sample's log, and the first part of its anchor.
pub(crate) const ORIGIN: &str = "registry.attestry.example";
/// The authority's name in entries.
const AUTHORITY: &str = "authority.attestry.example";
const AUTHORITY_NAME: &str = "Trust Authority of the Sample Nation";
/// For private use in ISO 3166-1.
const TERRITORY: &str = "XA";
/// How many of the three officers must sign.
const THRESHOLD: u64 = 2;
/// How many of the three recovery keys replace the officers, and after how long.
const RECOVERY_THRESHOLD: u64 = 2;
const RECOVERY_DELAY: u64 = 7 * DAY;
/// Everybody may open the sample's officer keys; a real officer chooses a passphrase of their own.
pub(crate) const OFFICER_PASSPHRASE: &str = "sample";
const TYPES: &str = "https://attestry.example/types/";
const DAY: u64 = 86_400;

/// The agency whose register stands behind the sample's API, and the one that may read it.
pub(crate) const SOURCE: &str = "population";
pub(crate) const CONSUMER: &str = "transport";
/// The sample's API on the hub.
pub(crate) const API: &str = "population-register";
const DESCRIPTION: &[u8] = include_bytes!("../../schemas/sample/openapi/population-register.json");

/// One agency of the sample.
struct SampleAgency {
    id: &'static str,
    name: &'static str,
    types: &'static [SampleType],
    /// Registers, under the names that the mappings use.
    registers: &'static [(&'static str, &'static [u8])],
}

/// One credential type of the sample, with its files and what the registry says about it.
struct SampleType {
    name: &'static str,
    mapping: &'static str,
    type_metadata: &'static str,
    display: &'static str,
    schema: &'static str,
    context: &'static str,
    max_staleness: u64,
    on_stale: OnStale,
}

macro_rules! sample_type {
    ($name:literal, $max_staleness:expr, $on_stale:expr) => {
        SampleType {
            name: $name,
            mapping: include_str!(concat!("../../schemas/sample/mappings/", $name, ".json")),
            type_metadata: include_str!(concat!("../../schemas/types/", $name, "/type.json")),
            display: include_str!(concat!("../../schemas/types/", $name, "/display.json")),
            schema: include_str!(concat!("../../schemas/types/", $name, "/schema.json")),
            context: include_str!(concat!("../../schemas/types/", $name, "/context.jsonld")),
            max_staleness: $max_staleness,
            on_stale: $on_stale,
        }
    };
}

const AGENCIES: [SampleAgency; 4] = [
    SampleAgency {
        id: "population",
        name: "Population Office of the Sample Nation",
        types: &[sample_type!("PersonIdentity", 7 * DAY, OnStale::Refuse)],
        registers: &[("persons.csv", include_bytes!("../../schemas/sample/persons.csv"))],
    },
    SampleAgency {
        id: "transport",
        name: "Transport Office of the Sample Nation",
        types: &[sample_type!("DrivingLicence", 2 * DAY, OnStale::Warn)],
        registers: &[(
            "driving_licences.csv",
            include_bytes!("../../schemas/sample/driving_licences.csv"),
        )],
    },
    SampleAgency {
        id: "health",
        name: "Health Office of the Sample Nation",
        types: &[sample_type!(
            "VaccinationCertificate",
            30 * DAY,
            OnStale::AcceptWithRisk
        )],
        registers: &[(
            "vaccinations.csv",
            include_bytes!("../../schemas/sample/vaccinations.csv"),
        )],
    },
    SampleAgency {
        id: "business",
        name: "Business Office of the Sample Nation",
        types: &[sample_type!("CompanyRegistration", DAY, OnStale::Refuse)],
        registers: &[("companies.csv", include_bytes!("../../schemas/sample/companies.csv"))],
    },
];

/// The three officers' keys and the issuing authority's, held only while the nation is founded, and what was committed to of
/// the recovery keys.
pub(crate) struct Officers {
    /// By the officer's role.
    keys: Vec<(String, SoftwareKey)>,
    recovery: Recovery,
    iaca: Iaca,
}

impl Officers {
    /// Makes the keys and their files beside the data folder.
    pub(crate) fn create(data: &Path, now: Timestamp) -> Result<Self> {
        let folder = officers_folder(data);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let passphrase = Passphrase::new(OFFICER_PASSPHRASE.to_owned());
        let make = |id: String| -> Result<(String, SoftwareKey)> {
            let mut rng = signer::os_rng();
            let key = SoftwareKey::generate(Algorithm::EdDsa, &mut rng);
            KeyFile::seal(&key, &passphrase, &mut rng)?.write_new(&folder.join(format!("{id}.key")))?;
            Ok((id, key))
        };
        let mut committed = Vec::new();
        for number in 1..=3 {
            let (_, key) = make(format!("recovery-{number}"))?;
            committed.push(Hash::digest(key.public_key().to_multikey().as_bytes()));
        }
        committed.sort_unstable();
        let keys = (1..=3).map(|number| make(format!("officer-{number}")));
        Ok(Self {
            keys: keys.collect::<Result<_>>()?,
            recovery: Recovery {
                threshold: RECOVERY_THRESHOLD,
                keys: committed,
                delay: RECOVERY_DELAY,
            },
            iaca: Iaca::create(&folder, &passphrase, now)?,
        })
    }

    /// The authority that they make up together.
    pub(crate) fn authority(&self) -> Authority {
        let officer = |(id, key): &(String, SoftwareKey)| Officer {
            id: id.clone(),
            key: key.public_key().clone(),
            next: None,
        };
        Authority {
            id: AUTHORITY.to_owned(),
            threshold: THRESHOLD,
            officers: self.keys.iter().map(officer).collect(),
            scope: None,
        }
    }

    /// What replaces a quorum of them who lost their keys.
    pub(crate) fn recovery(&self) -> Recovery {
        self.recovery.clone()
    }

    /// The entry with the signatures of as many officers as it takes.
    pub(crate) fn approve(&self, draft: &Draft) -> Result<Vec<u8>> {
        let quorum = usize::try_from(THRESHOLD)?;
        let mut signatures = Vec::new();
        for (id, key) in self.keys.iter().take(quorum) {
            signatures.push(key.fulfil(draft.sign(id, key.public_key().algorithm()))?);
        }
        Ok(draft.assemble(signatures)?)
    }
}

/// Under whose name the sample's registry is shown in others' forms, with the certificate of `key`. Where the platform has a
/// public https URL, it is the one that is published: only there others find what the statements of OpenID Federation name.
pub(crate) fn publication(
    key: &dyn Signer,
    (origin, public_url): (&str, &SecureUrl),
    now: Timestamp,
) -> Result<Publication> {
    let particulars = particulars(AUTHORITY_NAME, "authority");
    Ok(Publication {
        certificate: registry::certify(key, &particulars, TERRITORY, now)?,
        particulars,
        territory: TERRITORY.to_owned(),
        url: if is_public(public_url) {
            public_url.to_string()
        } else {
            format!("https://{origin}")
        },
        notices: vec![english(
            "Sample data of a nation that does not exist. Nothing follows from it.",
        )],
    })
}

/// Entity identifiers of OpenID Federation are https URLs. On loopback the sample has none.
fn is_public(public_url: &SecureUrl) -> bool {
    public_url.as_str().starts_with("https://")
}

/// Names and addresses that lists of trust ask for; the addresses lead nowhere.
fn particulars(name: &str, host: &str) -> Particulars {
    let website = format!("https://{host}.attestry.example");
    Particulars {
        names: vec![english(name)],
        trade_names: Vec::new(),
        postal_addresses: vec![PostalAddress {
            language: "en".to_owned(),
            street: "1 Register Square".to_owned(),
            locality: "Sampleton".to_owned(),
            province: None,
            postal_code: "10001".to_owned(),
            country: TERRITORY.to_owned(),
        }],
        electronic_addresses: vec![
            english(&website),
            english(&format!("mailto:contact@{host}.attestry.example")),
        ],
        information: vec![english(&website)],
    }
}

fn english(text: &str) -> Localised {
    Localised {
        language: "en".to_owned(),
        text: text.to_owned(),
    }
}

/// Founds the nation in a registry that has only its genesis: schemas, agencies, accreditations.
pub(crate) async fn found(
    data: &DataFolder,
    registry: &Registry,
    officers: &Officers,
    public_url: &SecureUrl,
    now: Timestamp,
) -> Result<()> {
    for agency in &AGENCIES {
        let did = admit(data, registry, agency, &officers.iaca, now)
            .await
            .with_context(|| format!("cannot admit the agency {}", agency.id))?;
        let federation_entity = is_public(public_url).then(|| format!("{public_url}/issuers/{}", agency.id));
        for sample_type in agency.types {
            publish_schema(registry, officers, sample_type).await?;
            let terms = Terms {
                action: Action::Issue,
                resource: sample_type.name,
                max_staleness: sample_type.max_staleness,
                on_stale: sample_type.on_stale,
                federation_entity: federation_entity.clone(),
            };
            accredit(registry, officers, agency, &did, &terms, now).await?;
        }
        if agency.id == SOURCE {
            let terms = Terms {
                action: Action::Publish,
                resource: API,
                max_staleness: DAY,
                on_stale: OnStale::Refuse,
                federation_entity,
            };
            accredit(registry, officers, agency, &did, &terms, now).await?;
        }
    }
    Ok(())
}

/// Makes the agency's keys, its DID and its folder, and logs the DID.
async fn admit(
    data: &DataFolder,
    registry: &Registry,
    agency: &SampleAgency,
    iaca: &Iaca,
    now: Timestamp,
) -> Result<String> {
    let (did, line) = new_agency_did(data, agency.id, now)?;
    let es256 = data.key(&format!("{}-es256", agency.id), Algorithm::Es256)?;
    registry
        .append(registry.did_event(&did, vec![line.into_bytes()], None)?, Vec::new())
        .await?;
    let folder = data.path().join("agencies").join(agency.id);
    write_folder(&folder, agency, &did)?;
    let certificate = iaca.certify(agency.name, &did, es256.public_key(), now)?;
    write(&folder.join("document-signer.der"), &certificate)?;
    Ok(did)
}

/// An agency's DID, with keys that are made if they are not there: for SD-JWT VC, JOSE and `ecdsa-sd-2023` (`es256`),
/// for the other suites of Data Integrity (`eddsa`), and for `bbs-2023` (`bbs`).
pub(crate) fn new_agency_did(data: &DataFolder, id: &str, now: Timestamp) -> Result<(String, String)> {
    let update = data.key(&format!("{id}-update"), Algorithm::EdDsa)?;
    let es256 = data.key(&format!("{id}-es256"), Algorithm::Es256)?;
    let eddsa = data.key(&format!("{id}-eddsa"), Algorithm::EdDsa)?;
    let bbs = data.key(&format!("{id}-bbs"), Algorithm::Bbs)?;
    new_did(id, &update, &[("es256", &es256), ("eddsa", &eddsa), ("bbs", &bbs)], now)
}

/// A did:webvh with these keys under their fragments.
pub(crate) fn new_did(
    id: &str,
    update: &SoftwareKey,
    keys: &[(&str, &SoftwareKey)],
    now: Timestamp,
) -> Result<(String, String)> {
    let methods: Vec<NewMethod<'_>> = keys
        .iter()
        .map(|(fragment, key)| NewMethod {
            fragment,
            key: key.public_key(),
            purposes: match key.public_key().algorithm() {
                // It signs what others show in parts, and so nothing that shows who one is.
                Algorithm::Bbs => &[Purpose::AssertionMethod],
                Algorithm::EdDsa | Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => {
                    &[Purpose::AssertionMethod, Purpose::Authentication]
                }
            },
        })
        .collect();
    let template = format!("did:webvh:{}:{id}.attestry.example", webvh::SCID_PLACEHOLDER);
    let mut parameters = webvh::ParameterChanges::default();
    parameters.update_keys = Some(vec![update.public_key().to_multikey()]);
    let creation = webvh::create(webvh::NewLog {
        document: new_document(&template, &methods),
        parameters,
        time: now,
        signer: update.public_key(),
    })?;
    let line = update.fulfil(creation.line)?;
    Ok((creation.did.to_string(), line))
}

fn write_folder(folder: &Path, agency: &SampleAgency, did: &str) -> Result<()> {
    let file = AgencyFile {
        id: agency.id.to_owned(),
        name: agency.name.to_owned(),
        did: did.to_owned(),
        verification_method: format!("{did}#es256"),
    };
    write(
        &folder.join("agency.json"),
        serde_json::to_string_pretty(&file)?.as_bytes(),
    )?;
    for (name, bytes) in agency.registers {
        write(&folder.join(name), bytes)?;
    }
    if agency.id == SOURCE {
        write(&folder.join(register_api::DESCRIPTION), DESCRIPTION)?;
    }
    for sample_type in agency.types {
        write(
            &folder.join("mappings").join(format!("{}.json", sample_type.name)),
            sample_type.mapping.as_bytes(),
        )?;
        let types = folder.join("types").join(sample_type.name);
        write(&types.join("type.json"), sample_type.type_metadata.as_bytes())?;
        write(&types.join("display.json"), sample_type.display.as_bytes())?;
        write(&types.join("schema.json"), sample_type.schema.as_bytes())?;
        write(&types.join("context.jsonld"), sample_type.context.as_bytes())?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

async fn publish_schema(registry: &Registry, officers: &Officers, sample_type: &SampleType) -> Result<()> {
    let base = format!("{TYPES}{}", sample_type.name);
    let documents = [
        (
            DocumentRole::TypeMetadata,
            base.clone(),
            "application/json",
            sample_type.type_metadata,
        ),
        (
            DocumentRole::JsonSchema,
            format!("{base}/schema.json"),
            "application/schema+json",
            sample_type.schema,
        ),
        (
            DocumentRole::Context,
            format!("{base}/context.jsonld"),
            "application/ld+json",
            sample_type.context,
        ),
        (
            DocumentRole::Display,
            format!("{base}/display.json"),
            "application/json",
            sample_type.display,
        ),
    ];
    let described = documents.iter().map(|(role, uri, media_type, text)| {
        Ok(SchemaDocument {
            role: *role,
            uri: uri.clone(),
            media_type: (*media_type).to_owned(),
            digest: Hash::digest(text.as_bytes()),
            length: u64::try_from(text.len())?,
        })
    });
    let schema = Schema {
        vct: base,
        aliases: Vec::new(),
        w3c_types: vec![sample_type.name.to_owned()],
        doctype: Mapping::parse(sample_type.mapping.as_bytes())?
            .doctype()
            .map(str::to_owned),
        status_required: true,
        documents: described.collect::<Result<_>>()?,
    };
    let draft = registry.draft(AUTHORITY, sample_type.name, Body::Schema(SchemaBody::Publish(schema)));
    let blobs = documents.iter().map(|(.., text)| text.as_bytes().to_vec()).collect();
    registry.append(officers.approve(&draft)?, blobs).await?;
    Ok(())
}

/// What an agency is accredited for.
struct Terms {
    action: Action,
    resource: &'static str,
    max_staleness: u64,
    on_stale: OnStale,
    /// As which it issues here.
    federation_entity: Option<String>,
}

async fn accredit(
    registry: &Registry,
    officers: &Officers,
    agency: &SampleAgency,
    did: &str,
    terms: &Terms,
    now: Timestamp,
) -> Result<()> {
    const TEN_YEARS: i64 = 10 * 365 * 86_400;
    let grant = Grant {
        entity: did.to_owned(),
        action: terms.action,
        resources: vec![Resource {
            id: terms.resource.to_owned(),
            schemas: Vec::new(),
        }],
        territories: vec![TERRITORY.to_owned()],
        level_of_assurance: None,
        valid_from: now,
        valid_until: now.plus(TEN_YEARS),
        delegation_depth: 0,
        parent: None,
        max_staleness: terms.max_staleness,
        on_stale: terms.on_stale,
        backdating: Backdating::Refuse,
        hazard: Some(10_000),
        listing: Some(Listing {
            particulars: particulars(agency.name, agency.id),
            certificates: vec![officers.iaca.root().to_vec()],
            federation_entity: terms.federation_entity.clone(),
        }),
    };
    let does = match terms.action {
        Action::Issue => "issues",
        Action::Publish => "publishes",
        Action::Verify => "verifies",
    };
    let subject = format!("{}-{does}-{}", agency.id, terms.resource.to_ascii_lowercase());
    let draft = registry.draft(
        AUTHORITY,
        &subject,
        Body::Accreditation(AccreditationBody::Grant(grant)),
    );
    registry.append(officers.approve(&draft)?, Vec::new()).await?;
    Ok(())
}

/// Where the agency whose register the sample's API reads has its folder.
pub(crate) fn source_folder(data: &DataFolder) -> std::path::PathBuf {
    data.path().join("agencies").join(SOURCE)
}

/// The signers of an agency's credentials. The DID of an agency of an earlier version has no key for BBS, and none is
/// made now that nobody could find.
pub(crate) fn agency_signers(data: &DataFolder, id: &str) -> Result<AgencySigners> {
    let bbs = data.existing_key(&format!("{id}-bbs"), Algorithm::Bbs)?;
    Ok(AgencySigners {
        jose: data.key(&format!("{id}-es256"), Algorithm::Es256)?,
        data_integrity: data.key(&format!("{id}-eddsa"), Algorithm::EdDsa)?,
        bbs: bbs.map(|key| key as Arc<dyn Signer>),
    })
}
