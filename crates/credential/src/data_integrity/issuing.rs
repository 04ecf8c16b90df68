//! Credentials of which a holder can show a part: issuing them, and deriving what is shown.

use jsonld::ContextLoader;
use keys::PublicKey;
use keys::SigningRequest;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;

use super::CryptosuiteError;
use super::EcdsaSdError;
use super::LdpVc;
use super::LdpVcError;
use super::Pointer;
use super::ProofKeys;
use super::ProofOptions;
use super::ProofPurpose;
use super::bbs_2023;
use super::credential::check_unsecured;
use super::credential::with_proof;
use super::cryptosuite::Statements;
use super::cryptosuite::Transformation;
use super::ecdsa_sd;
use super::proof_set::Makers;
use crate::Held;
use crate::Unverified;
use crate::vc::CredentialProperties;

/// What a verdict rests on: who issued the credential, when it is valid (with the names of version 1.1, too), and where
/// its status stands.
const FACTS: [&str; 6] = [
    "credentialStatus",
    "expirationDate",
    "issuanceDate",
    "issuer",
    "validFrom",
    "validUntil",
];

/// The credential `document` with a base proof in it, once signed. Every context must be one of `contexts`; `key` is
/// the public half of the key that will sign, which a base proof of `bbs-2023` names.
///
/// `mandatory` names what every verifier is to see. Whatever the caller names, this is always mandatory:
/// * `issuer`, `validFrom`, `validUntil` and `credentialStatus`, each as a whole. Of a credential whose status or
///   end of validity may be left out, nobody can tell that it was revoked or has expired, so an issuer is not
///   asked.
/// * the `id` of each subject: otherwise a credential could be shown as nobody's, or as that of one subject of
///   several.
///
/// `id` and `type` of the credential are part of every selection.
///
/// With `bbs-2023` the proof has no `created`: a second of its own would link all that is derived from it. For the same
/// reason its issuer gives such a credential no `id`, and lets nothing be mandatory that few credentials have.
///
/// # Errors
/// [`LdpVcError`], the caller's fault: a document that nobody could verify, a pointer that leads nowhere, a key of
/// another suite, or a suite that signs whole documents.
pub fn issue_selective(
    document: Map<String, Value>,
    options: &ProofOptions<'_>,
    key: &PublicKey,
    mandatory: &[Pointer],
    contexts: &ContextLoader,
    rng: &mut dyn CryptoRng,
) -> Result<SigningRequest<Map<String, Value>>, LdpVcError> {
    let properties = CredentialProperties::read(&document)?;
    check_unsecured(&document, &properties, options, contexts)?;
    sign(document, options, key, mandatory, contexts, rng)
}

/// The same for a document of version 1.1 of the data model: see [`super::issue_1_1`]. `issuanceDate` and
/// `expirationDate` are mandatory there.
///
/// # Errors
/// [`LdpVcError`], the caller's fault: a document of another version, or what [`issue_selective`] refuses.
pub fn issue_selective_1_1(
    document: Map<String, Value>,
    options: &ProofOptions<'_>,
    key: &PublicKey,
    mandatory: &[Pointer],
    contexts: &ContextLoader,
    rng: &mut dyn CryptoRng,
) -> Result<SigningRequest<Map<String, Value>>, LdpVcError> {
    let properties = CredentialProperties::read_1_1(&document)?;
    check_unsecured(&document, &properties, options, contexts)?;
    sign(document, options, key, mandatory, contexts, rng)
}

fn sign(
    document: Map<String, Value>,
    options: &ProofOptions<'_>,
    key: &PublicKey,
    mandatory: &[Pointer],
    contexts: &ContextLoader,
    rng: &mut dyn CryptoRng,
) -> Result<SigningRequest<Map<String, Value>>, LdpVcError> {
    let suite = options.cryptosuite;
    let mut configuration = suite.named(options.configuration(ProofPurpose::AssertionMethod));
    let mandatory = [mandatory_always(&document)?.as_slice(), mandatory].concat();
    let request = match suite.transformation() {
        Transformation::Statements(Statements::Bbs2023) => {
            configuration.remove("created");
            suite.check_algorithm(key.algorithm())?;
            bbs_2023::sign(&document, configuration, key, mandatory, contexts, rng)?
        }
        Transformation::Statements(Statements::EcdsaSd2023) => {
            suite.check_algorithm(key.algorithm())?;
            ecdsa_sd::sign(&document, configuration, mandatory, contexts, rng)?
        }
        Transformation::Jcs(_) | Transformation::Rdfc => return Err(CryptosuiteError::NotSelective.into()),
    };
    Ok(request.map(|proof| with_proof(document, proof)))
}

/// See [`issue_selective`].
fn mandatory_always(document: &Map<String, Value>) -> Result<Vec<Pointer>, LdpVcError> {
    let facts = FACTS.iter().filter(|name| document.contains_key(**name));
    let mut pointers: Vec<String> = facts.map(|name| format!("/{name}")).collect();
    match document.get("credentialSubject") {
        Some(Value::Array(subjects)) => {
            let with_id = (0..).zip(subjects).filter(|(_, subject)| subject.get("id").is_some());
            pointers.extend(with_id.map(|(index, _): (usize, _)| format!("/credentialSubject/{index}/id")));
        }
        Some(subject) if subject.get("id").is_some() => pointers.push("/credentialSubject/id".to_owned()),
        _ => {}
    }
    let parsed = pointers.iter().map(|pointer| pointer.parse());
    let parsed: Result<_, _> = parsed.collect();
    parsed.map_err(|error| CryptosuiteError::from(EcdsaSdError::Selective(error)).into())
}

impl Held<LdpVc> {
    /// What a verifier gets to see of this credential: what its issuer made mandatory, and what `selective`
    /// selects. It can go into a [`super::Presentation`], or be shown as it is; it cannot be stored and restored.
    ///
    /// A proof of `bbs-2023` is made anew with `rng` and is bound to `presentation_header`, such as a verifier's nonce
    /// and name: see [`Authentic::presentation_header`](crate::Authentic::presentation_header). One of `ecdsa-sd-2023`
    /// cannot be bound to anything, which only a presentation around it can.
    ///
    /// The result has been checked like a verifier checks it, so that a wallet does not reveal what is of no use.
    ///
    /// # Errors
    /// [`LdpVcError::NoBaseProof`] for a credential that can only be shown as a whole; otherwise the fault of who
    /// chose the pointers: one leads nowhere, or what is selected is no credential.
    pub fn derive(
        &self,
        selective: &[Pointer],
        presentation_header: &[u8],
        contexts: &ContextLoader,
        rng: &mut dyn CryptoRng,
    ) -> Result<Self, LdpVcError> {
        if !self.is_selective() {
            return Err(LdpVcError::NoBaseProof);
        }
        let base = Unverified::<LdpVc>::parse(self.as_str())?.0;
        let proof = base.proofs.into_one().ok_or(LdpVcError::NoBaseProof)?;
        let (revealed, proof_value) = match proof.cryptosuite.transformation() {
            Transformation::Statements(Statements::Bbs2023) => {
                let derivation = bbs_2023::Derivation {
                    selective,
                    presentation_header,
                };
                bbs_2023::derive(&base.document, &proof.map, &derivation, contexts, rng)?
            }
            Transformation::Statements(Statements::EcdsaSd2023) => {
                ecdsa_sd::derive(&base.document, proof.value(), selective, contexts)?
            }
            Transformation::Jcs(_) | Transformation::Rdfc => return Err(LdpVcError::NoBaseProof),
        };
        let mut proof = proof.map;
        proof.insert("proofValue".to_owned(), Value::from(proof_value));
        let derived = with_proof(revealed, Value::Object(proof));
        let facts = self.facts();
        let derived = Unverified::<LdpVc>::from_object(&derived)?;
        let keys = ProofKeys::new().with(derived.verification_method(), facts.key().clone());
        let makers = Makers::Issuer(facts.issuer());
        Ok(derived.check_proofs(&keys, makers, contexts)?.hold())
    }
}
