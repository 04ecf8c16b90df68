//! A disk that is full while entries come in: nothing is acknowledged that is not there afterwards, what is served goes on,
//! and with room again the log goes on where it stood.
//!
//! The disk is a small one in memory, which needs the right to mount; without it the test says `skipped`.

use std::fs;
use std::process::Command;

use e2e::LogView;
use e2e::Place;
use e2e::Request;
use e2e::Response;
use keys::Algorithm;
use keys::Signer as _;
use keys::Timestamp;
use signer::SoftwareKey;
use trust::entry::Body;
use trust::entry::DidEventBody;
use trust::entry::Entry;
use trust::merkle::Hash;
use trust::merkle::leaf_hash;

/// More of the larger entries than fit.
const MOST: u64 = 400;

/// An entry of some 20 kB: the first line of a DID whose document says a lot.
fn leaf(number: u64) -> Vec<u8> {
    let mut secret = [5; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    let key = SoftwareKey::from_secret(Algorithm::EdDsa, &secret).unwrap();
    let did = format!("did:webvh:{{SCID}}:{number}.agency.example");
    let mut document = did::document::new_document(&did, &[]);
    let names: Vec<String> = (0..400)
        .map(|name| {
            format!(
                "https://{number}.agency.example/{}",
                Hash::digest(&[u8::try_from(name % 251).unwrap()])
            )
        })
        .collect();
    document["alsoKnownAs"] = names.into();
    let mut parameters = did::webvh::ParameterChanges::default();
    parameters.update_keys = Some(vec![key.public_key().to_multikey()]);
    let new = did::webvh::NewLog {
        document,
        parameters,
        time: Timestamp::from_unix(1_795_392_000),
        signer: key.public_key(),
    };
    let creation = did::webvh::create(new).unwrap();
    let did = creation.did.to_string();
    let body = Body::DidEvent(DidEventBody::Webvh {
        lines: vec![key.fulfil(creation.line).unwrap().into_bytes()],
        witness_proofs: None,
    });
    Entry::without_approval(&did, &did, 0, Hash::ZERO, &body).unwrap()
}

/// The platform's data on a small disk in memory; on a larger one from [`Disk::outgrow`] on.
struct Disk<'p>(&'p Place);

impl<'p> Disk<'p> {
    fn mount(place: &'p Place) -> Option<Self> {
        fs::create_dir(place.data()).unwrap();
        let mut mount = Command::new("mount");
        let status = mount
            .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
            .arg(place.data())
            .status();
        status.is_ok_and(|status| status.success()).then_some(Self(place))
    }

    fn outgrow(self) {
        let (small, copy) = (self.0.data(), self.0.path("copy"));
        assert!(
            Command::new("cp")
                .arg("-a")
                .arg(&small)
                .arg(&copy)
                .status()
                .unwrap()
                .success()
        );
        drop(self);
        fs::remove_dir(&small).unwrap();
        fs::rename(copy, small).unwrap();
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0.data()).status().ok();
    }
}

#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let place = Place::new();
    let Some(disk) = Disk::mount(&place) else {
        println!("skipped: this user cannot mount a small disk");
        return;
    };
    let platform = place.up(&["--sample"]);
    let client = platform.client();
    let mut log = LogView::pin(client);
    let post = |client: &e2e::Client, leaf: &[u8]| -> std::io::Result<Response> {
        let request = Request::post("/registry/entries", "application/cbor", leaf);
        request.bearer(client.token()).send(client.address())
    };
    let (mut acknowledged, mut refused) = (Vec::new(), None);
    for number in 0..MOST {
        let leaf = leaf(number);
        let answer = post(client, &leaf).unwrap();
        if answer.status != 200 {
            refused = Some((answer, leaf));
            break;
        }
        acknowledged.push(leaf_hash(&leaf));
    }
    let (answer, unlucky) = refused.expect("the disk never fills up");
    assert_eq!(answer.problem(), (503, "not-published".to_owned()), "{}", answer.text());
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    // What is there is served, and nothing that is not.
    log.follow(client);
    for hash in &acknowledged {
        assert_eq!(client.get(&format!("/registry/entries/{hash}")).status, 200);
    }
    assert_eq!(client.get("/registry/bundle").status, 200);
    let again = post(client, &unlucky).unwrap();
    assert_ne!(again.status, 200, "{}", again.text());
    platform.kill();

    disk.outgrow();
    let platform = place.up(&[]);
    let client = platform.client();
    log.follow(client);
    for hash in &acknowledged {
        assert_eq!(client.get(&format!("/registry/entries/{hash}")).status, 200, "{hash}");
    }
    assert_eq!(post(client, &unlucky).unwrap().status, 200);
    log.follow(client);
    println!("{} entries acknowledged before the disk was full", acknowledged.len());
    platform.stop();
}
