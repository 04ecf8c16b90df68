//! Times of the table's rows and of other single operations, with criterion's statistics.
//!
//! `cargo bench -p benches --bench operations [-- FILTER]`.

/// The documents that the tests of `crates/jsonld` have refused.
#[path = "../../crates/jsonld/tests/documents/expensive.rs"]
#[expect(dead_code, reason = "the tests need more of it")]
mod expensive;

use std::hint::black_box;
use std::time::Duration;

use benches::NOW;
use benches::key;
use benches::registry::Packed;
use credential::status_list::BitsPerEntry;
use credential::status_list::Bitstring;
use credential::status_list::BitstringPurpose;
use credential::status_list::Status;
use credential::status_list::StatusArray;
use credential::status_list::StatusListToken;
use credential::status_list::StatusReference;
use credential::status_list::UnverifiedStatusListToken;
use criterion::Criterion;
use jsonld::ContextLoader;
use jsonld::HashAlgorithm;
use jsonld::MAX_CANONICALIZATION_WORK;
use jsonld::Options;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::cbor;
use keys::json;
use keys::ml_dsa;
use serde_json::Value;
use signer::MlDsaKey;
use trust::checkpoint::Checkpoint;
use trust::checkpoint::SignedCheckpoint;
use trust::merkle::Hash;
use trust::note::SignatureType;
use trust::note::VerifierKey;

const LIST: &str = "https://issuer.example/status/1";
const ISSUER: &str = "did:example:issuer";

fn main() {
    // Short, so that the whole is done in a minute; `--measurement-time` and `--sample-size` make it exact.
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .configure_from_args();
    rows(&mut criterion);
    status_lists(&mut criterion);
    bundles(&mut criterion);
    checkpoints(&mut criterion);
    public_keys(&mut criterion);
    encodings(&mut criterion);
    expensive_documents(&mut criterion);
    criterion.final_summary();
}

fn rows(criterion: &mut Criterion) {
    for row in benches::rows() {
        let mut group = criterion.benchmark_group(row.name);
        group.bench_function("whole", |bencher| bencher.iter(&row.whole));
        group.bench_function("raw signature checks", |bencher| bencher.iter(&row.raw));
        group.finish();
    }
}

/// Lists of 131,072 credentials, one in a hundred revoked.
fn status_lists(criterion: &mut Criterion) {
    let mut array = StatusArray::new(BitsPerEntry::Two, 131_072);
    for index in (0..array.len()).step_by(100) {
        array.set(index, Status::Invalid).expect("an entry");
    }
    let issuer = key(Algorithm::EdDsa, 3);
    let list = array.compress().expect("a list");
    let token = StatusListToken {
        uri: LIST,
        issuer: ISSUER,
        key_id: "did:example:issuer#key",
        issued_at: NOW,
        expires_at: None,
        time_to_live: None,
        aggregation_uri: None,
        list: &list,
    };
    let token = issuer.fulfil(token.sign(Algorithm::EdDsa)).expect("the issuer's key");
    let read = || {
        let token = UnverifiedStatusListToken::parse(&token).expect("our own token");
        token
            .authenticate(issuer.public_key(), ISSUER, LIST, NOW)
            .expect("our own token")
    };
    let list = read();
    let reference = StatusReference::token_status_list(LIST.to_owned(), 77_700);
    let bitstring = array.to_bitstring(BitstringPurpose::Revocation);
    let encoded = bitstring.to_encoded_list().expect("a list");
    let mut group = criterion.benchmark_group("status list of 131,072 entries");
    group.bench_function("authenticate the token", |bencher| bencher.iter(read));
    group.bench_function("read one status", |bencher| {
        bencher.iter(|| list.read(black_box(&reference)));
    });
    group.bench_function("decode the bitstring", |bencher| {
        bencher.iter(|| Bitstring::from_encoded_list(black_box(&encoded)));
    });
    group.finish();
}

fn bundles(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load a trust bundle");
    for agencies in [0, 100] {
        let packed = Packed::new(agencies);
        let name = format!("{} agencies, {} bytes", u32::from(agencies) + 1, packed.bytes.len());
        group.bench_function(name, |bencher| bencher.iter(|| packed.load()));
    }
    group.finish();
}

/// What the log's second signature costs whoever reads a checkpoint: parsed and verified, with one signature and with both.
fn checkpoints(criterion: &mut Criterion) {
    let origin = "registry.example/log";
    let first = key(Algorithm::EdDsa, 100);
    let log = VerifierKey::new(origin, SignatureType::Ed25519, first.public_key().clone()).expect("a key");
    let second = MlDsaKey::from_seed(&[120; 32]).expect("a key");
    let again = VerifierKey::ml_dsa(origin, ml_dsa::Signer::public_key(&second).clone()).expect("a key");
    let checkpoint = Checkpoint::new(origin, 20_852_163, Hash::digest(b"root")).expect("a checkpoint");
    let request = SignedCheckpoint::sign(checkpoint, &log).expect("a request");
    let once = first.fulfil(request).expect("a signature");
    let request = once.sign_again(NOW, &again).expect("a request");
    let mut twice = once.clone();
    twice.add(request.fulfil(&second).expect("a signature"));

    let mut group = criterion.benchmark_group("a checkpoint, parsed and verified");
    for (checkpoint, logs) in [(once, vec![log.clone()]), (twice, vec![log, again])] {
        let text = checkpoint.to_string();
        let name = format!("{} signatures, {} bytes", logs.len(), text.len());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let parsed = SignedCheckpoint::parse(black_box(text.as_bytes())).expect("a checkpoint");
                parsed.verify_log(&logs).map(drop).expect("the log's signatures");
            });
        });
    }
    group.finish();
}

/// What a key costs before it checks its first signature.
fn public_keys(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read a public key from a JWK");
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let jwk = key(algorithm, 4).public_key().to_jwk();
        group.bench_function(algorithm.jose_name(), |bencher| {
            bencher.iter(|| PublicKey::from_jwk(black_box(&jwk)));
        });
    }
    group.finish();
}

/// The same document as JSON and as CBOR.
fn encodings(criterion: &mut Criterion) {
    let text = include_bytes!("../../schemas/types/PersonIdentity/context.jsonld");
    let value: Value = serde_json::from_slice(text).expect("JSON");
    let encoded = to_cbor(&value).to_vec();
    let mut group = criterion.benchmark_group(format!("a document of {} bytes", text.len()));
    group.bench_function("strict JSON", |bencher| {
        bencher.iter(|| json::parse(text, json::DEFAULT_LIMITS));
    });
    group.bench_function("serde_json", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Value>(text));
    });
    group.bench_function("JCS", |bencher| {
        bencher.iter(|| keys::jcs::canonicalize(black_box(&value)));
    });
    group.bench_function("decode CBOR", |bencher| {
        bencher.iter(|| cbor::decode(&encoded, json::DEFAULT_LIMITS));
    });
    let decoded = cbor::decode(&encoded, json::DEFAULT_LIMITS).expect("our own encoding");
    group.bench_function("encode CBOR", |bencher| bencher.iter(|| decoded.to_vec()));
    group.finish();
}

/// Documents made to be expensive, until they are refused: each in less than 50 ms.
fn expensive_documents(criterion: &mut Criterion) {
    let contexts = ContextLoader::bundled();
    let strict = |document: &Value| jsonld::to_rdf(document, &Options::strict(&contexts));
    let mut group = criterion.benchmark_group("refuse");
    for (name, document) in expensive::POISON {
        let dataset = strict(&document()).expect("only its canonical form is refused");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                jsonld::canonicalize(&dataset, HashAlgorithm::Sha256, MAX_CANONICALIZATION_WORK)
                    .expect_err("too much work")
            });
        });
    }
    for (name, document) in [
        ("71 levels", expensive::nested(70)),
        ("60,000 elements", expensive::many_elements()),
        ("40,000 long types", expensive::unfolding()),
        ("1,000 contexts", expensive::many_contexts()),
        ("5,000 prefixes", expensive::many_prefixes()),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| strict(&document).expect_err("a document beyond a limit"));
        });
    }
    group.finish();
}

fn to_cbor(value: &Value) -> cbor::Value {
    match value {
        Value::Object(map) => cbor::Value::Map(
            map.iter()
                .map(|(name, value)| (cbor::Value::text(name), to_cbor(value)))
                .collect(),
        ),
        Value::Array(items) => cbor::Value::Array(items.iter().map(to_cbor).collect()),
        other => cbor::Value::text(other.as_str().unwrap_or_default()),
    }
}
