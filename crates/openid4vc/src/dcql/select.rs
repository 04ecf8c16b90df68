//! The wallet's half: which held credentials answer a query, and what to disclose of each
//! ([OpenID4VP 1.0, section 6.4](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#dcql_query_lang_processing_rules)).
//!
//! [`Selection::evaluate`] finds every match; the person (or [`Selection::default_choice`]) makes a
//! [`Choice`] among them; [`Selection::plan`] checks the choice against the query and says, per
//! presentation, exactly which claims leave. Nothing beyond the plan may be disclosed.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Value;
use thiserror::Error;

use super::criteria;
use super::criteria::Positions;
use super::path::ClaimsPath;
use super::path::Step;
use super::query::CredentialQuery;
use super::query::DcqlQuery;
use crate::format::CredentialFormat;

/// What a wallet tells about one credential that it holds.
#[derive(Clone, Debug)]
pub struct HeldCredential<'a> {
    /// The wallet's own name for it.
    pub id: &'a str,
    /// Its format.
    pub format: CredentialFormat,
    /// For SD-JWT VC the `vct` and every type that it extends; for W3C credentials the expanded types; for
    /// mdoc the doctype.
    pub types: Vec<String>,
    /// All claims, disclosed: the payload of an SD-JWT VC, the W3C credential, or
    /// `{namespace: {element: value}}` of an mdoc.
    pub claims: &'a Value,
    /// Whether the wallet has the key that the credential is bound to.
    pub can_prove_holder_binding: bool,
    /// The authorities above the issuer, for `trusted_authorities`.
    pub authorities: Vec<Authority>,
}

/// One authority above an issuer, in the words of
/// [section 6.1.1](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#dcql_trusted_authorities).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// `aki`, `etsi_tl`, `openid_federation` or another kind.
    pub kind: String,
    /// The value of that kind.
    pub value: String,
}

/// Every way in which held credentials answer a query.
#[derive(Clone, Debug)]
pub struct Selection<'q> {
    query: &'q DcqlQuery,
    matches: BTreeMap<&'q str, Vec<Match>>,
    mismatches: BTreeMap<&'q str, Vec<(String, Mismatch)>>,
}

/// A credential that answers a credential query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The wallet's name of the credential.
    pub credential_id: String,
    /// What of it must leave the wallet.
    pub disclosure: Disclosure,
}

/// What of a credential leaves the wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// The elements at these places and what cannot be withheld. An empty set: only the latter.
    Claims(BTreeSet<Vec<Step>>),
    /// All of it: the format has no selective disclosure.
    Whole,
}

/// Why a held credential does not answer a credential query. For the wallet's own eyes.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// None of the authorities asked for stands above its issuer.
    #[error("the issuer is under none of the authorities asked for")]
    Authority,
    /// A claim asked for is not in it, or has a value of no use to the verifier.
    #[error("no claim of use at {path}")]
    Claim {
        /// Where the claim should be.
        path: ClaimsPath,
    },
    /// Another format.
    #[error("the credential has another format")]
    Format,
    /// The wallet lacks its key.
    #[error("the wallet cannot prove possession of the credential's key")]
    HolderBinding,
    /// Another type.
    #[error("the credential has another type")]
    Type,
}

/// Which credentials answer which credential queries: query id to credential ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice(BTreeMap<String, Vec<String>>);

/// One presentation to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedPresentation<'q> {
    /// The credential query that it answers; its `id` is the name in the `vp_token`.
    pub query: &'q CredentialQuery,
    /// The wallet's name of the credential.
    pub credential_id: String,
    /// What leaves.
    pub disclosure: Disclosure,
}

/// Why no presentation is made. The wallet answers `access_denied` when it lacks what is asked for.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChoiceError {
    /// The caller's fault: the credential does not answer the query.
    #[error("the credential chosen does not answer the query `{query_id}`")]
    NoMatch {
        /// The credential query.
        query_id: String,
    },
    /// The caller's fault: no required or optional set asks for this query's credential.
    #[error("the request does not ask for the credential query `{query_id}`")]
    NotRequested {
        /// The credential query.
        query_id: String,
    },
    /// The caller's fault: several credentials where `multiple` is false, or one twice.
    #[error("expected one credential for the query `{query_id}`")]
    TooMany {
        /// The credential query.
        query_id: String,
    },
    /// Nothing held or chosen serves what the verifier requires: then nothing at all may be sent.
    #[error("nothing chosen serves what the verifier requires: {}", query_ids.join(", "))]
    Unsatisfied {
        /// The credential queries of the use case that is not served.
        query_ids: Vec<String>,
    },
}

impl<'q> Selection<'q> {
    /// Matches every held credential with every credential query.
    #[must_use]
    pub fn evaluate(query: &'q DcqlQuery, held: &[HeldCredential<'_>]) -> Self {
        let mut selection = Self {
            query,
            matches: BTreeMap::new(),
            mismatches: BTreeMap::new(),
        };
        for wanted in &query.credentials {
            for credential in held {
                let credential_id = credential.id.to_owned();
                match disclosure(wanted, credential) {
                    Ok(disclosure) => {
                        selection.matches.entry(&wanted.id).or_default().push(Match {
                            credential_id,
                            disclosure,
                        });
                    }
                    Err(mismatch) => {
                        selection
                            .mismatches
                            .entry(&wanted.id)
                            .or_default()
                            .push((credential_id, mismatch));
                    }
                }
            }
        }
        selection
    }

    /// The credentials that answer a credential query, in the order they were given.
    #[must_use]
    pub fn matches(&self, query_id: &str) -> &[Match] {
        self.matches.get(query_id).map_or(&[], Vec::as_slice)
    }

    /// The credentials that do not answer it, and why.
    #[must_use]
    pub fn mismatches(&self, query_id: &str) -> &[(String, Mismatch)] {
        self.mismatches.get(query_id).map_or(&[], Vec::as_slice)
    }

    /// The first credential for each query of the first option of each required set, and of each optional
    /// set that can be served if `with_optional`.
    ///
    /// # Errors
    /// [`ChoiceError::Unsatisfied`] when the wallet lacks what is required.
    pub fn default_choice(&self, with_optional: bool) -> Result<Choice, ChoiceError> {
        let mut choice = Choice::default();
        if self.query.credential_sets.is_empty() {
            for wanted in &self.query.credentials {
                self.choose_first(&wanted.id, &mut choice)?;
            }
        }
        for set in &self.query.credential_sets {
            let option = set
                .options
                .iter()
                .find(|option| option.iter().all(|id| !self.matches(id).is_empty()));
            match option {
                Some(option) if set.required || with_optional => {
                    for query_id in option {
                        self.choose_first(query_id, &mut choice)?;
                    }
                }
                None if set.required => {
                    return Err(ChoiceError::Unsatisfied {
                        query_ids: set.options.concat(),
                    });
                }
                Some(_) | None => {}
            }
        }
        Ok(choice)
    }

    /// Checks a choice against the query and says what each presentation discloses.
    ///
    /// # Errors
    /// [`ChoiceError`]: then nothing at all may be sent.
    pub fn plan(&self, choice: &Choice) -> Result<Vec<PlannedPresentation<'q>>, ChoiceError> {
        let mut planned = Vec::new();
        for (query_id, credential_ids) in &choice.0 {
            let not_requested = || ChoiceError::NotRequested {
                query_id: query_id.clone(),
            };
            let query = self.query.credential(query_id).ok_or_else(not_requested)?;
            if !is_requested(self.query, query_id) {
                return Err(not_requested());
            }
            let distinct: BTreeSet<_> = credential_ids.iter().collect();
            if distinct.len() != credential_ids.len() || (credential_ids.len() > 1 && !query.multiple) {
                return Err(ChoiceError::TooMany {
                    query_id: query_id.clone(),
                });
            }
            for credential_id in credential_ids {
                let found = self
                    .matches(query_id)
                    .iter()
                    .find(|one| one.credential_id == *credential_id);
                let found = found.ok_or_else(|| ChoiceError::NoMatch {
                    query_id: query_id.clone(),
                })?;
                let disclosure = found.disclosure.clone();
                planned.push(PlannedPresentation {
                    query,
                    credential_id: credential_id.clone(),
                    disclosure,
                });
            }
        }
        match unsatisfied(self.query, |query_id| {
            choice.0.get(query_id).is_some_and(|ids| !ids.is_empty())
        }) {
            None => Ok(planned),
            Some(query_ids) => Err(ChoiceError::Unsatisfied { query_ids }),
        }
    }

    fn choose_first(&self, query_id: &str, choice: &mut Choice) -> Result<(), ChoiceError> {
        let unsatisfied = || ChoiceError::Unsatisfied {
            query_ids: vec![query_id.to_owned()],
        };
        let first = self.matches(query_id).first().ok_or_else(unsatisfied)?;
        if !choice.0.contains_key(query_id) {
            choice.add(query_id, &first.credential_id);
        }
        Ok(())
    }
}

impl Choice {
    /// Adds a credential to the answer of a credential query.
    pub fn add(&mut self, query_id: &str, credential_id: &str) {
        self.0
            .entry(query_id.to_owned())
            .or_default()
            .push(credential_id.to_owned());
    }

    /// Takes a credential query out of the answer.
    pub fn remove(&mut self, query_id: &str) {
        self.0.remove(query_id);
    }

    /// The choices: query id and credential ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.0
            .iter()
            .map(|(query_id, credential_ids)| (query_id.as_str(), credential_ids.as_slice()))
    }
}

/// The credential queries of the first requirement that is not met; `None` if all are.
pub(super) fn unsatisfied(query: &DcqlQuery, is_answered: impl Fn(&str) -> bool) -> Option<Vec<String>> {
    if query.credential_sets.is_empty() {
        let missing: Vec<_> = query
            .credentials
            .iter()
            .map(|one| &one.id)
            .filter(|id| !is_answered(id))
            .collect();
        return if missing.is_empty() {
            None
        } else {
            Some(missing.into_iter().cloned().collect())
        };
    }
    let unmet = query.credential_sets.iter().find(|set| {
        set.required
            && !set
                .options
                .iter()
                .any(|option| option.iter().all(|query_id| is_answered(query_id)))
    });
    unmet.map(|set| set.options.concat())
}

fn is_requested(query: &DcqlQuery, query_id: &str) -> bool {
    let sets = &query.credential_sets;
    sets.is_empty()
        || sets
            .iter()
            .flat_map(|set| &set.options)
            .flatten()
            .any(|id| id == query_id)
}

fn disclosure(query: &CredentialQuery, credential: &HeldCredential<'_>) -> Result<Disclosure, Mismatch> {
    if credential.format != query.format {
        return Err(Mismatch::Format);
    }
    if !criteria::type_fits(&query.meta, &credential.types) {
        return Err(Mismatch::Type);
    }
    let is_named = |authority: &Authority| {
        let mut of_kind = query
            .trusted_authorities
            .iter()
            .filter(|wanted| wanted.kind == authority.kind);
        of_kind.any(|wanted| wanted.values.contains(&authority.value))
    };
    if !query.trusted_authorities.is_empty() && !credential.authorities.iter().any(is_named) {
        return Err(Mismatch::Authority);
    }
    if query.require_cryptographic_holder_binding && !credential.can_prove_holder_binding {
        return Err(Mismatch::HolderBinding);
    }
    let places =
        criteria::select_claims(query, credential.claims, Positions::Kept).map_err(|path| Mismatch::Claim { path })?;
    Ok(match credential.format {
        // Of an `ldp_vc` it depends on its cryptosuite how much of the rest can be withheld.
        CredentialFormat::SdJwtVc | CredentialFormat::MsoMdoc | CredentialFormat::LdpVc => Disclosure::Claims(places),
        CredentialFormat::JwtVcJson | CredentialFormat::Other(_) => Disclosure::Whole,
    })
}

#[cfg(test)]
#[expect(clippy::needless_pass_by_value, reason = "`json!(..)` reads better as an argument")]
mod tests {
    use serde_json::json;

    use super::*;

    fn query(value: Value) -> DcqlQuery {
        DcqlQuery::from_value(&value).unwrap()
    }

    fn one(credential: Value) -> DcqlQuery {
        query(json!({"credentials": [credential]}))
    }

    fn held<'a>(id: &'a str, vct: &str, claims: &'a Value) -> HeldCredential<'a> {
        HeldCredential {
            id,
            format: CredentialFormat::SdJwtVc,
            types: vec![vct.to_owned()],
            claims,
            can_prove_holder_binding: true,
            authorities: vec![Authority {
                kind: "aki".to_owned(),
                value: "abc".to_owned(),
            }],
        }
    }

    fn person() -> Value {
        json!({"vct": "pid", "family_name": "Doe", "birthdate": "1990-02-28", "age": 36,
               "address": {"locality": "Town", "region": "North"}, "nationalities": ["SG", "FR"]})
    }

    fn disclosed(credential: Value) -> Result<Vec<String>, Mismatch> {
        let claims = person();
        let query = one(credential);
        let selection = Selection::evaluate(&query, &[held("1", "pid", &claims)]);
        if let Some((_, mismatch)) = selection.mismatches("a").first() {
            return Err(mismatch.clone());
        }
        let Disclosure::Claims(places) = &selection.matches("a")[0].disclosure else {
            panic!("SD-JWT")
        };
        Ok(places
            .iter()
            .map(|place| {
                let steps = place.iter().map(|step| match step {
                    Step::Key(key) => key.clone(),
                    Step::Index(index) => index.to_string(),
                });
                steps.collect::<Vec<_>>().join(".")
            })
            .collect())
    }

    fn pid(member: &str, value: Value) -> Value {
        let mut credential = json!({"id": "a", "format": "dc+sd-jwt", "meta": {"vct_values": ["other", "pid"]}});
        credential[member] = value;
        credential
    }

    #[test]
    fn no_claims_asked_for_discloses_none() {
        assert_eq!(disclosed(pid("multiple", json!(true))), Ok(vec![]));
    }

    #[test]
    fn exactly_the_claims_asked_for_are_disclosed() {
        let claims =
            json!([{"path": ["family_name"]}, {"path": ["address", "region"]}, {"path": ["nationalities", null]}]);
        let places = ["address.region", "family_name", "nationalities.0", "nationalities.1"];
        assert_eq!(disclosed(pid("claims", claims)), Ok(places.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_missing_claim_excludes_the_credential() {
        let claims = json!([{"path": ["family_name"]}, {"path": ["phone"]}]);
        let path = ClaimsPath::from_value(&json!(["phone"])).unwrap();
        assert_eq!(disclosed(pid("claims", claims)), Err(Mismatch::Claim { path }));
    }

    #[test]
    fn values_match_by_type_and_value() {
        let asked = |path: Value, values: Value| disclosed(pid("claims", json!([{"path": path, "values": values}])));
        assert_eq!(asked(json!(["age"]), json!([35, 36])), Ok(vec!["age".to_owned()]));
        assert!(asked(json!(["age"]), json!(["36"])).is_err());
        assert!(asked(json!(["age"]), json!([37])).is_err());
        // Of an array only the elements of use leave.
        assert_eq!(
            asked(json!(["nationalities", null]), json!(["FR"])),
            Ok(vec!["nationalities.1".to_owned()])
        );
        assert!(asked(json!(["nationalities", null]), json!(["DE"])).is_err());
    }

    #[test]
    fn the_first_claim_set_that_can_be_served_is_taken() {
        let sets = |sets: Value| {
            let mut credential = pid(
                "claims",
                json!([
                    {"id": "over", "path": ["age_over_18"]}, {"id": "birth", "path": ["birthdate"]}, {"id": "age", "path": ["age"]}
                ]),
            );
            credential["claim_sets"] = sets;
            disclosed(credential)
        };
        assert_eq!(sets(json!([["over"], ["age"], ["birth"]])), Ok(vec!["age".to_owned()]));
        assert_eq!(sets(json!([["birth"], ["age"]])), Ok(vec!["birthdate".to_owned()]));
        assert!(sets(json!([["over", "birth"]])).is_err());
    }

    #[test]
    fn each_criterion_excludes() {
        assert!(
            disclosed(pid(
                "trusted_authorities",
                json!([{"type": "aki", "values": ["x", "abc"]}])
            ))
            .is_ok()
        );
        let authority = pid("trusted_authorities", json!([{"type": "etsi_tl", "values": ["abc"]}]));
        assert_eq!(disclosed(authority), Err(Mismatch::Authority));
        assert_eq!(
            disclosed(pid("meta", json!({"vct_values": ["other"]}))),
            Err(Mismatch::Type)
        );
        let mut mdoc = pid("format", json!("mso_mdoc"));
        mdoc["meta"] = json!({"doctype_value": "pid"});
        assert_eq!(disclosed(mdoc), Err(Mismatch::Format));
        let mut unknown = pid("format", json!("dc+unknown"));
        unknown["meta"] = json!({});
        assert_eq!(disclosed(unknown), Err(Mismatch::Format));
    }

    #[test]
    fn a_credential_without_its_key_is_of_use_only_unbound() {
        let claims = person();
        let mut credential = held("1", "pid", &claims);
        credential.can_prove_holder_binding = false;
        let bound = one(pid("multiple", json!(false)));
        let selection = Selection::evaluate(&bound, &[credential.clone()]);
        assert_eq!(selection.mismatches("a"), [("1".to_owned(), Mismatch::HolderBinding)]);
        let unbound = one(pid("require_cryptographic_holder_binding", json!(false)));
        assert_eq!(Selection::evaluate(&unbound, &[credential]).matches("a").len(), 1);
    }

    #[test]
    fn w3c_types_are_sets() {
        let claims = json!({"credentialSubject": {"name": "X"}});
        let mut credential = held("1", "", &claims);
        credential.format = CredentialFormat::JwtVcJson;
        credential.types = vec![
            "https://www.w3.org/2018/credentials#VerifiableCredential".to_owned(),
            "urn:a".to_owned(),
        ];
        let matches = |types: Value| {
            let query = one(
                json!({"id": "a", "format": "jwt_vc_json", "meta": {"type_values": types},
                "claims": [{"path": ["credentialSubject", "name"]}]}),
            );
            Selection::evaluate(&query, &[credential.clone()]).matches("a").to_vec()
        };
        assert!(matches(json!([["urn:a", "urn:b"]])).is_empty());
        let found = matches(json!([["urn:a", "urn:b"], ["urn:a"]]));
        assert_eq!(
            found,
            [Match {
                credential_id: "1".to_owned(),
                disclosure: Disclosure::Whole
            }]
        );
    }

    fn alternatives() -> DcqlQuery {
        let wanted = |id: &str| json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [id]}});
        query(json!({
            "credentials": [wanted("pid"), wanted("card"), wanted("extra"), wanted("loose")],
            "credential_sets": [
                {"options": [["pid"], ["card"]]},
                {"options": [["extra"]], "required": false}
            ]
        }))
    }

    fn plan(query: &DcqlQuery, held: &[HeldCredential<'_>], choice: &Choice) -> Result<Vec<String>, ChoiceError> {
        let planned = Selection::evaluate(query, held).plan(choice)?;
        Ok(planned
            .into_iter()
            .map(|one| format!("{}={}", one.query.id, one.credential_id))
            .collect())
    }

    #[test]
    fn sets_are_served_by_their_first_possible_option() {
        let claims = json!({});
        let query = alternatives();
        let wallet = [
            held("1", "card", &claims),
            held("2", "card", &claims),
            held("3", "extra", &claims),
        ];
        let selection = Selection::evaluate(&query, &wallet);
        let required = selection.default_choice(false).unwrap();
        assert_eq!(plan(&query, &wallet, &required), Ok(vec!["card=1".to_owned()]));
        let all = selection.default_choice(true).unwrap();
        assert_eq!(
            plan(&query, &wallet, &all),
            Ok(vec!["card=1".to_owned(), "extra=3".to_owned()])
        );
        let none = Selection::evaluate(&query, &wallet[2..]).default_choice(true);
        let query_ids = vec!["pid".to_owned(), "card".to_owned()];
        assert_eq!(none, Err(ChoiceError::Unsatisfied { query_ids }));
    }

    #[test]
    fn without_sets_everything_is_required() {
        let claims = json!({});
        let wanted = |id: &str| json!({"id": id, "format": "dc+sd-jwt", "meta": {"vct_values": [id]}});
        let query = query(json!({"credentials": [wanted("pid"), wanted("card")]}));
        let wallet = [held("1", "pid", &claims)];
        let unsatisfied = Err(ChoiceError::Unsatisfied {
            query_ids: vec!["card".to_owned()],
        });
        assert_eq!(Selection::evaluate(&query, &wallet).default_choice(false), unsatisfied);
        let mut choice = Choice::default();
        choice.add("pid", "1");
        assert_eq!(plan(&query, &wallet, &choice).map(|_| Choice::default()), unsatisfied);
    }

    #[test]
    fn a_choice_stays_within_the_query() {
        let claims = json!({});
        let query = alternatives();
        let wallet = [
            held("1", "pid", &claims),
            held("2", "pid", &claims),
            held("3", "loose", &claims),
        ];
        let choose = |pairs: &[(&str, &str)]| {
            let mut choice = Choice::default();
            for (query_id, credential_id) in pairs {
                choice.add(query_id, credential_id);
            }
            plan(&query, &wallet, &choice)
        };
        assert!(choose(&[("pid", "2")]).is_ok());
        let query_id = "pid".to_owned();
        assert_eq!(
            choose(&[("pid", "1"), ("pid", "2")]),
            Err(ChoiceError::TooMany {
                query_id: query_id.clone()
            })
        );
        assert_eq!(choose(&[("pid", "3")]), Err(ChoiceError::NoMatch { query_id }));
        for query_id in ["loose", "unknown"].map(str::to_owned) {
            assert_eq!(
                choose(&[("pid", "1"), (&query_id, "3")]),
                Err(ChoiceError::NotRequested { query_id })
            );
        }
    }
}
