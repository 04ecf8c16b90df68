//! What the exchanges with others came to, for `spec/interop.md`: `cargo xtask interop` runs these tests with
//! `ATTESTRY_MATRIX` naming a folder, and makes the table of what it finds there.

use std::env;
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::mutation::Mutation;

/// Changes that must be made of everything that is exchanged.
pub(crate) const MIN_MUTATIONS: usize = 30;

/// One exchange of one format.
pub(crate) struct Exchange<'a> {
    /// The format, with its algorithm.
    pub(crate) format: String,
    /// The program on the other side.
    pub(crate) peer: &'a str,
    /// What is done by whom: "we issue, they verify".
    pub(crate) what: &'a str,
}

impl Exchange<'_> {
    /// Gives each mutation to the side that verifies. Ours must refuse all.
    ///
    /// # Panics
    /// When one is accepted, or there are fewer than thirty.
    pub(crate) fn all_refused<T>(&self, mutations: &[Mutation<T>], accepts: impl Fn(&T) -> bool) {
        let accepted = self.accepted(mutations, mutations.iter().map(|(_, mutation)| accepts(mutation)));
        assert!(
            accepted.is_empty(),
            "{}, {}: accepted {accepted:?}",
            self.format,
            self.what
        );
        self.record(mutations.len(), &[]);
    }

    /// The same for a peer, which `known` mutations may deceive: they are told in the table.
    ///
    /// # Panics
    /// When it accepts another one.
    pub(crate) fn refused_by_the_peer<T>(
        &self,
        mutations: &[Mutation<T>],
        accepted: impl IntoIterator<Item = bool>,
        known: &[&str],
    ) {
        let accepted = self.accepted(mutations, accepted.into_iter());
        let is_known = |name: &&str| known.iter().any(|known| name.contains(known));
        let unknown: Vec<&&str> = accepted.iter().filter(|name| !is_known(name)).collect();
        assert!(
            unknown.is_empty(),
            "{}, {}: accepted {unknown:?}",
            self.format,
            self.what
        );
        self.record(mutations.len(), &accepted);
    }

    fn accepted<'m, T>(&self, mutations: &'m [Mutation<T>], accepted: impl Iterator<Item = bool>) -> Vec<&'m str> {
        assert!(
            mutations.len() >= MIN_MUTATIONS,
            "{}: only {} mutations",
            self.format,
            mutations.len()
        );
        let named = mutations.iter().map(|(name, _)| name.as_str()).zip(accepted);
        named.filter(|(_, accepted)| *accepted).map(|(name, _)| name).collect()
    }

    fn record(&self, mutations: usize, accepted: &[&str]) {
        let Some(folder) = env::var_os("ATTESTRY_MATRIX") else {
            return;
        };
        let row = json!({
            "format": self.format, "peer": self.peer, "what": self.what,
            "mutations": mutations, "accepted": accepted,
        });
        let name: String = format!("{} {} {}", self.format, self.peer, self.what)
            .chars()
            .map(|character| {
                if character.is_ascii_alphanumeric() {
                    character
                } else {
                    '-'
                }
            })
            .collect();
        fs::write(Path::new(&folder).join(format!("{name}.json")), row.to_string()).expect("a folder for the matrix");
    }
}
