//! kill -9 at any moment, under load: what was acknowledged is there afterwards, and the log has no fork.
#![cfg(test)]

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use e2e::Client;
use e2e::LogView;
use e2e::Offer;
use e2e::Place;
use e2e::Request;
use e2e::Wallet;
use e2e::credential_request;
use e2e::status_of;
use rand_core::Rng as _;
use serde_json::Value;
use serde_json::json;
use trust::TrustedBundle;
use trust::entry::TokenFormat;
use trust::merkle::Hash;

const ROUNDS: usize = 50;
const ISSUING: usize = 3;
/// Long enough that every step of issuing, revoking and committing is met by some kill.
const LOAD_MILLISECONDS: (u64, u64) = (80, 700);

/// What a client knows of one person's credential, from answers that arrived whole.
struct Known {
    credential: String,
    /// The request that it came of.
    request: Request,
    revocation: Revocation,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Revocation {
    None,
    /// Sent; no answer came.
    Unknown,
    Acknowledged,
}

/// Everything that clients were told, by subject.
type Ledger = Mutex<BTreeMap<String, Known>>;

struct Load<'a> {
    client: &'a Client,
    subjects: &'a [String],
    next: &'a AtomicUsize,
    ledger: &'a Ledger,
    is_over: AtomicBool,
}

/// The sample's people whose row gives a credential, as far as can be seen from here.
fn subjects() -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../schemas/sample/persons.csv");
    let text = std::fs::read_to_string(path).unwrap();
    // Records of several lines begin with an id all the same.
    let ids = text
        .lines()
        .filter(|line| line.starts_with('X') && line.as_bytes().get(9) == Some(&b','));
    // The register has one row twice; a person is issued to once here.
    let mut ids: Vec<String> = ids.map(|line| line[..9].to_owned()).collect();
    ids.sort();
    ids.dedup();
    ids
}

impl Load<'_> {
    /// Issues to one person after another until the connection breaks.
    fn issue(&self) -> io::Result<()> {
        while !self.is_over.load(Ordering::SeqCst) {
            let Some(subject) = self.subjects.get(self.next.fetch_add(1, Ordering::SeqCst)) else {
                return Ok(());
            };
            let terms = json!({"type": "PersonIdentity", "subject": subject});
            let offered = Request::post_json("/issuers/population/admin/offers", &terms);
            let offered = offered.bearer(self.client.token()).send(self.client.address())?;
            // A few people get none: their row says why.
            if offered.status == 409 {
                continue;
            }
            let offer = Offer::parse(offered.expect(201)["offer"].as_str().unwrap());
            let token = offer.redeem(self.client, None)?.expect(200)["access_token"].clone();
            let nonce = Wallet::nonce(self.client, "population")?;
            let proof = Wallet::new().proof(offer.issuer(), Some(&nonce));
            let request = credential_request(&offer, token.as_str().unwrap(), vec![proof]);
            let answer = request.send(self.client.address())?.expect(200);
            let known = Known {
                credential: answer["credentials"][0]["credential"].as_str().unwrap().to_owned(),
                request,
                revocation: Revocation::None,
            };
            self.ledger.lock().unwrap().insert(subject.clone(), known);
        }
        Ok(())
    }

    /// Revokes every second credential that is known until the connection breaks.
    fn revoke(&self) -> io::Result<()> {
        while !self.is_over.load(Ordering::SeqCst) {
            let chosen = {
                let mut ledger = self.ledger.lock().unwrap();
                let mut open = ledger
                    .iter_mut()
                    .filter(|(_, known)| known.revocation == Revocation::None);
                open.nth(1).map(|(subject, known)| {
                    known.revocation = Revocation::Unknown;
                    subject.clone()
                })
            };
            let Some(subject) = chosen else {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            };
            let list = Request::get(&format!("/issuers/population/admin/credentials?subject={subject}"));
            let list = list
                .bearer(self.client.token())
                .send(self.client.address())?
                .expect(200);
            let id = list["credentials"][0]["id"].as_str().unwrap();
            let revoke = format!("/issuers/population/admin/credentials/{id}/revoke");
            let revoke = Request::post_json(&revoke, &json!({})).bearer(self.client.token());
            let answer = revoke.send(self.client.address())?.expect(200);
            assert_eq!(answer["committed"], true, "{answer}");
            let mut ledger = self.ledger.lock().unwrap();
            ledger.get_mut(&subject).unwrap().revocation = Revocation::Acknowledged;
        }
        Ok(())
    }

    /// Collects the checkpoints that the world sees.
    fn watch(&self, log: &Mutex<LogView>) -> io::Result<()> {
        while !self.is_over.load(Ordering::SeqCst) {
            let checkpoint = Request::get("/registry/checkpoint").send(self.client.address())?;
            assert_eq!(checkpoint.status, 200);
            log.lock().unwrap().saw(&checkpoint.body);
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

/// Holds the platform to what it acknowledged about `subject`.
fn check(client: &Client, bundle: &TrustedBundle, subject: &str, known: &Known) {
    let listed: Vec<Value> = client.credentials("population", Some(subject));
    assert_eq!(listed.len(), 1, "{subject}: {listed:?}");
    let (issuer, uri, index) = status_of(&known.credential);
    let committed = bundle.status_list(&issuer, &uri).unwrap();
    let found = (listed[0]["status"].as_str().unwrap(), committed.bits.get(index));
    match known.revocation {
        Revocation::None => assert_eq!(found, ("valid", Some(0)), "{subject}"),
        Revocation::Acknowledged => assert_eq!(found, ("revoked", Some(1)), "{subject}"),
        // It happened or it did not; the list and the bundle agree.
        Revocation::Unknown => assert!(
            [("valid", Some(0)), ("revoked", Some(1))].contains(&found),
            "{subject} {found:?}"
        ),
    }
    // The nonce is used up as well.
    let again = client.send(&known.request);
    assert_eq!(again.oauth_error(), (400, "invalid_nonce".to_owned()), "{subject}");
    // What the issuer serves is what the registry has, in every form.
    let path = uri.split_once("/issuers/").unwrap().1;
    assert_eq!(committed.list.tokens.len(), 2, "{uri}");
    for token in &committed.list.tokens {
        let media_type = match token.format {
            TokenFormat::Jwt => "application/statuslist+jwt",
            TokenFormat::Cwt => "application/statuslist+cwt",
            other => panic!("{uri} in the form {other:?}"),
        };
        let served = client.send(&Request::get(&format!("/issuers/{path}")).header("accept", media_type));
        assert_eq!(served.status, 200, "{uri} {media_type}");
        assert_eq!(token.digest, Hash::digest(&served.body), "{uri} {media_type}");
    }
}

#[test]
fn nothing_acknowledged_is_lost_in_fifty_kills() {
    let place = Place::new();
    let platform = place.up(&["--sample"]);
    let address = platform.client().address().to_string();
    let log = Mutex::new(LogView::pin(platform.client()));
    platform.stop();

    let (subjects, next, ledger) = (subjects(), AtomicUsize::new(0), Ledger::default());
    assert!(subjects.len() > 900);
    let mut rng = signer::os_rng();
    let (mut checked, mut kills) = (0, Vec::new());
    for _ in 0..ROUNDS {
        let platform = place.up(&["--listen", &address]);
        let client = platform.client().clone();
        log.lock().unwrap().follow(&client);
        let bundle = log.lock().unwrap().bundle(&client);
        // All of them once more at the end; in between those that the last kill may have met.
        let known = ledger.lock().unwrap();
        for (subject, known) in known.iter().skip(checked) {
            check(&client, &bundle, subject, known);
        }
        checked = known.len().saturating_sub(ISSUING);
        drop(known);

        let load = Load {
            client: &client,
            subjects: &subjects,
            next: &next,
            ledger: &ledger,
            is_over: AtomicBool::new(false),
        };
        let (least, most) = LOAD_MILLISECONDS;
        let milliseconds = least + rng.next_u64() % (most - least);
        std::thread::scope(|scope| {
            for _ in 0..ISSUING {
                scope.spawn(|| load.issue());
            }
            for _ in 0..2 {
                scope.spawn(|| load.revoke());
            }
            scope.spawn(|| load.watch(&log));
            std::thread::sleep(Duration::from_millis(milliseconds));
            platform.kill();
            load.is_over.store(true, Ordering::SeqCst);
        });
        kills.push((milliseconds, ledger.lock().unwrap().len()));
    }

    let platform = place.up(&["--listen", &address]);
    let client = platform.client();
    log.lock().unwrap().follow(client);
    let bundle = log.lock().unwrap().bundle(client);
    let ledger = ledger.into_inner().unwrap();
    for (subject, known) in &ledger {
        check(client, &bundle, subject, known);
    }
    let count = |wanted| ledger.values().filter(|known| known.revocation == wanted).count();
    let (revoked, unknown) = (count(Revocation::Acknowledged), count(Revocation::Unknown));
    println!(
        "issued {}, revoked {revoked}, unknown {unknown}, log of {} entries; killed after (ms, issued): {kills:?}",
        ledger.len(),
        log.lock().unwrap().size(),
    );
    // A load that did nothing would show nothing.
    assert!(ledger.len() > 2 * ROUNDS && revoked > ROUNDS / 2);
    platform.stop();
}
