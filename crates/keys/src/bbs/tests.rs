//! The vectors of [bbs-2023](https://www.w3.org/TR/vc-di-bbs/#test-vectors) as far as they are BBS alone, and what
//! an attacker might send. Every test of a refusal first passes the genuine thing.

use std::convert::Infallible;
use std::path::PathBuf;

use bls12_381::G1Affine;
use bls12_381::Scalar;
use bls12_381::hash_to_curve::ExpandMessage as _;
use bls12_381::hash_to_curve::HashToField;
use proptest::prelude::*;
use rand_core::CryptoRng;
use rand_core::TryCryptoRng;
use rand_core::TryRng;
use serde_json::Value;

use super::generators::Generators;
use super::hash::Expander;
use super::*;

const HEADER: &[u8] = b"header";
const PRESENTATION: &[u8] = b"challenge of one verifier";
const MESSAGES: [&[u8]; 5] = [b"given name", b"", b"birth date", b"licence", b"given name"];
const DISCLOSED: [usize; 2] = [0, 3];

/// Bytes from a seed, in the way of the vectors:
/// [mocked random scalars](https://www.ietf.org/archive/id/draft-irtf-cfrg-bbs-signatures-09.html#name-mocked-random-scalars),
/// with the interface's identifier as the separation tag.
pub(super) struct MockRng(std::vec::IntoIter<u8>);

impl MockRng {
    pub(super) fn new(seed: &[u8], scalars: usize) -> Self {
        let mut bytes = vec![0; scalars * 48];
        let dst = b"BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_H2G_HM2S_";
        Expander::init_expand::<_, <Scalar as HashToField>::XofOutputLength>([seed], dst, bytes.len())
            .read_into(&mut bytes);
        Self(bytes.into_iter())
    }
}

impl TryRng for MockRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = self.0.next().expect("more scalars than were mocked");
        }
        Ok(())
    }
}

impl TryCryptoRng for MockRng {}

fn rng() -> impl CryptoRng {
    MockRng::new(b"seed", 100)
}

fn key() -> SecretKey {
    SecretKey::from_bytes(&[7; 32]).unwrap()
}

fn signed() -> (PublicKey, Signature) {
    let key = key();
    let signature = key.sign(HEADER, &MESSAGES).unwrap();
    key.public_key().verify(HEADER, &MESSAGES, &signature).unwrap();
    (key.public_key().clone(), signature)
}

fn shown() -> [&'static [u8]; 2] {
    DISCLOSED.map(|index| MESSAGES[index])
}

fn proven() -> (PublicKey, Vec<u8>) {
    let (key, signature) = signed();
    let proof = key
        .prove(&signature, HEADER, PRESENTATION, &MESSAGES, &DISCLOSED, &mut rng())
        .unwrap();
    check(&key, &proof).unwrap();
    (key, proof)
}

fn check(key: &PublicKey, proof: &[u8]) -> Result<(), BbsError> {
    key.verify_proof(proof, HEADER, PRESENTATION, &shown(), &DISCLOSED)
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn vectors() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let folder =
        PathBuf::from(std::env::var_os("ATTESTRY_VECTORS").unwrap_or_else(|| default.into())).join("vc-di-bbs");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("ATTESTRY_REQUIRE_VECTORS").is_none(),
        "no vectors at {}",
        folder.display()
    );
    println!("skipped: no vectors at {}", folder.display());
    None
}

#[test]
fn signatures_and_proofs_of_the_vectors() {
    let Some(folder) = vectors() else { return };
    let read = |path: PathBuf| -> Value {
        serde_json::from_str(
            &std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        )
        .unwrap()
    };
    let bytes = |value: &Value| hex(value.as_str().unwrap());
    let material = read(folder.join("BBSKeyMaterial.json"));
    let key = SecretKey::from_bytes(&bytes(&material["privateKeyHex"]).try_into().unwrap()).unwrap();
    assert_eq!(key.public_key().as_bytes().as_slice(), bytes(&material["publicKeyHex"]));
    let derive = read(folder.join("BBSDeriveMaterial.json"));
    let presentation_header = bytes(&derive["presentationHeaderHex"]);
    for part in ["", "prc"] {
        let folder = folder.join(part);
        let hashes = read(folder.join("addHashData.json"));
        let header = [bytes(&hashes["proofHash"]), bytes(&hashes["mandatoryHash"])].concat();
        let transformed = read(folder.join("addBaseTransform.json"));
        let statements = transformed["nonMandatory"]["value"].as_array().unwrap();
        let messages: Vec<&str> = statements.iter().map(|entry| entry[1].as_str().unwrap()).collect();
        let signature = key.sign(&header, &messages).unwrap();
        let expected = read(folder.join("addRawBaseSignatureInfo.json"));
        assert_eq!(
            signature.as_bytes().as_slice(),
            bytes(&expected["bbsSignature"]),
            "{part}"
        );
        key.public_key().verify(&header, &messages, &signature).unwrap();

        let disclosure = read(folder.join("derivedDisclosureData.json"));
        let indexes: Vec<usize> = serde_json::from_value(disclosure["adjSelectiveIndexes"].clone()).unwrap();
        let mut rng = MockRng::new(&bytes(&derive["pseudoRandSeedHex"]), 5 + messages.len() - indexes.len());
        let proof = key
            .public_key()
            .prove(&signature, &header, &presentation_header, &messages, &indexes, &mut rng)
            .unwrap();
        assert_eq!(proof, bytes(&disclosure["bbsProof"]), "{part}");
        let shown: Vec<&str> = indexes.iter().map(|index| messages[*index]).collect();
        key.public_key()
            .verify_proof(&proof, &header, &presentation_header, &shown, &indexes)
            .unwrap();
    }
}

/// Appendix of the draft: the fixed point and the first generators.
#[test]
fn generators_of_the_standard() {
    let generators = Generators::new(MAX_MESSAGES).unwrap();
    let p1 = "a8ce256102840821a3e94ea9025e4662b205762f9776b3a766c872b948f1fd225e7c59698588e70d11406d161b4e28c9";
    assert_eq!(generators.p1.octets.as_slice(), hex(p1));
    let mut seen: Vec<_> = generators.messages.iter().map(|generator| generator.octets).collect();
    seen.push(generators.q1.octets);
    seen.push(generators.p1.octets);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), MAX_MESSAGES + 2);
    let few = Generators::new(70).unwrap();
    assert!(
        few.messages
            .iter()
            .zip(&generators.messages)
            .all(|(few, all)| few.octets == all.octets)
    );
    assert_eq!(
        Generators::new(MAX_MESSAGES + 1).err(),
        Some(BbsError::TooManyMessages {
            found: MAX_MESSAGES + 1
        })
    );
}

#[test]
fn nothing_and_everything_may_be_disclosed() {
    let (key, signature) = signed();
    let all: Vec<usize> = (0..MESSAGES.len()).collect();
    for indexes in [&[][..], &all, &[4]] {
        let shown: Vec<&[u8]> = indexes.iter().map(|index| MESSAGES[*index]).collect();
        let proof = key
            .prove(&signature, HEADER, PRESENTATION, &MESSAGES, indexes, &mut rng())
            .unwrap();
        assert_eq!(proof.len(), 272 + 32 * (MESSAGES.len() - indexes.len()));
        key.verify_proof(&proof, HEADER, PRESENTATION, &shown, indexes).unwrap();
    }
}

#[test]
fn a_signature_over_no_messages_is_over_its_header() {
    let key = key();
    let none: [&[u8]; 0] = [];
    let signature = key.sign(HEADER, &none).unwrap();
    key.public_key().verify(HEADER, &none, &signature).unwrap();
    assert_eq!(
        key.public_key().verify(b"", &none, &signature),
        Err(BbsError::Signature)
    );
}

#[test]
fn changed_message_swapped_order_and_other_header_in_a_signature() {
    let (key, signature) = signed();
    let mut changed = MESSAGES;
    changed[2] = b"birth date ";
    let mut swapped = MESSAGES;
    swapped.swap(0, 1);
    for messages in [changed, swapped] {
        assert_eq!(key.verify(HEADER, &messages, &signature), Err(BbsError::Signature));
    }
    assert_eq!(key.verify(HEADER, &MESSAGES[..4], &signature), Err(BbsError::Signature));
    assert_eq!(key.verify(b"other", &MESSAGES, &signature), Err(BbsError::Signature));
    let other = SecretKey::from_bytes(&[8; 32]).unwrap();
    assert_eq!(
        other.public_key().verify(HEADER, &MESSAGES, &signature),
        Err(BbsError::Signature)
    );
}

#[test]
fn changed_message_header_or_presentation_header_in_a_proof() {
    let (key, proof) = proven();
    let [first, second] = shown();
    let verify = |header: &[u8], presentation_header: &[u8], messages: &[&[u8]], indexes: &[usize]| {
        key.verify_proof(&proof, header, presentation_header, messages, indexes)
    };
    let refused = [
        verify(HEADER, PRESENTATION, &[b"other", second], &DISCLOSED),
        verify(HEADER, PRESENTATION, &[second, first], &DISCLOSED),
        verify(HEADER, PRESENTATION, &[first, second], &[0, 2]),
        // The same message was signed at this index as well, but the proof is made for the other.
        verify(HEADER, PRESENTATION, &[first, second], &[3, 4]),
        verify(HEADER, PRESENTATION, &[first], &[0]),
        verify(b"other", PRESENTATION, &[first, second], &DISCLOSED),
        verify(HEADER, b"challenge of another verifier", &[first, second], &DISCLOSED),
        verify(HEADER, b"", &[first, second], &DISCLOSED),
    ];
    assert_eq!(refused, [const { Err(BbsError::Signature) }; 8]);
}

#[test]
fn indexes_that_repeat_descend_or_point_nowhere() {
    let (key, proof) = proven();
    let (_, signature) = signed();
    for indexes in [&[0, 0][..], &[3, 0], &[0, 5], &[0, usize::MAX]] {
        assert_eq!(
            key.verify_proof(&proof, HEADER, PRESENTATION, &shown(), indexes),
            Err(BbsError::Indexes)
        );
        assert_eq!(
            key.prove(&signature, HEADER, PRESENTATION, &MESSAGES, indexes, &mut rng()),
            Err(BbsError::Indexes)
        );
    }
    // Fewer or more indexes than messages.
    for indexes in [&[0][..], &[0, 1, 3]] {
        assert_eq!(
            key.verify_proof(&proof, HEADER, PRESENTATION, &shown(), indexes),
            Err(BbsError::Indexes)
        );
    }
}

#[test]
fn a_proof_for_another_key() {
    let (_, proof) = proven();
    let other = SecretKey::from_bytes(&[8; 32]).unwrap();
    assert_eq!(check(other.public_key(), &proof), Err(BbsError::Signature));
}

/// The identity, points on the curve outside of the subgroup, other encodings of good points, and no points.
#[test]
fn points_that_nobody_may_use() {
    let (key, signature) = signed();
    let (_, proof) = proven();
    let mut identity = [0; 48];
    identity[0] = 0xc0;
    let off_subgroup = (0_u8..)
        .find_map(|x| {
            let mut octets = [0; 48];
            (octets[0], octets[47]) = (0x80, x);
            let point: Option<G1Affine> = G1Affine::from_compressed_unchecked(&octets).into();
            point.filter(|point| !bool::from(point.is_torsion_free()))?;
            Some(octets)
        })
        .unwrap();
    let mut uncompressed = [0; 48];
    uncompressed.copy_from_slice(&signature.as_bytes()[..48]);
    uncompressed[0] &= 0x7f;
    // x = p, which would be x = 0 written another way.
    let mut above: [u8; 48] =
        hex("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab")
            .try_into()
            .unwrap();
    above[0] |= 0x80;
    let mut identity_and_more = identity;
    identity_and_more[47] = 1;
    for bad in [
        identity,
        off_subgroup,
        uncompressed,
        above,
        identity_and_more,
        [0; 48],
        [0xff; 48],
    ] {
        let mut forged = *signature.as_bytes();
        forged[..48].copy_from_slice(&bad);
        let forged = Signature::from_bytes(&forged).unwrap();
        assert_eq!(
            key.verify(HEADER, &MESSAGES, &forged),
            Err(BbsError::Malformed),
            "{bad:02x?}"
        );
        for position in 0..3 {
            let mut forged = proof.clone();
            forged[position * 48..][..48].copy_from_slice(&bad);
            assert_eq!(check(&key, &forged), Err(BbsError::Malformed), "{bad:02x?}");
        }
    }
}

/// For G2: keys at the identity or outside of the subgroup would verify what nobody signed.
#[test]
fn keys_that_nobody_may_use() {
    let mut identity = [0; 96];
    identity[0] = 0xc0;
    let off_subgroup = (0_u8..)
        .find_map(|x| {
            let mut octets = [0; 96];
            (octets[0], octets[95]) = (0x80, x);
            let point: Option<bls12_381::G2Affine> = bls12_381::G2Affine::from_compressed_unchecked(&octets).into();
            point.filter(|point| !bool::from(point.is_torsion_free()))?;
            Some(octets)
        })
        .unwrap();
    let mut uncompressed = *key().public_key().as_bytes();
    assert!(PublicKey::from_bytes(&uncompressed).is_ok());
    uncompressed[0] &= 0x7f;
    for bad in [identity, off_subgroup, uncompressed, [0; 96], [0xff; 96]] {
        assert!(PublicKey::from_bytes(&bad).is_err(), "{bad:02x?}");
        assert!(curve_wasm::Key::from_octets(&bad).is_none(), "{bad:02x?}");
    }
    for bad in [[0; 32], [0xff; 32]] {
        assert!(SecretKey::from_bytes(&bad).is_err());
    }
}

#[test]
fn scalars_that_are_zero_or_beyond_the_order() {
    let (key, signature) = signed();
    let (_, proof) = proven();
    let order = hex("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001");
    for bad in [vec![0; 32], order, vec![0xff; 32]] {
        let mut forged = *signature.as_bytes();
        forged[48..].copy_from_slice(&bad);
        let forged = Signature::from_bytes(&forged).unwrap();
        assert_eq!(key.verify(HEADER, &MESSAGES, &forged), Err(BbsError::Malformed));
        for at in (144..proof.len()).step_by(32) {
            let mut forged = proof.clone();
            forged[at..at + 32].copy_from_slice(&bad);
            assert_eq!(check(&key, &forged), Err(BbsError::Malformed));
        }
    }
}

#[test]
fn truncated_and_extended_proofs_and_signatures() {
    let (key, proof) = proven();
    for length in 0..proof.len() {
        assert!(check(&key, &proof[..length]).is_err(), "{length}");
    }
    let longer = [&proof[..], &[0]].concat();
    assert_eq!(check(&key, &longer), Err(BbsError::Malformed));
    // One hidden message more.
    let longer = [&proof[..], &proof[proof.len() - 32..]].concat();
    assert_eq!(check(&key, &longer), Err(BbsError::Signature));
    let huge = [&proof[..], &proof[proof.len() - 32..].repeat(MAX_MESSAGES)].concat();
    assert_eq!(check(&key, &huge), Err(BbsError::Malformed));
    for length in [0, 79, 81] {
        assert_eq!(Signature::from_bytes(&vec![1; length]), Err(BbsError::Malformed));
    }
}

/// The trivial points that satisfy the pairing without any signature: `Abar` and `Bbar` of one's own choice need a
/// key's secret, since `Bbar = Abar * SK`.
#[test]
fn a_proof_put_together_from_public_points() {
    let (key, proof) = proven();
    let generators = Generators::new(MESSAGES.len()).unwrap();
    for point in [generators.p1, generators.q1, generators.messages[0]] {
        for positions in [&[0_usize][..], &[1], &[2], &[0, 1], &[0, 1, 2]] {
            let mut forged = proof.clone();
            for position in positions {
                forged[position * 48..][..48].copy_from_slice(&point.octets);
            }
            assert_eq!(check(&key, &forged), Err(BbsError::Signature));
        }
    }
}

#[test]
fn proofs_of_one_signature_have_nothing_in_common() {
    let (key, signature) = signed();
    let prove = |seed: &[u8]| {
        let mut rng = MockRng::new(seed, 10);
        key.prove(&signature, HEADER, PRESENTATION, &MESSAGES, &DISCLOSED, &mut rng)
            .unwrap()
    };
    let (first, second) = (prove(b"first"), prove(b"second"));
    for length in [48, 32] {
        assert!(
            first
                .windows(length)
                .all(|part| !second.windows(length).any(|other| other == part))
        );
    }
    assert!(!first.windows(32).any(|part| part == &signature.as_bytes()[48..]));
}

#[test]
fn signing_inputs_round_trip_and_others_are_refused() {
    let input = SigningInput {
        header: HEADER.to_vec(),
        messages: MESSAGES.map(<[u8]>::to_vec).to_vec(),
    };
    let bytes = input.to_bytes();
    assert_eq!(SigningInput::from_bytes(&bytes), Ok(input));
    for bad in [
        &[][..],
        b"a JWS signing input",
        &bytes[1..],
        &bytes[..bytes.len() - 1],
        &[0x82, 0x40, 0x81, 0x01],
    ] {
        assert_eq!(SigningInput::from_bytes(bad), Err(BbsError::Malformed));
    }
}

#[test]
fn debug_shows_no_secret() {
    assert_eq!(format!("{:?}", key()), "SecretKey { .. }");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The curve of the target and the pure one compute the same, also for equal, opposite and zero terms.
    #[test]
    fn both_curves_agree(scalars in proptest::collection::vec(0_u64..4, 1..12), negative in any::<u16>(), same in any::<u16>()) {
        let generators = Generators::new(12).unwrap();
        let terms: Vec<(usize, Scalar)> = (0..).zip(&scalars).map(|(index, scalar)| {
            let scalar = Scalar::from(*scalar);
            let scalar = if negative >> index & 1 == 1 { -scalar } else { scalar };
            (if same >> index & 1 == 1 { 0 } else { index }, scalar)
        }).collect();
        let native: Vec<_> = terms.iter().map(|(index, scalar)| (generators.messages[*index].point, *scalar)).collect();
        let pure: Vec<_> = terms
            .iter()
            .map(|(index, scalar)| (curve_wasm::Point::from_octets(&generators.messages[*index].octets).unwrap(), *scalar))
            .collect();
        prop_assert_eq!(curve::Point::sum(&native).to_octets(), curve_wasm::Point::sum(&pure).to_octets());
    }

    #[test]
    fn both_curves_pair_alike(secret in 1_u64.., other in any::<bool>()) {
        let scalar = Scalar::from(secret);
        let a = Generators::new(1).unwrap().q1.octets;
        let b = G1Affine::from(G1Affine::from_compressed(&a).unwrap() * (scalar + Scalar::from(u64::from(other)))).to_compressed();
        let w = bls12_381::G2Affine::from(bls12_381::G2Affine::generator() * scalar).to_compressed();
        let native = curve::pairings_agree(
            curve::Point::from_octets(&a).unwrap(),
            &curve::Key::from_octets(&w).unwrap(),
            curve::Point::from_octets(&b).unwrap(),
        );
        let pure = curve_wasm::pairings_agree(
            curve_wasm::Point::from_octets(&a).unwrap(),
            &curve_wasm::Key::from_octets(&w).unwrap(),
            curve_wasm::Point::from_octets(&b).unwrap(),
        );
        prop_assert_eq!(native, !other);
        prop_assert_eq!(pure, !other);
    }

    /// Any byte of a proof counts.
    #[test]
    fn no_other_proof_verifies(position in 0_usize..368, mask in 1_u8..) {
        let (key, mut proof) = proven();
        prop_assert_eq!(proof.len(), 368);
        proof[position] ^= mask;
        prop_assert!(check(&key, &proof).is_err());
    }
}
