//! What a Policy must be on its own, whoever approves it.

use std::collections::BTreeSet;

use keys::x509::Certificate;

use super::Refusal;
use crate::entry::PolicyBody;
use crate::tlog_policy::TlogPolicy;
use crate::tlog_policy::Witness;

/// Nobody alone may grant, not even a sole officer.
const MIN_THRESHOLD: u64 = 2;

/// The officers must be able to meet and object: three days.
const MIN_RECOVERY_DELAY: u64 = 72 * 3_600;

/// A delay that outlives everybody is none.
const MAX_RECOVERY_DELAY: u64 = 366 * 86_400;

/// The rules that every Policy keeps on its own.
pub(super) fn check_content(body: &PolicyBody, origin: &str) -> Result<TlogPolicy, Refusal> {
    let expect = |holds: bool, expected| {
        if holds {
            Ok(())
        } else {
            Err(Refusal::PolicyContent { expected })
        }
    };
    let witnesses = TlogPolicy::parse(&body.witness_policy).map_err(|_| Refusal::PolicyContent {
        expected: "a tlog-policy",
    })?;
    expect(!witnesses.logs().is_empty(), "a log in its tlog-policy")?;
    expect(
        witnesses.logs().iter().all(|log| log.name() == origin),
        "logs of this origin only",
    )?;
    expect(witnesses.demands_witnesses(), "a quorum of witnesses")?;
    expect(
        witnesses.defines(&body.state_quorum),
        "a state quorum that its tlog-policy defines",
    )?;

    let mut ids = BTreeSet::new();
    let mut keys = BTreeSet::new();
    for authority in &body.authorities {
        expect(
            !authority.id.starts_with("did:"),
            "authorities that are not named like DIDs",
        )?;
        expect(ids.insert(authority.id.as_str()), "authorities with names of their own")?;
        let officers = u64::try_from(authority.officers.len()).unwrap_or(u64::MAX);
        expect(
            authority.threshold >= MIN_THRESHOLD && authority.threshold <= officers,
            "thresholds from 2 to the number of officers",
        )?;
        for officer in &authority.officers {
            expect(
                body.algorithms.contains(&officer.key.algorithm()),
                "officers' keys of allowed algorithms",
            )?;
            let bytes = officer.key.ed25519_bytes().map(Vec::from);
            let bytes = bytes.unwrap_or_else(|| officer.key.to_multikey_bytes());
            expect(keys.insert(bytes), "no key twice")?;
        }
    }
    for key in witnesses
        .logs()
        .iter()
        .chain(witnesses.witnesses().iter().map(Witness::key))
    {
        expect(keys.insert(key.key_bytes().to_vec()), "no key twice")?;
    }
    let governing = body.governing().ok_or(Refusal::PolicyContent {
        expected: "an authority",
    })?;
    expect(governing.scope.is_none(), "a governing authority without a scope")?;
    if let Some(publication) = &body.publication {
        expect(
            Certificate::from_der(&publication.certificate).is_ok(),
            "an X.509 certificate of an algorithm that is known here in its publication",
        )?;
    }
    if let Some(recovery) = &body.recovery {
        let count = u64::try_from(recovery.keys.len()).unwrap_or(u64::MAX);
        expect(
            recovery.threshold >= MIN_THRESHOLD && recovery.threshold <= count,
            "a recovery threshold from 2 to the number of keys",
        )?;
        expect(
            recovery.delay >= MIN_RECOVERY_DELAY && recovery.delay <= MAX_RECOVERY_DELAY,
            "a recovery delay of 3 days to a year",
        )?;
    }
    Ok(witnesses)
}
