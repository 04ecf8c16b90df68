//! The points that messages are bound to
//! ([`create_generators`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-generators-calculation)).
//!
//! They are constants of the standard that cost about a millisecond each to hash to, more than everything
//! else together, so each is computed once in a process.

use std::sync::OnceLock;

use bls12_381::G1Affine;
use bls12_381::G1Projective;
use bls12_381::Scalar;
use bls12_381::hash_to_curve::ExpandMessage as _;
use bls12_381::hash_to_curve::HashToCurve;
use bls12_381::hash_to_curve::HashToField;

use super::BbsError;
use super::G1_BYTES;
use super::curve::Point;
use super::hash::Expander;

/// Messages of one signature. A credential has about thirty statements and one with many parts some hundred;
/// every message costs its verifier some 40 microseconds.
pub const MAX_MESSAGES: usize = BLOCKS * BLOCK - 1;

/// Generators are computed by the block: a common credential needs one.
const BLOCK: usize = 64;
const BLOCKS: usize = 16;

const SEED_DST: &[u8] = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_SIG_GENERATOR_SEED_";
const GENERATOR_DST: &[u8] = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_SIG_GENERATOR_DST_";
const GENERATOR_SEED: &[u8] = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_MESSAGE_GENERATOR_SEED";
const BASE_POINT_SEED: &[u8] = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_BP_MESSAGE_GENERATOR_SEED";

/// Bytes of the seeds (`expand_len`).
type Seed = [u8; 48];

/// A fixed point of G1 in the forms that are needed of it.
pub(super) struct Generator {
    /// Where secrets are multiplied.
    pub(super) affine: G1Affine,
    /// Where verifiers compute.
    pub(super) point: Point,
    pub(super) octets: [u8; G1_BYTES],
}

/// `P1`, `Q_1` and `H_1` to `H_L` for a list of messages.
pub(super) struct Generators {
    pub(super) p1: &'static Generator,
    pub(super) q1: &'static Generator,
    pub(super) messages: Vec<&'static Generator>,
}

struct Block {
    generators: Vec<Generator>,
    /// `v` after the last of them.
    seed: Seed,
}

impl Generators {
    /// The generators for `count` messages.
    pub(super) fn new(count: usize) -> Result<Self, BbsError> {
        static BASE_POINT: OnceLock<Block> = OnceLock::new();
        static CACHE: [OnceLock<Block>; BLOCKS] = [const { OnceLock::new() }; BLOCKS];
        let base_point = BASE_POINT.get_or_init(|| Block::new(first_seed(BASE_POINT_SEED), 1..=1));
        let mut all = Vec::with_capacity(count + 1);
        let mut seed = first_seed(GENERATOR_SEED);
        for (position, cell) in CACHE.iter().enumerate() {
            if all.len() > count {
                break;
            }
            let first = position * BLOCK + 1;
            let block = cell.get_or_init(|| Block::new(seed, first..=position * BLOCK + BLOCK));
            seed = block.seed;
            all.extend(block.generators.iter().take(count + 1 - all.len()));
        }
        match (base_point.generators.first(), all.split_first()) {
            (Some(p1), Some((q1, messages))) if messages.len() == count => Ok(Self {
                p1,
                q1,
                messages: messages.to_vec(),
            }),
            _ => Err(BbsError::TooManyMessages { found: count }),
        }
    }
}

impl Block {
    /// The generators with these numbers, of which the standard's first is 1.
    fn new(mut seed: Seed, numbers: std::ops::RangeInclusive<usize>) -> Self {
        let points: Option<Vec<Generator>> = numbers
            .map(|number| {
                seed = expand(&[&seed, &super::length_to_octets(number)]);
                let point = <G1Projective as HashToCurve<Expander>>::hash_to_curve([seed], GENERATOR_DST);
                Generator::new(point.into())
            })
            .collect();
        Self {
            // A point that the verifiers' curve did not take would leave messages unbound: then there are none.
            generators: points.unwrap_or_default(),
            seed,
        }
    }
}

impl Generator {
    fn new(affine: G1Affine) -> Option<Self> {
        let octets = affine.to_compressed();
        Some(Self {
            affine,
            point: Point::from_octets(&octets)?,
            octets,
        })
    }
}

fn first_seed(generator_seed: &[u8]) -> Seed {
    expand(&[generator_seed])
}

fn expand(message: &[&[u8]]) -> Seed {
    let mut seed = [0; 48];
    // The length parameter is of tags above 255 bytes, which ours are not.
    Expander::init_expand::<_, <Scalar as HashToField>::XofOutputLength>(message, SEED_DST, seed.len())
        .read_into(&mut seed);
    seed
}
