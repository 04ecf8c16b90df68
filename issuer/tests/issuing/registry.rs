//! A registry in memory: the real state machine, without log, witnesses and network.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use did::Purpose;
use did::document::NewMethod;
use did::document::new_document;
use did::webvh;
use issuer::Answer;
use issuer::RegistryError;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use signer::SoftwareKey;
use trust::Anchor;
use trust::entry::AccreditationBody;
use trust::entry::Action;
use trust::entry::Authority;
use trust::entry::Backdating;
use trust::entry::Body;
use trust::entry::DidEventBody;
use trust::entry::Draft;
use trust::entry::Entry;
use trust::entry::EntryType;
use trust::entry::Grant;
use trust::entry::Officer;
use trust::entry::OnStale;
use trust::entry::PolicyBody;
use trust::entry::PolicyKind;
use trust::entry::Resource;
use trust::entry::Schema;
use trust::entry::SchemaBody;
use trust::entry::StatusList;
use trust::note::SignatureType;
use trust::note::VerifierKey;
use trust::state::State;

use crate::service::NOW;

const ORIGIN: &str = "registry.attestry.example";
const AUTHORITY: &str = "governance";
const OFFICERS: [&str; 2] = ["officer-1", "officer-2"];
const DAY: i64 = 86_400;

/// When the registry began.
const GENESIS: Timestamp = NOW.minus(3_600);

/// The registry, and the contents that came with entries.
pub(crate) struct Registry {
    inner: Mutex<(State, Vec<Vec<u8>>)>,
    /// Its own, in OpenID Federation.
    pub(crate) entity_identifier: Mutex<Option<String>>,
    /// The next answer waits for it.
    pub(crate) delay: Mutex<Option<tokio::sync::oneshot::Receiver<()>>>,
}

/// An agency's DID and keys.
pub(crate) struct Identity {
    pub(crate) did: String,
    pub(crate) es256: Arc<SoftwareKey>,
    pub(crate) eddsa: Arc<SoftwareKey>,
    pub(crate) bbs: Arc<SoftwareKey>,
}

fn key(algorithm: Algorithm, number: u8) -> SoftwareKey {
    SoftwareKey::from_secret(algorithm, &[number; 32]).unwrap()
}

fn policy() -> PolicyBody {
    let officer = |(id, number): (&&str, u8)| Officer {
        id: (*id).to_owned(),
        key: key(Algorithm::EdDsa, number).public_key().clone(),
        next: None,
    };
    let note_key =
        |name, kind, number| VerifierKey::new(name, kind, key(Algorithm::EdDsa, number).public_key().clone()).unwrap();
    PolicyBody {
        kind: PolicyKind::Regular,
        authorities: vec![Authority {
            id: AUTHORITY.to_owned(),
            threshold: 2,
            officers: OFFICERS.iter().zip(1..).map(officer).collect(),
            scope: None,
        }],
        witness_policy: format!(
            "log {}\nwitness state {}\nquorum state\n",
            note_key(ORIGIN, SignatureType::Ed25519, 100),
            note_key("witness.example/0", SignatureType::Cosignature, 101)
        ),
        state_quorum: "state".to_owned(),
        methods: vec!["key".to_owned(), "webvh".to_owned()],
        algorithms: vec![Algorithm::Es256, Algorithm::EdDsa],
        recovery: None,
        genesis_time: Some(GENESIS),
        publication: None,
    }
}

fn approved(draft: &Draft) -> Vec<u8> {
    let signature = |(id, number): (&&str, u8)| {
        let request = draft.sign(id, Algorithm::EdDsa);
        key(Algorithm::EdDsa, number).fulfil(request).unwrap()
    };
    draft
        .assemble(OFFICERS.iter().zip(1..).map(signature).collect())
        .unwrap()
}

impl Registry {
    /// A registry in which one agency may issue `PersonIdentity`.
    pub(crate) fn with_agency() -> (Self, Identity) {
        let genesis = approved(&Draft::genesis(ORIGIN, policy()));
        let mut state = State::new(Anchor::of_genesis(&genesis).unwrap());
        state.apply(0, &genesis).unwrap();
        let (identity, line) = identity();
        let (seq, prev) = state.next_in_chain(EntryType::DidEvent, &identity.did);
        let body = Body::DidEvent(DidEventBody::Webvh {
            lines: vec![line],
            witness_proofs: None,
        });
        let leaf = Entry::without_approval(&identity.did, &identity.did, seq, prev, &body).unwrap();
        state.apply(state.size(), &leaf).unwrap();
        let accreditation = AccreditationBody::Grant(grant(&identity.did));
        for (subject, body) in [
            ("PersonIdentity", Body::Schema(SchemaBody::Publish(schema()))),
            ("population-issues-identity", Body::Accreditation(accreditation)),
        ] {
            let leaf = approved(&state.draft(AUTHORITY, subject, body, GENESIS.plus(DAY)));
            state.apply(state.size(), &leaf).unwrap();
        }
        let registry = Self {
            inner: Mutex::new((state, Vec::new())),
            entity_identifier: Mutex::default(),
            delay: Mutex::default(),
        };
        (registry, identity)
    }

    /// What the issuer has committed to under `uri`, and the compact form that came with it.
    pub(crate) fn committed(&self, issuer: &str, uri: &str) -> Option<(StatusList, Vec<u8>)> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let list = inner.0.status_list(issuer, uri)?.list().clone();
        let compact = inner
            .1
            .iter()
            .find(|blob| trust::status_bits::compact_digest(list.encoding, blob) == Ok(list.compact))?;
        Some((list, compact.clone()))
    }
}

impl issuer::Registry for Registry {
    fn draft<'a>(&'a self, ns: &'a str, subject: &'a str, body: Body) -> Answer<'a, Draft> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let draft = inner.0.draft(ns, subject, body, GENESIS.plus(DAY));
        Box::pin(async move { Ok(draft) })
    }

    fn append(&self, leaf: Vec<u8>, blobs: Vec<Vec<u8>>) -> Answer<'_, ()> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let size = inner.0.size();
        let applied = inner.0.apply(size, &leaf);
        inner.1.extend(blobs);
        let delay = self.delay.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async move {
            if let Some(delay) = delay {
                delay.await.ok();
            }
            applied.map_err(|error| RegistryError::Refused {
                reason: error.to_string(),
            })
        })
    }

    fn entity_identifier(&self) -> Answer<'_, Option<String>> {
        let identifier = self
            .entity_identifier
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Box::pin(async move { Ok(identifier) })
    }
}

/// A did:webvh with the keys that agencies have, and the line of its log.
fn identity() -> (Identity, Vec<u8>) {
    let update = key(Algorithm::EdDsa, 20);
    let (es256, eddsa) = (key(Algorithm::Es256, 21), key(Algorithm::EdDsa, 22));
    let bbs = key(Algorithm::Bbs, 23);
    let purposes = [Purpose::AssertionMethod, Purpose::Authentication];
    let method = |fragment, key| NewMethod {
        fragment,
        key,
        purposes: &purposes,
    };
    let methods = [
        method("es256", es256.public_key()),
        method("eddsa", eddsa.public_key()),
        method("bbs", bbs.public_key()),
    ];
    let did = format!("did:webvh:{}:population.attestry.example", webvh::SCID_PLACEHOLDER);
    let mut parameters = webvh::ParameterChanges::default();
    parameters.update_keys = Some(vec![update.public_key().to_multikey()]);
    let creation = webvh::create(webvh::NewLog {
        document: new_document(&did, &methods),
        parameters,
        time: GENESIS,
        signer: update.public_key(),
    })
    .unwrap();
    let identity = Identity {
        did: creation.did.to_string(),
        es256: Arc::new(es256),
        eddsa: Arc::new(eddsa),
        bbs: Arc::new(bbs),
    };
    (identity, update.fulfil(creation.line).unwrap().into_bytes())
}

fn schema() -> Schema {
    Schema {
        vct: "https://attestry.example/types/PersonIdentity".to_owned(),
        aliases: Vec::new(),
        w3c_types: vec!["PersonIdentity".to_owned()],
        doctype: None,
        status_required: true,
        documents: Vec::new(),
    }
}

fn grant(did: &str) -> Grant {
    Grant {
        entity: did.to_owned(),
        action: Action::Issue,
        resources: vec![Resource {
            id: "PersonIdentity".to_owned(),
            schemas: Vec::new(),
        }],
        territories: Vec::new(),
        level_of_assurance: None,
        valid_from: GENESIS,
        valid_until: GENESIS.plus(365 * DAY),
        delegation_depth: 0,
        parent: None,
        max_staleness: 86_400,
        on_stale: OnStale::Refuse,
        backdating: Backdating::Refuse,
        hazard: None,
        listing: None,
    }
}
