//! Status lists: the JWT form against npm `@sd-jwt/jwt-status-list`, the CWT form against Python `cwt`, Bitstring Status
//! Lists against npm `@digitalbazaar/vc-bitstring-status-list`.

use credential::data_integrity;
use credential::data_integrity::Cryptosuite;
use credential::data_integrity::ProofOptions;
use credential::status_list::BitsPerEntry;
use credential::status_list::Bitstring;
use credential::status_list::BitstringCredential;
use credential::status_list::BitstringStatusList;
use credential::status_list::Status;
use credential::status_list::StatusArray;
use credential::status_list::StatusList;
use credential::status_list::StatusListToken;
use credential::status_list::StatusPurpose;
use credential::status_list::StatusReference;
use credential::status_list::StatusSize;
use credential::status_list::UnverifiedStatusListCwt;
use credential::status_list::UnverifiedStatusListToken;
use keys::Algorithm;
use keys::base64url;
use serde_json::Value;
use serde_json::json;

use crate::data_integrity::ISSUER;
use crate::data_integrity::METHOD;
use crate::data_integrity::Scene;
use crate::matrix::Exchange;
use crate::mutation;
use crate::mutation::Mutation;
use crate::party::Party;
use crate::party::now;
use crate::peer;
use crate::peer::BITSTRING_STATUS_LIST;
use crate::peer::CWT;
use crate::peer::Peer;
use crate::peer::STATUS_LIST_JWT;

const URI: &str = "https://population.attestry.example/status/1";
const ENTRIES: usize = 1_000;
const BITS: [BitsPerEntry; 4] = [
    BitsPerEntry::One,
    BitsPerEntry::Two,
    BitsPerEntry::Four,
    BitsPerEntry::Eight,
];
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];

/// Every value that an entry of so many bits can have, over and over.
fn statuses(bits: BitsPerEntry) -> Vec<u8> {
    let values = 1_usize << bits.number();
    (0..ENTRIES)
        .map(|index| u8::try_from(index % values).unwrap())
        .collect()
}

fn array(bits: BitsPerEntry) -> StatusArray {
    let mut array = StatusArray::new(bits, ENTRIES);
    for (index, value) in statuses(bits).into_iter().enumerate() {
        array.set(index, Status::from(value)).unwrap();
    }
    array
}

/// The Token Status List in one of its two formats.
struct Token {
    format: &'static str,
    peer: Peer,
    issuer: Party,
}

impl Token {
    fn exchange<'a>(&self, what: &'a str) -> Exchange<'a> {
        Exchange {
            format: format!("{}, {}", self.format, self.issuer.algorithm()),
            peer: self.peer.name(),
            what,
        }
    }

    /// The token as text: the CWT in base64url.
    fn ours(&self, bits: BitsPerEntry) -> String {
        let token = StatusListToken {
            uri: URI,
            issuer: ISSUER,
            key_id: METHOD,
            issued_at: now().minus(60),
            expires_at: Some(now().plus(3_600)),
            time_to_live: Some(600),
            aggregation_uri: None,
            list: &array(bits).compress().unwrap(),
        };
        if self.peer == CWT {
            base64url::encode(self.issuer.sign(token.sign_cwt(self.issuer.algorithm())))
        } else {
            self.issuer.sign(token.sign(self.issuer.algorithm()))
        }
    }

    fn theirs(&self, bits: BitsPerEntry) -> String {
        let (issued_at, expires_at) = (now().minus(60).unix(), now().plus(3_600).unix());
        let mut question = json!({
            "do": "publish", "key": self.issuer.private_jwk(), "kid": METHOD, "bits": bits.number(), "statuses": statuses(bits),
        });
        let answer = if self.peer == CWT {
            question["claims"] = json!({"1": ISSUER, "2": URI, "4": expires_at, "6": issued_at, "65534": 600});
            "token"
        } else {
            question["header"] = json!({"kid": METHOD});
            question["payload"] = json!({"iss": ISSUER, "sub": URI, "exp": expires_at, "iat": issued_at, "ttl": 600});
            "jwt"
        };
        self.peer.ask(&question).unwrap()[answer].as_str().unwrap().to_owned()
    }

    fn read(&self, token: &str) -> Option<StatusList> {
        let (key, now) = (self.issuer.key(), now());
        if self.peer == CWT {
            let token = UnverifiedStatusListCwt::parse(&base64url::decode(token).ok()?).ok()?;
            token.authenticate(key, ISSUER, URI, now).ok()
        } else {
            let token = UnverifiedStatusListToken::parse(token).ok()?;
            token.authenticate(key, ISSUER, URI, now).ok()
        }
    }

    fn question(&self, token: &str) -> Value {
        let name = if self.peer == CWT { "token" } else { "jwt" };
        let indices: Vec<usize> = (0..ENTRIES).collect();
        json!({"do": "read", "key": self.issuer.jwk(), "kid": METHOD, name: token, "indices": indices})
    }

    fn mutations(&self, token: &str) -> Vec<Mutation<String>> {
        if self.peer == CWT {
            let token = base64url::decode(token).unwrap();
            let mutations = mutation::of_tagged_sign1(&token).into_iter();
            mutations
                .map(|(name, token)| (name, base64url::encode(token)))
                .collect()
        } else {
            mutation::of_jws(token)
        }
    }
}

/// Both formats with both algorithms.
fn tokens() -> impl Iterator<Item = Token> {
    let formats = [("statuslist+jwt", STATUS_LIST_JWT), ("statuslist+cwt", CWT)];
    let installed = peer::are_installed();
    let formats = formats.into_iter().filter(move |_| installed);
    formats.flat_map(|(format, peer)| {
        ALGORITHMS.map(|algorithm| Token {
            format,
            peer,
            issuer: Party::new(algorithm),
        })
    })
}

#[test]
fn others_read_our_tokens() {
    for token in tokens() {
        for bits in BITS {
            let read = token.peer.ask(&token.question(&token.ours(bits))).unwrap();
            assert_eq!(read["statuses"], json!(statuses(bits)), "{bits:?}");
        }
        let mutations = token.mutations(&token.ours(BitsPerEntry::Two));
        let questions: Vec<Value> = mutations.iter().map(|(_, text)| token.question(text)).collect();
        let accepted = token.peer.ask_all(&questions).into_iter().map(|answer| answer.is_ok());
        let exchange = token.exchange("we publish, they read");
        exchange.refused_by_the_peer(&mutations, accepted, &[]);
    }
}

#[test]
fn we_read_the_tokens_of_others() {
    for token in tokens() {
        for bits in BITS {
            let list = token.read(&token.theirs(bits)).unwrap();
            for (index, value) in statuses(bits).into_iter().enumerate() {
                let reference = StatusReference::token_status_list(URI.to_owned(), index);
                assert_eq!(list.read(&reference).unwrap().status(), Status::from(value), "{bits:?}");
            }
        }
        let mutations = token.mutations(&token.theirs(BitsPerEntry::Two));
        let exchange = token.exchange("they publish, we read");
        exchange.all_refused(&mutations, |text| token.read(text).is_some());
    }
}

/// A Bitstring Status List of the issuer of a scene, in which position 7 is set and 8 is not.
struct Published(Scene);

impl Published {
    fn new() -> Self {
        Self(Scene::new(Cryptosuite::EddsaRdfc2022, Algorithm::EdDsa))
    }

    fn ours(&self) -> Value {
        let mut bitstring = Bitstring::new(StatusSize::ONE, 0);
        bitstring.set(StatusSize::ONE, 7, 1).unwrap();
        let list = BitstringCredential {
            uri: URI,
            issuer: ISSUER,
            purposes: &[StatusPurpose::Revocation],
            valid_from: now().minus(60),
            valid_until: Some(now().plus(3_600)),
            time_to_live: None,
            bitstring: &bitstring,
            messages: None,
        };
        let options = ProofOptions {
            cryptosuite: self.0.suite,
            algorithm: self.0.issuer.algorithm(),
            verification_method: METHOD,
            created: Some(now().minus(1)),
            expires: None,
        };
        let request = data_integrity::issue(list.document().unwrap(), &options, &self.0.contexts);
        Value::Object(self.0.issuer.sign(request.unwrap()))
    }

    fn theirs(&self) -> Value {
        let question = json!({
            "do": "publish_list", "suite": self.0.suite.as_str(), "id": URI, "issuer": ISSUER,
            "valid_from": now().minus(60).to_rfc3339(), "purpose": "revocation", "length": 131_072, "set": [7],
            "key": self.0.issuer.private_jwk(), "method": METHOD, "controller": ISSUER,
        });
        BITSTRING_STATUS_LIST.ask(&question).unwrap()["list"].clone()
    }

    fn read(&self, list: &Value) -> Option<BitstringStatusList> {
        let list = self.0.authenticate(list).ok()?;
        BitstringStatusList::from_credential(&list, URI).ok()
    }

    /// About a credential with the given place in the list.
    fn question(&self, list: &Value, index: usize) -> Value {
        let mut credential = self.0.document();
        credential["credentialStatus"] = reference(index).to_value();
        json!({
            "do": "read_list", "suite": self.0.suite.as_str(), "list": list, "credential": credential,
            "key": self.0.issuer.jwk(), "method": METHOD, "controller": ISSUER,
        })
    }

    fn exchange<'a>(&self, what: &'a str) -> Exchange<'a> {
        Exchange {
            format: format!("BitstringStatusListCredential, {}", self.0.suite.as_str()),
            peer: BITSTRING_STATUS_LIST.name(),
            what,
        }
    }
}

fn reference(index: usize) -> StatusReference {
    StatusReference::bitstring(URI.to_owned(), index, StatusPurpose::Revocation)
}

#[test]
fn digitalbazaar_reads_our_bitstring_status_lists() {
    if !peer::are_installed() {
        return;
    }
    let published = Published::new();
    let list = published.ours();
    for (index, expected) in [(7, true), (8, false)] {
        let read = BITSTRING_STATUS_LIST.ask(&published.question(&list, index)).unwrap();
        assert_eq!(read["statuses"], json!([expected]));
    }
    let mutations = mutation::of_document(&list);
    let questions: Vec<Value> = mutations.iter().map(|(_, list)| published.question(list, 7)).collect();
    let accepted = BITSTRING_STATUS_LIST
        .ask_all(&questions)
        .into_iter()
        .map(|answer| answer.is_ok());
    let exchange = published.exchange("we publish, they read");
    exchange.refused_by_the_peer(&mutations, accepted, &[]);
}

#[test]
fn we_read_the_bitstring_status_lists_of_digitalbazaar() {
    if !peer::are_installed() {
        return;
    }
    let published = Published::new();
    let theirs = published.theirs();
    let list = published.read(&theirs).unwrap();
    for (index, expected) in [(7, Status::Invalid), (8, Status::Valid)] {
        assert_eq!(list.read(&reference(index)).unwrap().status(), expected);
    }
    let exchange = published.exchange("they publish, we read");
    exchange.all_refused(&mutation::of_document(&theirs), |list| published.read(list).is_some());
}
