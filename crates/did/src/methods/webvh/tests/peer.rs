//! Histories with random lives, whole and damaged, resolved by us and by `didwebvh-rs`: the same verdict, the same version,
//! the same document.

#[path = "../../../../../../tests/interop/ask.rs"]
mod ask;

use std::collections::BTreeMap;

use super::*;

const PEER: ask::Peer = ask::Peer::new("didwebvh", "didwebvh-rs");

/// Half of them damaged.
const HISTORIES: u64 = 400;

/// What the peer does not look at after the first entry.
const METHOD: &str = "another version of the method";

/// Numbers of keys that only witness.
const WITNESSES: std::ops::Range<u8> = 200..205;

/// Numbers that follow from a seed ([SplitMix64](https://prng.di.unimi.it/splitmix64.c)).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// A DID and everything that its controller knows.
struct Life {
    log: Log,
    /// May sign the next entry, unless `next` says otherwise.
    keys: Vec<u8>,
    /// Committed to by the last entry.
    next: Vec<u8>,
    fresh: u8,
    file: WitnessFile,
}

impl Life {
    fn new(dice: &mut Dice) -> Self {
        let next = if dice.one_in(3) { vec![2, 3] } else { Vec::new() };
        let log = Log::new(|parameters| {
            parameters.portable = dice.one_in(2).then_some(true);
            parameters.next_key_hashes = (!next.is_empty()).then(|| hashes(&next));
            parameters.witness = dice.one_in(3).then(|| Some(some_witnesses(dice)));
            parameters.watchers = dice.one_in(4).then(|| vec!["https://watcher.example".to_owned()]);
            parameters.ttl = dice.one_in(4).then_some(600);
        });
        let mut life = Self {
            log,
            keys: vec![1],
            next,
            fresh: 10,
            file: WitnessFile::default(),
        };
        life.witness(dice);
        life
    }

    fn fresh(&mut self) -> u8 {
        self.fresh += 1;
        self.fresh
    }

    /// One more entry of some kind; whether there can be another.
    fn live(&mut self, dice: &mut Dice) -> bool {
        let mut parameters = ParameterChanges::default();
        let document = self.change(dice, &mut parameters);
        let by = self.rotate(dice, &mut parameters);
        if dice.one_in(12) {
            parameters.deactivated = Some(true);
        }
        let ends = parameters.deactivated == Some(true);
        self.log.update(by, |update| {
            update.document = document;
            update.parameters = parameters;
        });
        self.witness(dice);
        !ends
    }

    fn change(&mut self, dice: &mut Dice, parameters: &mut ParameterChanges) -> Option<Value> {
        let mut document = self.log.state.document().clone().into_value();
        match dice.below(7) {
            0 => parameters.witness = Some(dice.one_in(2).then(|| some_witnesses(dice))),
            1 => parameters.watchers = Some(vec![format!("https://watcher-{}.example/a", dice.below(9))]),
            2 => parameters.ttl = Some(u32::try_from(dice.below(9_000)).unwrap()),
            3 if self.log.state.parameters().portable => return Some(self.moved(dice)),
            4 => {
                let number = self.fresh();
                let id = format!("{}#service-{number}", self.log.state.did());
                let service = json!({"id": id, "type": "LinkedDomains", "serviceEndpoint": "https://agency.example/"});
                let mut services = document["service"].as_array().cloned().unwrap_or_default();
                services.push(service);
                document["service"] = services.into();
                return Some(document);
            }
            5 => {
                document["alsoKnownAs"] = json!([format!("https://agency.example/{}", self.fresh())]);
                return Some(document);
            }
            _ => {}
        }
        None
    }

    /// The document under a new name, which tells the old one.
    fn moved(&mut self, dice: &mut Dice) -> Value {
        let state = &self.log.state;
        let (old, scid) = (state.did().to_string(), state.scid().to_owned());
        let hosts = [
            "elsewhere.example",
            "elsewhere.example:a:b",
            "elsewhere.example%3A8443:a",
        ];
        let new = format!("did:webvh:{scid}:{}", dice.one_of(&hosts));
        let text = state.document().clone().into_value().to_string().replace(&old, &new);
        let mut document: Value = serde_json::from_str(&text).unwrap();
        document["alsoKnownAs"] = json!([old]);
        document
    }

    /// Sets the keys of the next entry, and says which of them signs it.
    fn rotate(&mut self, dice: &mut Dice, parameters: &mut ParameterChanges) -> u8 {
        let committed = std::mem::take(&mut self.next);
        let rotates = dice.one_in(3);
        if committed.is_empty() && !rotates {
            return *dice.one_of(&self.keys);
        }
        let signers = if committed.is_empty() {
            std::mem::replace(&mut self.keys, vec![self.fresh + 1, self.fresh + 2])
        } else {
            self.keys.clone_from(&committed);
            committed
        };
        self.fresh += 2;
        parameters.update_keys = Some(multikeys(&self.keys));
        if dice.one_in(2) {
            self.next = vec![self.fresh()];
        }
        parameters.next_key_hashes = Some(hashes(&self.next));
        *dice.one_of(&signers)
    }

    /// The witnesses approve the newest version, if it needs them and not later ones' approvals will do.
    fn witness(&mut self, dice: &mut Dice) {
        let Some(required) = self.log.state.required_witnesses().cloned() else {
            return;
        };
        let approvals = required.threshold() + dice.below(2);
        for number in WITNESSES
            .filter(|number| required.contains(&did_of(*number)))
            .take(approvals)
        {
            self.approve(number);
        }
    }

    fn approve(&mut self, number: u8) {
        let version = self.log.state.version_id().to_owned();
        let proof = witness::approve(&version, &public(number), at(0)).unwrap();
        self.file.add(&version, signer(number).fulfil(proof).unwrap());
    }
}

fn did_of(number: u8) -> Did {
    Did::parse(&key::did(&public(number))).unwrap()
}

fn some_witnesses(dice: &mut Dice) -> Witnesses {
    let first = u8::try_from(dice.below(3)).unwrap() + WITNESSES.start;
    let count = u8::try_from(dice.below(3)).unwrap() + 1;
    let keys: Vec<PublicKey> = (first..(first + count).min(WITNESSES.end)).map(public).collect();
    Witnesses::new(dice.below(keys.len()) + 1, &keys).unwrap()
}

/// What is shown to both.
struct Shown {
    did_url: String,
    lines: Vec<String>,
    witness: Option<String>,
    damage: &'static str,
}

fn shown(seed: u64) -> Shown {
    let mut dice = Dice(seed);
    let mut life = Life::new(&mut dice);
    for _ in 0..dice.below(7) {
        if !life.live(&mut dice) {
            break;
        }
    }
    let witness = life.file.to_vec();
    let mut shown = Shown {
        did_url: life.log.state.did().to_string(),
        lines: life.log.lines.clone(),
        witness: (witness.len() > 2).then(|| String::from_utf8(witness).unwrap()),
        damage: "none",
    };
    if seed % 2 == 1 {
        shown.damage = damage(&mut dice, &life, &mut shown);
    }
    shown
}

/// Breaks something, and says what.
fn damage(dice: &mut Dice, life: &Life, shown: &mut Shown) -> &'static str {
    match dice.below(5) {
        0 | 1 => forge(dice, life, shown),
        2 if shown.witness.is_some() => damage_witnesses(dice, shown),
        3 => misplace(dice, shown),
        _ => {
            let number = dice.below(shown.lines.len());
            let text = &shown.lines[number];
            let letters: Vec<usize> = text
                .match_indices(|c: char| c.is_ascii_lowercase())
                .map(|(at, _)| at)
                .collect();
            let at = *dice.one_of(&letters);
            let replaced = if &text[at..=at] == "x" { "y" } else { "x" };
            shown.lines[number] = format!("{}{replaced}{}", &text[..at], &text[at + 1..]);
            "a changed letter"
        }
    }
}

type Change = Box<dyn Fn(&mut Value)>;

/// A change of the member at `pointer` of an entry.
fn set(pointer: &'static str, to: Value) -> Change {
    Box::new(move |entry| {
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        entry.pointer_mut(parent).unwrap()[member] = to.clone();
    })
}

/// What can be wrong with the newest entry although its hash and its proof are right.
fn forgeries(dice: &mut Dice, life: &Life) -> Vec<(&'static str, Change)> {
    let witness = || json!({"id": did_of(200)});
    let mut forgeries = vec![
        (METHOD, set("/parameters/method", json!("did:webvh:0.4"))),
        (
            "the document of another DID",
            set("/state/id", json!("did:webvh:QmOther:agency.example")),
        ),
        (
            "a threshold of no witnesses",
            set("/parameters/witness", json!({"threshold": 0, "witnesses": [witness()]})),
        ),
        (
            "one witness twice",
            set(
                "/parameters/witness",
                json!({"threshold": 1, "witnesses": [witness(), witness()]}),
            ),
        ),
    ];
    let [.., before, _] = life.log.lines.as_slice() else {
        return forgeries;
    };
    let before = value(before);
    let moved = life.log.state.did().to_string().replace(".example", ".elsewhere");
    let omitted = *dice.one_of(&["updateKeys", "nextKeyHashes"]);
    let is_pre_rotated = before["parameters"]["nextKeyHashes"][0].is_string();
    forgeries.extend([
        (
            "a time before the first version",
            set("/versionTime", json!("2023-11-14T22:13:19Z")),
        ),
        (
            "the time of the version before",
            set("/versionTime", before["versionTime"].clone()),
        ),
        ("portable later on", set("/parameters/portable", json!(true))),
        ("moved without a trace", set("/state/id", moved.into())),
        (
            "another SCID later on",
            set(
                "/parameters/scid",
                json!("QmQm2cM9qQ8nqXyjRcrk7HtPYgRqRkv1tbxMMkq6CLTbAs"),
            ),
        ),
        (
            "a number left out",
            Box::new(|entry| {
                let id = entry["versionId"].as_str().unwrap().replacen('-', "0-", 1);
                entry["versionId"] = id.into();
            }),
        ),
    ]);
    if is_pre_rotated {
        forgeries.push((
            "keys without a commitment",
            set("/parameters/updateKeys", json!(multikeys(&[160]))),
        ));
        forgeries.push((
            "pre-rotated keys or hashes left out",
            Box::new(move |entry| {
                entry["parameters"].as_object_mut().unwrap().remove(omitted);
            }),
        ));
    }
    forgeries
}

/// The newest entry with something else in it, hashed and signed anew by whoever signed it; or by a stranger as it is.
fn forge(dice: &mut Dice, life: &Life, shown: &mut Shown) -> &'static str {
    let previous = match life.log.lines.as_slice() {
        [.., before, _] => value(before)["versionId"].clone(),
        _ => value(&life.log.lines[0])["parameters"]["scid"].clone(),
    };
    let newest = shown.lines.last_mut().unwrap();
    let mut entry = value(newest);
    let method = entry["proof"][0]["verificationMethod"].as_str().unwrap().to_owned();
    let mut numbers = 0..=u8::MAX;
    let signed_by = numbers.find(|number| method.starts_with(&key::did(&public(*number))));
    entry.as_object_mut().unwrap().remove("proof");
    let mut forgeries = forgeries(dice, life);
    forgeries.push(("a signature of a stranger", Box::new(|_| ())));
    let (name, change) = dice.one_of(&forgeries);
    change(&mut entry);
    let by = if name.ends_with("stranger") {
        150
    } else {
        signed_by.unwrap()
    };
    *newest = signed(entry, previous.as_str().unwrap(), by);
    name
}

/// Lines that are not where they were, or another DID that is asked for.
fn misplace(dice: &mut Dice, shown: &mut Shown) -> &'static str {
    let last = shown.lines.len() - 1;
    match dice.below(5) {
        0 if last > 0 => {
            shown.lines.remove(dice.below(last));
            "a line left out"
        }
        1 if last > 0 => {
            let line = shown.lines[dice.below(last)].clone();
            shown.lines.push(line);
            "a line repeated"
        }
        2 if last > 0 => {
            shown.lines.swap(last, last - 1);
            "two lines in another order"
        }
        3 => {
            shown.did_url.push_str(":elsewhere");
            "asked for another place"
        }
        _ => {
            shown.did_url = shown.did_url.replacen(":Qm", ":QmX", 1);
            "asked for another SCID"
        }
    }
}

fn damage_witnesses(dice: &mut Dice, shown: &mut Shown) -> &'static str {
    let Some(text) = shown.witness.take() else {
        return "none";
    };
    match dice.below(3) {
        0 => "no witness file",
        1 => {
            let mut file = value(&text);
            let entries = file.as_array_mut().unwrap();
            let entry = dice.below(entries.len());
            let proofs = entries[entry]["proof"].as_array_mut().unwrap();
            let proof = dice.below(proofs.len());
            proofs.remove(proof);
            shown.witness = Some(file.to_string());
            "a proof of a witness less"
        }
        _ => {
            let at = text.find("proofValue\":\"z").unwrap() + 30;
            let replaced = if &text[at..=at] == "2" { "3" } else { "2" };
            shown.witness = Some(format!("{}{replaced}{}", &text[..at], &text[at + 1..]));
            "a changed proof of a witness"
        }
    }
}

/// Version, whether it is the end, and the document.
type Verdict = (String, bool, Value);

fn ours(shown: &Shown) -> Result<Verdict, ResolveLogError> {
    let log = shown.lines.join("\n");
    let did = Did::parse(&shown.did_url).unwrap();
    let witness = shown.witness.as_ref().map(String::as_bytes);
    let resolution = resolve_log(Some(&did), log.as_bytes(), witness, &VersionQuery::Latest, None)?;
    let selected = resolution.selected();
    let document = with_implicit_services(selected.document()).unwrap();
    Ok((
        selected.version_id().to_owned(),
        selected.is_deactivated(),
        document.into_value(),
    ))
}

fn question(shown: &Shown) -> Value {
    let log = shown.lines.join("\n");
    json!({"do": "resolve", "did_url": shown.did_url, "log": log, "witness": shown.witness})
}

/// Whether the peer reads past what we refuse: a version of the method after the first entry, and that the entry which
/// is the first to name witnesses needs their approval as well, which the specification says of the parameter `witness`:
/// "If the `witness` property is updated from `{}`, the change is immediately active".
fn is_read_past(shown: &Shown, refusal: &ResolveLogError) -> bool {
    let ResolveLogError::Witness(witness::WitnessError::TooFew { version, .. }) = refusal else {
        return shown.damage == METHOD;
    };
    let before = usize::try_from(*version).unwrap() - 1;
    let names_witnesses = |line: &String| value(line)["parameters"]["witness"]["threshold"].is_u64();
    before > 0 && names_witnesses(&shown.lines[before]) && !names_witnesses(&shown.lines[before - 1])
}

fn verdict(answer: &Value) -> Verdict {
    let version = answer["version_id"].as_str().unwrap().to_owned();
    (version, answer["deactivated"] == true, answer["document"].clone())
}

#[test]
fn histories_resolve_as_didwebvh_rs_resolves_them() {
    if !ask::are_installed() {
        return;
    }
    let all: Vec<Shown> = (0..HISTORIES).map(shown).collect();
    let questions: Vec<Value> = all.iter().map(question).collect();
    let (mut agreed, mut read_past, mut differ) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for (seed, (shown, theirs)) in all.iter().zip(PEER.ask_all(&questions)).enumerate() {
        match (ours(shown), theirs.map(|answer| verdict(&answer))) {
            (Err(refusal), Ok(_)) if is_read_past(shown, &refusal) => {
                *read_past.entry(shown.damage).or_insert(0) += 1;
            }
            (Ok(ours), Ok(theirs)) if ours == theirs => *agreed.entry((shown.damage, true)).or_insert(0) += 1,
            (Err(_), Err(_)) => *agreed.entry((shown.damage, false)).or_insert(0) += 1,
            (ours, theirs) => differ.push(format!("{seed} ({}): {ours:?} {theirs:?}", shown.damage)),
        }
    }
    println!("{}: {agreed:#?}, reads past {read_past:?}", PEER.name());
    assert!(differ.is_empty(), "{} of them:\n{}", differ.len(), differ.join("\n"));
    let refused: usize = agreed
        .iter()
        .filter(|((_, holds), _)| !holds)
        .map(|(_, count)| count)
        .sum();
    assert!(
        refused > 100 && agreed.len() > 20 && read_past.len() > 1,
        "{read_past:?} {agreed:?}"
    );
}

#[test]
fn earlier_versions_are_those_of_didwebvh_rs() {
    if !ask::are_installed() {
        return;
    }
    let whole = (0..HISTORIES).step_by(2).map(shown).find(|shown| shown.lines.len() > 5);
    let mut shown = whole.unwrap();
    let did = Did::parse(&shown.did_url).unwrap();
    let (log, witness) = (shown.lines.join("\n"), shown.witness.clone());
    for line in shown.lines.clone() {
        let entry = value(&line);
        let id = entry["versionId"].as_str().unwrap();
        let number = id.split('-').next().unwrap();
        let time = entry["versionTime"].as_str().unwrap();
        for (query, ours) in [
            (format!("versionId={id}"), VersionQuery::Id(id.to_owned())),
            (
                format!("versionNumber={number}"),
                VersionQuery::Number(number.parse().unwrap()),
            ),
            (
                format!("versionTime={time}"),
                VersionQuery::Time(Timestamp::parse_rfc3339(time).unwrap()),
            ),
        ] {
            shown.did_url = format!("{did}?{query}");
            let theirs = PEER.ask(&question(&shown)).unwrap();
            let witness = witness.as_ref().map(String::as_bytes);
            let ours = resolve_log(Some(&did), log.as_bytes(), witness, &ours, None).unwrap();
            let document = with_implicit_services(ours.selected().document()).unwrap().into_value();
            let (version, _, found) = verdict(&theirs);
            assert_eq!((version.as_str(), &found), (id, &document), "{query}");
            assert_eq!(ours.selected().version_id(), id, "{query}");
        }
    }
}
