//! Proofs of a signature that show some of its messages
//! ([`CoreProofGen`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-coreproofgen),
//! [`CoreProofVerify`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-coreproofverify)).

use bls12_381::G1Affine;
use bls12_381::Scalar;
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::BbsError;
use super::G1_BYTES;
use super::MAX_MESSAGES;
use super::PublicKey;
use super::SCALAR_BYTES;
use super::Signature;
use super::combination;
use super::combination::Term;
use super::curve;
use super::curve::Point;
use super::generators::Generators;
use super::hash;
use super::length_to_octets;
use super::scalar_from_octets;
use super::scalar_to_octets;
use super::signature::commitment;

/// `Abar`, `Bbar`, `D` and `e^`, `r1^`, `r3^`, `c`.
const MIN_PROOF_BYTES: usize = 3 * G1_BYTES + 4 * SCALAR_BYTES;

/// What a proof has when nothing is disclosed.
const MAX_PROOF_BYTES: usize = MIN_PROOF_BYTES + MAX_MESSAGES * SCALAR_BYTES;

/// A proof as it was received.
struct Proof {
    /// `Abar`, `Bbar`, `D`, with their octets.
    points: [(Point, [u8; G1_BYTES]); 3],
    /// `e^`, `r1^`, `r3^`.
    responses: [Scalar; 3],
    /// `m^` of each hidden message.
    hidden: Vec<Scalar>,
    challenge: Scalar,
}

/// What both sides hash to the challenge: `Abar`, `Bbar`, `D`, `T1`, `T2`, then the domain.
struct Transcript<'a> {
    points: [[u8; G1_BYTES]; 5],
    domain: Scalar,
    disclosed: Vec<(usize, Scalar)>,
    presentation_header: &'a [u8],
}

impl PublicKey {
    /// A proof of `signature`, which this key made over `header` and `messages`. It shows the messages at the
    /// indexes `disclosed` and is bound to `presentation_header`. No two proofs of a signature can be linked.
    ///
    /// That the signature holds is not checked: a wallet did so when it accepted the credential. A proof of one
    /// that does not hold convinces nobody.
    ///
    /// # Errors
    /// [`BbsError`], the caller's fault.
    pub fn prove(
        &self,
        signature: &Signature,
        header: &[u8],
        presentation_header: &[u8],
        messages: &[impl AsRef<[u8]>],
        disclosed: &[usize],
        rng: &mut dyn CryptoRng,
    ) -> Result<Vec<u8>, BbsError> {
        check_indexes(disclosed, messages.len())?;
        let (a, e) = signature.parts()?;
        let a: Option<G1Affine> = G1Affine::from_compressed(a).into();
        let a = a.ok_or(BbsError::Malformed)?;
        let generators = Generators::new(messages.len())?;
        let messages = Zeroizing::new(hash::messages(messages));
        let hidden_indexes = hidden_indexes(disclosed, messages.len());
        let domain = hash::domain(self.as_bytes(), &generators, header);

        let [r1, r2, e_blind, r1_blind, r3_blind] = std::array::from_fn(|_| Zeroizing::new(hash::random_scalar(rng)));
        let blinds: Zeroizing<Vec<Scalar>> =
            Zeroizing::new(hidden_indexes.iter().map(|_| hash::random_scalar(rng)).collect());
        // Zero once in 2^255; the standard has no inverse then either.
        let r3: Option<Scalar> = r2.invert().into();
        let r3 = Zeroizing::new(r3.ok_or(BbsError::Malformed)?);

        let b = commitment(&generators, &domain, &messages);
        let d = G1Affine::from(combination::sum(&[Term::new(&b, &r2)]));
        let a_bar = G1Affine::from(combination::sum(&[Term::new(&a, &(*r1 * *r2))]));
        let b_bar = combination::sum(&[Term::new(&d, &r1), Term::new(&a_bar, &-e)]);
        let t1 = combination::sum(&[Term::new(&a_bar, &e_blind), Term::new(&d, &r1_blind)]);
        let mut terms = vec![Term::new(&d, &r3_blind)];
        let hidden_generators = hidden_indexes
            .iter()
            .filter_map(|index| generators.messages.get(*index));
        terms.extend(
            hidden_generators
                .zip(blinds.iter())
                .map(|(point, blind)| Term::new(&point.affine, blind)),
        );
        let t2 = combination::sum(&terms);

        let message = |index: &usize| messages.get(*index).copied().map(|message| (*index, message));
        let transcript = Transcript {
            points: [a_bar, b_bar.into(), d, t1.into(), t2.into()].map(|point| point.to_compressed()),
            domain,
            disclosed: disclosed.iter().filter_map(message).collect(),
            presentation_header,
        };
        let challenge = transcript.challenge();
        let hidden = hidden_indexes.iter().filter_map(message).zip(blinds.iter());
        let [a_bar, b_bar, d, ..] = transcript.points;
        let mut proof = [a_bar, b_bar, d].concat();
        let responses = [
            *e_blind + e * challenge,
            *r1_blind - *r1 * challenge,
            *r3_blind - *r3 * challenge,
        ];
        proof.extend(responses.iter().flat_map(scalar_to_octets));
        proof.extend(hidden.flat_map(|((_, message), blind)| scalar_to_octets(&(blind + message * challenge))));
        proof.extend(scalar_to_octets(&challenge));
        Ok(proof)
    }

    /// Checks `proof`: that whoever made it had a signature by this key over `header` and messages of which
    /// `messages` are those at the indexes `disclosed`, and made it for `presentation_header`.
    ///
    /// # Errors
    /// [`BbsError`].
    pub fn verify_proof(
        &self,
        proof: &[u8],
        header: &[u8],
        presentation_header: &[u8],
        messages: &[impl AsRef<[u8]>],
        disclosed: &[usize],
    ) -> Result<(), BbsError> {
        let proof = Proof::parse(proof)?;
        let count = proof.hidden.len() + messages.len();
        if disclosed.len() != messages.len() {
            return Err(BbsError::Indexes);
        }
        check_indexes(disclosed, count)?;
        let generators = Generators::new(count)?;
        let domain = hash::domain(self.as_bytes(), &generators, header);
        let messages: Vec<(usize, Scalar)> = disclosed.iter().copied().zip(hash::messages(messages)).collect();
        let [t1, t2] = proof.commitments(&generators, &domain, &messages);

        let [a_bar, b_bar, d] = proof.points;
        let transcript = Transcript {
            points: [a_bar.1, b_bar.1, d.1, t1.to_octets(), t2.to_octets()],
            domain,
            disclosed: messages,
            presentation_header,
        };
        if transcript.challenge() == proof.challenge && curve::pairings_agree(a_bar.0, self.point(), b_bar.0) {
            Ok(())
        } else {
            Err(BbsError::Signature)
        }
    }
}

impl Proof {
    /// [`octets_to_proof`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-octets-to-proof).
    fn parse(octets: &[u8]) -> Result<Self, BbsError> {
        if octets.len() < MIN_PROOF_BYTES || octets.len() > MAX_PROOF_BYTES {
            return Err(BbsError::Malformed);
        }
        let (points, scalars) = octets.split_at(3 * G1_BYTES);
        let (points, _) = points.as_chunks::<G1_BYTES>();
        let points: Vec<(Point, [u8; G1_BYTES])> = points
            .iter()
            .map(|octets| Some((Point::from_octets(octets)?, *octets)))
            .collect::<Option<_>>()
            .ok_or(BbsError::Malformed)?;
        let (scalars, rest) = scalars.as_chunks::<SCALAR_BYTES>();
        let scalars: Vec<Scalar> = scalars
            .iter()
            .map(scalar_from_octets)
            .collect::<Option<_>>()
            .ok_or(BbsError::Malformed)?;
        match scalars.as_slice() {
            [e, r1, r3, hidden @ .., challenge] if rest.is_empty() => Ok(Self {
                points: points.try_into().map_err(|_| BbsError::Malformed)?,
                responses: [*e, *r1, *r3],
                hidden: hidden.to_vec(),
                challenge: *challenge,
            }),
            _ => Err(BbsError::Malformed),
        }
    }

    /// `T1` and `T2` of [`ProofVerifyInit`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-proof-verification-initiali).
    fn commitments(&self, generators: &Generators, domain: &Scalar, disclosed: &[(usize, Scalar)]) -> [Point; 2] {
        let [(a_bar, _), (b_bar, _), (d, _)] = self.points;
        let [e, r1, r3] = self.responses;
        let c = self.challenge;
        let t1 = Point::sum(&[(b_bar, c), (a_bar, e), (d, r1)]);
        let mut terms = vec![(generators.p1.point, c), (generators.q1.point, domain * c), (d, r3)];
        let (mut disclosed, mut hidden) = (disclosed.iter().peekable(), self.hidden.iter());
        for (index, generator) in generators.messages.iter().enumerate() {
            let scalar = match disclosed.next_if(|(shown, _)| *shown == index) {
                Some((_, message)) => message * c,
                None => hidden.next().copied().unwrap_or_default(),
            };
            terms.push((generator.point, scalar));
        }
        [t1, Point::sum(&terms)]
    }
}

impl Transcript<'_> {
    /// [`ProofChallengeCalculate`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-challenge-calculation).
    fn challenge(&self) -> Scalar {
        let mut octets = length_to_octets(self.disclosed.len()).to_vec();
        for (index, message) in &self.disclosed {
            octets.extend(length_to_octets(*index));
            octets.extend(scalar_to_octets(message));
        }
        octets.extend(self.points.as_flattened());
        octets.extend(scalar_to_octets(&self.domain));
        hash::to_scalar(&[
            &octets,
            &length_to_octets(self.presentation_header.len()),
            self.presentation_header,
        ])
    }
}

/// Every index once, in order, below `count`.
fn check_indexes(indexes: &[usize], count: usize) -> Result<(), BbsError> {
    let ascending = indexes.is_sorted_by(|left, right| left < right);
    if ascending && indexes.last().is_none_or(|last| *last < count) {
        Ok(())
    } else {
        Err(BbsError::Indexes)
    }
}

/// Those of `0..count` that are not among the ascending `disclosed`.
fn hidden_indexes(disclosed: &[usize], count: usize) -> Vec<usize> {
    (0..count)
        .filter(|index| disclosed.binary_search(index).is_err())
        .collect()
}
