//! Credentials of which a holder can show a part: issuing them, and deriving what is shown.

use jsonld::ContextLoader;
use keys::PublicKey;
use keys::SigningRequest;
use keys::Timestamp;
use rand_core::CryptoRng;
use serde_json::Map;
use serde_json::Value;

use super::Cryptosuite;
use super::CryptosuiteError;
use super::EcdsaSdError;
use super::LdpVc;
use super::LdpVcError;
use super::Pointer;
use super::ProofKeys;
use super::ProofOptions;
use super::ProofPurpose;
use super::add_proof::check_unsecured;
use super::add_proof::with_proof;
use super::bbs_2023;
use super::cryptosuite::Statements;
use super::cryptosuite::Transformation;
use super::ecdsa_sd;
use super::proof_set::Makers;
use crate::Held;
use crate::Unverified;
use crate::vc::CredentialProperties;
use crate::vc::DataModelVersion;

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

/// What goes into a base proof besides the document.
#[derive(Clone, Copy, Debug)]
pub struct BaseProofOptions<'a> {
    /// How the proof is made: with selective disclosure.
    pub cryptosuite: Cryptosuite,
    /// The public half of the key that will sign, whose algorithm is one of the suite's. A base proof of `bbs-2023`
    /// names it.
    pub key: &'a PublicKey,
    /// Absolute DID URL of that key.
    pub verification_method: &'a str,
    /// When the proof is made.
    pub created: Option<Timestamp>,
    /// From when on the proof (not the credential) is void.
    pub expires: Option<Timestamp>,
    /// What every verifier is to see besides what [`issue_selective`] always makes mandatory.
    pub mandatory: &'a [Pointer],
    /// The version of the data model that the document must be of. One of 1.1 is for services that secure what others
    /// say: see [`super::issue_1_1`].
    pub data_model: DataModelVersion,
}

/// The credential `document` with a base proof in it, once signed. Every context must be one of `contexts`.
///
/// Whatever the caller names, this is always mandatory:
/// * `issuer`, `validFrom`, `validUntil` and `credentialStatus` (and the times of version 1.1), each as a whole. Of a
///   credential whose status or end of validity may be left out, nobody can tell that it was revoked or has expired,
///   so an issuer is not asked.
/// * the `id` of each subject: otherwise a credential could be shown as nobody's, or as that of one subject of
///   several.
///
/// `id` and `type` of the credential are part of every selection.
///
/// With `bbs-2023` the proof has no `created`: a second of its own would link all that is derived from it. For the same
/// reason its issuer gives such a credential no `id`, and lets nothing be mandatory that few credentials have. A place
/// in a status list is such a thing, and it is always shown: whoever gives such a credential a status gives up that its
/// presentations cannot be linked, for that it can be revoked.
///
/// # Errors
/// [`LdpVcError`], the caller's fault: a document that nobody could verify or that is of another version, a pointer
/// that leads nowhere, a key of another suite, or a suite that signs whole documents.
pub fn issue_selective(
    document: Map<String, Value>,
    options: &BaseProofOptions<'_>,
    contexts: &ContextLoader,
    rng: &mut dyn CryptoRng,
) -> Result<SigningRequest<Map<String, Value>>, LdpVcError> {
    let BaseProofOptions {
        cryptosuite,
        key,
        mandatory,
        ..
    } = *options;
    let properties = match options.data_model {
        DataModelVersion::V1_1 => CredentialProperties::read_1_1(&document)?,
        DataModelVersion::V2_0 => CredentialProperties::read(&document)?,
    };
    let options = ProofOptions {
        cryptosuite,
        algorithm: key.algorithm(),
        verification_method: options.verification_method,
        created: options.created,
        expires: options.expires,
    };
    check_unsecured(&document, &properties, &options, contexts)?;
    let mut configuration = cryptosuite.named(options.configuration(ProofPurpose::AssertionMethod));
    let mandatory = [mandatory_always(&document)?.as_slice(), mandatory].concat();
    let Transformation::Statements(suite) = cryptosuite.transformation() else {
        return Err(CryptosuiteError::NotSelective.into());
    };
    cryptosuite.check_algorithm(key.algorithm())?;
    let request = match suite {
        Statements::Bbs2023 => {
            configuration.remove("created");
            bbs_2023::sign(&document, configuration, key, mandatory, contexts, rng)?
        }
        Statements::EcdsaSd2023 => ecdsa_sd::sign(&document, configuration, mandatory, contexts, rng)?,
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
