//! Which logs and witnesses make a checkpoint worth believing.
//!
//! [C2SP tlog-policy](https://c2sp.org/tlog-policy): a text of `log`, `witness`, `group` and `quorum` lines.
//! The registry's Policy entry holds such a text; [`TlogPolicy::verify`] is where a quorum is counted.
//!
//! Stricter than the standard: the text is UTF-8, `quorum none` parses but verifies no checkpoint, and where a log has keys
//! of ML-DSA-44 (type `0x06`) a checkpoint needs its signatures by both algorithms, so each log has a key of type `0x01`.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keys::Timestamp;
use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::checkpoint::CheckpointError;
use crate::checkpoint::SignedCheckpoint;
use crate::cosignature;
use crate::note::NoteError;
use crate::note::SignatureType;
use crate::note::VerifierKey;

/// A policy is part of a log entry of at most 64 KiB. Checked before parsing.
pub const MAX_POLICY_BYTES: usize = 48 << 10;

/// The standard recommends to support 32 logs, witnesses and groups each.
const MAX_LINES_OF_A_KIND: usize = 64;

/// The predefined name that no witness and no group can have, so that it is never satisfied.
const NONE: &str = "none";

/// A parsed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogPolicy {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    groups: BTreeMap<String, Group>,
    /// Name of a group or witness, or `none`.
    quorum: String,
}

/// A `witness` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    name: String,
    key: VerifierKey,
    url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    threshold: usize,
    members: Vec<String>,
}

/// A checkpoint with the log's signature and the quorum's cosignatures verified. Only [`TlogPolicy::verify`]
/// makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessedCheckpoint {
    checkpoint: Checkpoint,
    signed_with_ml_dsa: bool,
    as_of: Timestamp,
    cosigned: BTreeMap<String, Timestamp>,
}

/// Why a text is no policy: its author's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("expected a tlog-policy, at line {line}: {expected}")]
pub struct TlogPolicyError {
    line: usize,
    expected: &'static str,
}

/// Why a checkpoint does not satisfy the policy: the log's or the bundle's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum WitnessError {
    /// No log of the policy signed it, or not with all the algorithms that the policy has keys of.
    #[error("expected the signatures of a log of the policy")]
    Log(#[source] CheckpointError),
    /// The policy names no log.
    #[error("expected a policy with a log, found none")]
    NoLog,
    /// Too few witnesses cosigned.
    #[error("expected cosignatures that satisfy {quorum}, found {found} valid ones")]
    Quorum {
        /// Name of the quorum or group.
        quorum: String,
        /// How many known witnesses cosigned.
        found: usize,
    },
    /// A known witness's line is there and does not verify.
    #[error("a cosignature of a known witness is wrong")]
    Cosignature(#[source] NoteError),
}

impl TlogPolicy {
    /// Parses a policy.
    ///
    /// # Errors
    /// [`TlogPolicyError`], with the number of the first bad line; line 0 stands for the whole text.
    pub fn parse(text: &str) -> Result<Self, TlogPolicyError> {
        let whole = |expected| TlogPolicyError { line: 0, expected };
        if text.len() > MAX_POLICY_BYTES {
            return Err(whole("at most 48 KiB"));
        }
        if text
            .bytes()
            .any(|byte| byte < 0x20 && !matches!(byte, b'\t' | b'\n') || byte == 0x7f)
        {
            return Err(whole("no control characters but tab and newline"));
        }
        let mut parser = Parser::default();
        for (number, line) in (1..).zip(text.split('\n')) {
            parser
                .line(line)
                .map_err(|expected| TlogPolicyError { line: number, expected })?;
        }
        let quorum = parser.quorum.ok_or_else(|| whole("exactly one quorum line"))?;
        let is_ed25519 = |log: &&VerifierKey| log.signature_type() == SignatureType::Ed25519;
        let names: BTreeSet<&str> = parser.logs.iter().filter(is_ed25519).map(VerifierKey::name).collect();
        if !parser.logs.iter().all(|log| names.contains(log.name())) {
            return Err(whole("a key of type 0x01 for each log"));
        }
        Ok(Self {
            logs: parser.logs,
            witnesses: parser.witnesses,
            groups: parser.groups,
            quorum,
        })
    }

    /// Verifies that a log of the policy signed `checkpoint` and that the quorum cosigned it.
    ///
    /// # Errors
    /// [`WitnessError`]. A wrong signature of a known witness refuses the whole checkpoint.
    pub fn verify(&self, checkpoint: &SignedCheckpoint) -> Result<WitnessedCheckpoint, WitnessError> {
        self.verify_all(checkpoint, &[&self.quorum])
    }

    /// As [`TlogPolicy::verify`], with the further demand that the group or witness `name` is satisfied.
    ///
    /// # Errors
    /// [`WitnessError`].
    pub fn verify_with(&self, checkpoint: &SignedCheckpoint, name: &str) -> Result<WitnessedCheckpoint, WitnessError> {
        self.verify_all(checkpoint, &[&self.quorum, name])
    }

    /// The keys of the `log` lines.
    #[must_use]
    pub fn logs(&self) -> &[VerifierKey] {
        &self.logs
    }

    /// The `witness` lines.
    #[must_use]
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether the log of this name signs with ML-DSA-44, too: its checkpoints count with both signatures only.
    #[must_use]
    pub fn demands_ml_dsa(&self, origin: &str) -> bool {
        let is_second = |log: &VerifierKey| log.signature_type() == SignatureType::MlDsa44 && log.name() == origin;
        self.logs.iter().any(is_second)
    }

    /// Whether witnesses are demanded at all.
    #[must_use]
    pub fn demands_witnesses(&self) -> bool {
        self.quorum != NONE
    }

    /// Whether `name` is a witness or group of this policy.
    #[must_use]
    pub fn defines(&self, name: &str) -> bool {
        self.groups.contains_key(name) || self.witnesses.iter().any(|witness| witness.name == name)
    }

    fn verify_all(&self, signed: &SignedCheckpoint, names: &[&str]) -> Result<WitnessedCheckpoint, WitnessError> {
        if self.logs.is_empty() {
            return Err(WitnessError::NoLog);
        }
        let checkpoint = signed.verify_log(&self.logs).map_err(WitnessError::Log)?;
        let cosigned = self.cosigned(signed)?;
        let as_of = self.as_of(&cosigned, names)?;
        Ok(WitnessedCheckpoint {
            signed_with_ml_dsa: self.demands_ml_dsa(checkpoint.origin()),
            checkpoint: checkpoint.clone(),
            as_of,
            cosigned,
        })
    }

    /// The witnesses whose cosignatures verify, with their times. Lines of unknown keys are ignored.
    fn cosigned(&self, signed: &SignedCheckpoint) -> Result<BTreeMap<String, Timestamp>, WitnessError> {
        let mut cosigned = BTreeMap::new();
        for witness in &self.witnesses {
            match cosignature::verify(signed, &witness.key) {
                Ok(time) => drop(cosigned.insert(witness.name.clone(), time)),
                Err(NoteError::Unsigned { .. }) => {}
                Err(error) => return Err(WitnessError::Cosignature(error)),
            }
        }
        Ok(cosigned)
    }

    /// The latest time at or after which enough witnesses cosigned to satisfy all of `names`: the k-th
    /// largest timestamp where the quorum is k witnesses. One fast clock cannot move it.
    fn as_of(&self, cosigned: &BTreeMap<String, Timestamp>, names: &[&str]) -> Result<Timestamp, WitnessError> {
        let mut times: Vec<Timestamp> = cosigned.values().copied().collect();
        times.sort_unstable();
        for time in times.into_iter().rev() {
            let by_then: BTreeSet<&str> = cosigned
                .iter()
                .filter(|(_, at)| **at >= time)
                .map(|(name, _)| name.as_str())
                .collect();
            if names.iter().all(|name| self.is_satisfied(name, &by_then)) {
                return Ok(time);
            }
        }
        let all: BTreeSet<&str> = cosigned.keys().map(String::as_str).collect();
        let failing = names
            .iter()
            .find(|name| !self.is_satisfied(name, &all))
            .copied()
            .unwrap_or_default();
        Err(WitnessError::Quorum {
            quorum: failing.to_owned(),
            found: cosigned.len(),
        })
    }

    /// Groups refer to earlier lines only and each name is a member once, so this visits a tree.
    fn is_satisfied(&self, name: &str, cosigned: &BTreeSet<&str>) -> bool {
        match self.groups.get(name) {
            Some(group) => {
                let satisfied = group
                    .members
                    .iter()
                    .filter(|member| self.is_satisfied(member, cosigned));
                satisfied.count() >= group.threshold
            }
            None => cosigned.contains(name),
        }
    }
}

impl Witness {
    /// Its name within the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key it cosigns with.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Its submission prefix, where the policy tells it.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }
}

impl WitnessedCheckpoint {
    /// What was signed.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Whether the log signed it with ML-DSA-44, too, by a key of the policy.
    #[must_use]
    pub const fn is_signed_with_ml_dsa(&self) -> bool {
        self.signed_with_ml_dsa
    }

    /// When a quorum of witnesses had seen it.
    #[must_use]
    pub const fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The witnesses that cosigned, by their names in the policy.
    #[must_use]
    pub const fn cosigned(&self) -> &BTreeMap<String, Timestamp> {
        &self.cosigned
    }
}

#[derive(Default)]
struct Parser {
    logs: Vec<VerifierKey>,
    witnesses: Vec<Witness>,
    groups: BTreeMap<String, Group>,
    /// The name on the quorum line, which may be `none`.
    quorum: Option<String>,
    /// Names that are a member of a group already.
    members: BTreeSet<String>,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let items: Vec<&str> = line.split([' ', '\t']).filter(|item| !item.is_empty()).collect();
        match items.as_slice() {
            [] => Ok(()),
            [comment, ..] if comment.starts_with('#') => Ok(()),
            ["log", key] | ["log", key, _] => self.log(key),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, threshold, members @ ..] => self.group(name, threshold, members),
            ["quorum", name] => self.quorum(name),
            _ => Err("a log, witness, group or quorum line"),
        }
    }

    fn log(&mut self, key: &str) -> Result<(), &'static str> {
        let key = VerifierKey::parse(key).map_err(|_| "a verifier key that we can use")?;
        if key.signature_type() == SignatureType::Cosignature {
            return Err("a key of a log (type 0x01 or 0x06)");
        }
        if self.logs.iter().any(|log| log.key_bytes() == key.key_bytes()) {
            return Err("another key than the logs before");
        }
        self.logs.push(key);
        within_limit(self.logs.len())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), &'static str> {
        let key = VerifierKey::parse(key).map_err(|_| "a verifier key that we can use")?;
        if key.signature_type() == SignatureType::Ed25519 {
            return Err("a key of a witness (type 0x04 or 0x06)");
        }
        if self
            .witnesses
            .iter()
            .any(|witness| witness.key.key_bytes() == key.key_bytes())
        {
            return Err("another key than the witnesses before");
        }
        let name = self.new_name(name)?;
        self.witnesses.push(Witness {
            name,
            key,
            url: url.map(str::to_owned),
        });
        within_limit(self.witnesses.len())
    }

    fn group(&mut self, name: &str, threshold: &str, members: &[&str]) -> Result<(), &'static str> {
        let name = self.new_name(name)?;
        let threshold = match threshold {
            "all" => members.len(),
            "any" => 1,
            number => crate::tiles::decimal(number)
                .and_then(|number| usize::try_from(number).ok())
                .ok_or("a threshold: all, any or a number")?,
        };
        if threshold == 0 || threshold > members.len() {
            return Err("a threshold from 1 to the number of members");
        }
        for member in members {
            if !self.is_defined(member) {
                return Err("members that are defined on lines before");
            }
            if !self.members.insert((*member).to_owned()) {
                return Err("members that are in no group yet");
            }
        }
        let members = members.iter().map(|member| (*member).to_owned()).collect();
        self.groups.insert(name, Group { threshold, members });
        within_limit(self.groups.len())
    }

    fn quorum(&mut self, name: &str) -> Result<(), &'static str> {
        if self.quorum.is_some() {
            return Err("one quorum line only");
        }
        if name != NONE && !self.is_defined(name) {
            return Err("a quorum that is defined on lines before");
        }
        self.quorum = Some(name.to_owned());
        Ok(())
    }

    fn new_name(&self, name: &str) -> Result<String, &'static str> {
        if name == NONE || self.is_defined(name) {
            Err("a new name other than none")
        } else {
            Ok(name.to_owned())
        }
    }

    fn is_defined(&self, name: &str) -> bool {
        self.groups.contains_key(name) || self.witnesses.iter().any(|witness| witness.name == name)
    }
}

fn within_limit(count: usize) -> Result<(), &'static str> {
    if count > MAX_LINES_OF_A_KIND {
        Err("at most 64 lines of a kind")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The witness keys that the standards' examples and a published witness use; only their form matters here.
    const LOG: &str = "log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\n";
    const FIRST: &str =
        "witness one witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN https://one.example\n";
    const SECOND: &str = "witness two witness2.example.org+2e55b896+BIZ7fpceQWd60IfqQeS9IAnmNOCZjMDne8lZuguz/bi9\n";

    fn parse(rest: &str) -> Result<TlogPolicy, TlogPolicyError> {
        TlogPolicy::parse(&format!("{LOG}{FIRST}{SECOND}{rest}"))
    }

    /// Which sets of the two witnesses satisfy the quorum: none, one, two, both.
    fn satisfied(rest: &str) -> [bool; 4] {
        let policy = parse(rest).unwrap();
        [&[][..], &["one"], &["two"], &["one", "two"]].map(|names| {
            let cosigned = names
                .iter()
                .map(|name| ((*name).to_owned(), Timestamp::from_unix(7)))
                .collect();
            policy.as_of(&cosigned, &[&policy.quorum]).is_ok()
        })
    }

    #[test]
    fn quorums_count_as_the_standard_says() {
        assert_eq!(satisfied("quorum one\n"), [false, true, false, true]);
        assert_eq!(satisfied("group g any one two\nquorum g\n"), [false, true, true, true]);
        assert_eq!(
            satisfied("group g all one two\nquorum g\n"),
            [false, false, false, true]
        );
        assert_eq!(satisfied("group g 2 one two\nquorum g\n"), [false, false, false, true]);
        assert_eq!(
            satisfied("group a all one\ngroup b any two\ngroup g all a b\nquorum g\n"),
            [false, false, false, true]
        );
        // Stricter than the standard: without witnesses nothing is witnessed.
        assert_eq!(satisfied("quorum none\n"), [false; 4]);
    }

    #[test]
    fn as_of_is_the_latest_time_with_a_quorum() {
        let policy = parse("group g 2 one two\nquorum g\n").unwrap();
        let times = [("one", 100), ("two", 50)].map(|(name, time)| (name.to_owned(), Timestamp::from_unix(time)));
        assert_eq!(
            policy.as_of(&times.clone().into(), &["g"]),
            Ok(Timestamp::from_unix(50))
        );
        assert_eq!(
            policy.as_of(&times.clone().into(), &["one"]),
            Ok(Timestamp::from_unix(100))
        );
        assert_eq!(policy.as_of(&times.into(), &["g", "two"]), Ok(Timestamp::from_unix(50)));
    }

    #[test]
    fn spaces_tabs_comments_and_empty_lines_do_not_matter() {
        assert!(parse("  # a comment\n\n\t group\tg  1 one  \n quorum g").is_ok());
    }

    #[test]
    fn malformed_policies_are_refused_at_their_line() {
        for (rest, line) in [
            ("", 0),
            ("quorum g\n", 4),
            ("quorum one\nquorum two\n", 5),
            ("group g 0 one\nquorum g\n", 4),
            ("group g 2 one\nquorum g\n", 4),
            ("group g 01 one\nquorum g\n", 4),
            ("group g any\nquorum g\n", 4),
            ("group g any g\nquorum g\n", 4),
            ("group g any none\nquorum g\n", 4),
            ("group none any one\nquorum none\n", 4),
            ("group one any two\nquorum one\n", 4),
            ("group g any one one\nquorum g\n", 4),
            ("group g any one\ngroup h any one\nquorum h\n", 5),
            ("quorums one\n", 4),
            ("quorum one\r\n", 0),
            (&FIRST.replace("witness one", "witness three"), 4),
            (&LOG.replace("log", "witness three"), 4),
            (&SECOND.replace("witness two", "log"), 4),
            (LOG, 4),
        ] {
            assert_eq!(parse(rest).map_err(|error| error.line), Err(line), "{rest}");
        }
        assert!(TlogPolicy::parse(&"#".repeat(MAX_POLICY_BYTES + 1)).is_err());
    }
}
