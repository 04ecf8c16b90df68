//! Which of the wallet's credentials answer a request
//! ([OpenID4VP 1.0, section 6.4](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#dcql_query_lang_processing_rules)).

use keys::Timestamp;
use openid4vc::dcql::DcqlQuery;
use openid4vc::dcql::HeldCredential as Candidate;
use openid4vc::dcql::Selection;
use openid4vc::dcql::select::Choice;
use openid4vc::dcql::select::ChoiceError;
use openid4vc::vp::ReceivedRequest;
use rand_core::CryptoRng;
use serde_json::Value;

use crate::CredentialRecord;
use crate::HeldCredential;
use crate::Proposal;
use crate::ProposalError;
use crate::proposal::ProposedCredential;
use crate::proposal::session_transcript;

/// The wallet's credentials, opened.
#[derive(Debug)]
pub struct Holdings(Vec<Holding>);

pub(crate) struct Holding {
    pub(crate) record: CredentialRecord,
    pub(crate) held: HeldCredential,
    pub(crate) claims: Value,
}

impl Holdings {
    /// Opens every record; one that is damaged is an error, not silently left out.
    ///
    /// # Errors
    /// [`ProposalError::Open`].
    pub fn open(records: Vec<CredentialRecord>) -> Result<Self, ProposalError> {
        let open = |record: CredentialRecord| match record.open() {
            Ok(held) => Ok(Holding {
                claims: Value::Object(held.claims().clone()),
                held,
                record,
            }),
            Err(source) => Err(ProposalError::Open { id: record.id, source }),
        };
        records.into_iter().map(open).collect::<Result<_, _>>().map(Self)
    }

    /// What answers `request`, and no more than it requires: optional parts of a query are left out.
    ///
    /// `preferred` are ids of credentials that the person chose where several fit. A credential that is not
    /// valid now is never proposed. `rng` is for proofs that are made anew each time, of which this shows what they
    /// would tell.
    ///
    /// # Errors
    /// [`ProposalError`] when the wallet cannot answer, or not with the credentials that were chosen.
    pub fn propose<'a>(
        &'a self,
        request: &'a ReceivedRequest,
        preferred: &[String],
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Result<Proposal<'a>, ProposalError> {
        let known = |id: &String| self.0.iter().any(|holding| holding.record.id == *id);
        if let Some(id) = preferred.iter().find(|id| !known(id)) {
            return Err(ProposalError::Unknown { id: id.clone() });
        }
        let query = &request.request().dcql_query;
        let has_session = session_transcript(request.request()).is_some();
        let (selection, mut choice) = self.choose(query, preferred, has_session, now)?;
        add_where_several_are_taken(query, &selection, &mut choice, preferred);
        let planned = selection.plan(&choice)?;
        let is_used = |id: &String| planned.iter().any(|plan| plan.credential_id == *id);
        if let Some(id) = preferred.iter().find(|id| !is_used(id)) {
            return Err(ProposalError::NotAsked { id: id.clone() });
        }
        let mut credentials = Vec::new();
        for plan in planned {
            let found = self.0.iter().find(|one| one.record.id == plan.credential_id);
            let holding = found.ok_or_else(|| ProposalError::Unknown {
                id: plan.credential_id.clone(),
            })?;
            credentials.push(ProposedCredential::new(holding, &plan, rng)?);
        }
        Ok(Proposal::new(request, credentials))
    }

    fn choose<'q>(
        &self,
        query: &'q DcqlQuery,
        preferred: &[String],
        has_session: bool,
        now: Timestamp,
    ) -> Result<(Selection<'q>, Choice), ProposalError> {
        let is_preferred = |holding: &&Holding| preferred.contains(&holding.record.id);
        // Without a session there is nothing that the device of an mdoc could sign.
        let is_presentable = |one: &&Holding| has_session || !matches!(one.held, HeldCredential::Mdoc(_));
        let current = self.0.iter().filter(|one| one.held.is_current(now));
        let current: Vec<&Holding> = current.filter(is_presentable).collect();
        // Of several options of a query, the one that the chosen credentials serve alone.
        let chosen: Vec<Candidate<'_>> = current.iter().copied().filter(is_preferred).map(candidate).collect();
        let selection = Selection::evaluate(query, &chosen);
        if !chosen.is_empty()
            && let Ok(choice) = selection.default_choice(false)
        {
            return Ok((selection, choice));
        }
        // Else they come first, and others fill the gaps.
        let others = current.iter().copied().filter(|one| !is_preferred(one)).map(candidate);
        let candidates: Vec<Candidate<'_>> = chosen.into_iter().chain(others).collect();
        let selection = Selection::evaluate(query, &candidates);
        match selection.default_choice(false) {
            Ok(choice) => Ok((selection, choice)),
            Err(ChoiceError::Unsatisfied { query_ids }) => Err(self.lacking(query, query_ids, has_session, now)),
            Err(error) => Err(error.into()),
        }
    }

    /// What is missing, and which credentials would have served if they were valid now, or the answer posted.
    fn lacking(&self, query: &DcqlQuery, query_ids: Vec<String>, has_session: bool, now: Timestamp) -> ProposalError {
        if !has_session {
            let mdocs = self.0.iter().filter(|one| matches!(one.held, HeldCredential::Mdoc(_)));
            let mdocs: Vec<Candidate<'_>> = mdocs.filter(|one| one.held.is_current(now)).map(candidate).collect();
            let selection = Selection::evaluate(query, &mdocs);
            if query_ids.iter().any(|query_id| !selection.matches(query_id).is_empty()) {
                return ProposalError::NoSession;
            }
        }
        let past: Vec<Candidate<'_>> = self
            .0
            .iter()
            .filter(|one| !one.held.is_current(now))
            .map(candidate)
            .collect();
        let selection = Selection::evaluate(query, &past);
        let mut not_valid_now: Vec<String> = query_ids
            .iter()
            .flat_map(|query_id| selection.matches(query_id))
            .map(|found| found.credential_id.clone())
            .collect();
        not_valid_now.sort();
        not_valid_now.dedup();
        if not_valid_now.is_empty() {
            ProposalError::Lacking { query_ids }
        } else {
            ProposalError::NotValidNow { ids: not_valid_now }
        }
    }
}

/// A query with `multiple` takes every credential that the person chose for it.
fn add_where_several_are_taken(
    query: &DcqlQuery,
    selection: &Selection<'_>,
    choice: &mut Choice,
    preferred: &[String],
) {
    let taken: Vec<(String, Vec<String>)> = choice.iter().map(|(id, ids)| (id.to_owned(), ids.to_vec())).collect();
    for (query_id, ids) in taken {
        if query.credential(&query_id).is_some_and(|wanted| wanted.multiple) {
            let matches = selection.matches(&query_id).iter().map(|found| &found.credential_id);
            for id in matches.filter(|id| preferred.contains(id) && !ids.contains(id)) {
                choice.add(&query_id, id);
            }
        }
    }
}

impl std::fmt::Debug for Holding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Holding").field(&self.record).finish()
    }
}

fn candidate(holding: &Holding) -> Candidate<'_> {
    Candidate {
        id: &holding.record.id,
        format: holding.record.format.clone(),
        types: holding.held.query_types().to_vec(),
        claims: &holding.claims,
        can_prove_holder_binding: holding.held.facts().holder().is_some(),
        authorities: Vec::new(),
    }
}
