//! Hashing to scalars
//! ([core utilities](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-core-utilities)).

use bls12_381::Scalar;
use bls12_381::hash_to_curve::ExpandMsgXmd;
use bls12_381::hash_to_curve::HashToField as _;
use bls12_381::hash_to_curve::Message;
use rand_core::CryptoRng;
use sha2_010::Sha256;
use zeroize::Zeroizing;

use super::G1_BYTES;
use super::generators::Generators;
use super::length_to_octets;

/// `expand_message` of the ciphersuite.
pub(super) type Expander = ExpandMsgXmd<Sha256>;

/// `ciphersuite_id || "H2G_HM2S_"`.
const API_ID: &[u8] = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_";
const HASH_TO_SCALAR_DST: &[u8] = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_H2S_";
const MAP_DST: &[u8] = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_MAP_MSG_TO_SCALAR_AS_HASH_";

/// `expand_len`: bytes that a uniform scalar is reduced from.
const EXPAND_LEN: usize = 48;

/// `hash_to_scalar` with the interface's own separation tag, over the concatenation of `parts`.
pub(super) fn to_scalar(parts: &[&[u8]]) -> Scalar {
    hash(parts, HASH_TO_SCALAR_DST)
}

/// [`messages_to_scalars`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-messages-to-scalars).
pub(super) fn messages(messages: &[impl AsRef<[u8]>]) -> Vec<Scalar> {
    messages
        .iter()
        .map(|message| hash([message.as_ref()], MAP_DST))
        .collect()
}

/// [`calculate_domain`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-domain-calculation).
pub(super) fn domain(public_key: &[u8], generators: &Generators, header: &[u8]) -> Scalar {
    let count = generators.messages.len();
    let mut points = Vec::with_capacity((count + 1) * G1_BYTES);
    points.extend(generators.q1.octets);
    points.extend(generators.messages.iter().flat_map(|generator| generator.octets));
    to_scalar(&[
        public_key,
        &length_to_octets(count),
        &points,
        API_ID,
        &length_to_octets(header.len()),
        header,
    ])
}

/// One scalar of [`calculate_random_scalars`](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-random-scalars).
pub(super) fn random_scalar(rng: &mut dyn CryptoRng) -> Scalar {
    let mut wide = Zeroizing::new([0; 64]);
    let (uniform, _) = wide.split_at_mut(EXPAND_LEN);
    rng.fill_bytes(uniform);
    uniform.reverse();
    Scalar::from_bytes_wide(&wide)
}

fn hash(message: impl Message, dst: &[u8]) -> Scalar {
    let mut scalars = [Scalar::zero()];
    Scalar::hash_to_field::<Expander, _>(message, dst, &mut scalars);
    let [scalar] = scalars;
    scalar
}
