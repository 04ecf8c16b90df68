//! Certificates of isomdl, Multipaz and the AAMVA, and the list of issuing authorities (VICAL) that the AAMVA signs.
#![cfg(test)]

use std::path::Path;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::Timestamp;
use keys::cose::UnverifiedSign1;
use keys::x509::Certificate;
use keys::x509::Purpose;
use keys::x509::X509Error;
use keys::x509::verify_path;

/// The folder, or `None` where it is not there and not required.
fn vectors() -> Option<PathBuf> {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let folder = PathBuf::from(std::env::var_os("ATTESTRY_VECTORS").unwrap_or_else(|| default.into())).join("mdoc");
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

fn pem(path: &Path) -> Vec<u8> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let base64: String = text
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN CERTIFICATE"))
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .collect();
    STANDARD.decode(base64).unwrap()
}

fn at(time: &str) -> Timestamp {
    Timestamp::parse_rfc3339(time).unwrap()
}

#[test]
fn document_signers_of_isomdl() {
    let Some(folder) = vectors() else { return };
    let certificate = |name: &str| pem(&folder.join("presentation").join(name));
    let root = [Certificate::from_der(&certificate("isomdl_iaca_root_cert.pem")).unwrap()];
    let verify = |chain: &[Vec<u8>], now| verify_path(chain, &root, Purpose::MdocDocumentSigner, at(now));
    let signer = certificate("isomdl_iaca_signer.pem");
    let path = verify(std::slice::from_ref(&signer), "2024-01-01T00:00:00Z").unwrap();
    assert_eq!(path.signer().state_or_province().as_deref(), Some("NY"));
    assert!(matches!(
        verify(&[signer], "2026-01-01T00:00:00Z"),
        Err(X509Error::Validity { .. })
    ));
    // Both say CA:TRUE in a certificate that signs documents, and the second has another authority between.
    for chain in [
        vec![certificate("isomdl_incorrect_iaca_signer.pem")],
        vec![
            certificate("isomdl_iaca_leaf_signer.pem"),
            certificate("isomdl_iaca_intermediate.pem"),
        ],
    ] {
        assert!(matches!(
            verify(&chain, "2024-01-01T00:00:00Z"),
            Err(X509Error::Purpose {
                expected: "no right to issue certificates"
            })
        ));
    }
    let reader = certificate("reader_auth.pem");
    assert_eq!(
        verify(&[reader], "2024-01-01T00:00:00Z").unwrap_err(),
        X509Error::Purpose {
            expected: "the critical extended key usage of an mdoc document signer, and no other"
        }
    );
}

#[test]
fn document_signer_of_multipaz_under_a_p384_iaca() {
    let Some(folder) = vectors() else { return };
    let certificate = |name: &str| pem(&folder.join("presentation").join(name));
    let iaca = [Certificate::from_der(&certificate("owf_multipaz_iaca_p384.pem")).unwrap()];
    let chain = [certificate("owf_multipaz_ds_p384.pem")];
    let path = verify_path(&chain, &iaca, Purpose::MdocDocumentSigner, at("2026-06-01T00:00:00Z")).unwrap();
    assert_eq!(path.signer().country().as_deref(), Some("US"));
}

#[test]
fn other_curves_and_versions_are_refused_by_name() {
    let Some(folder) = vectors() else { return };
    let read = |name: &str| Certificate::from_der(&pem(&folder.join(name)));
    assert!(read("issuance/256-cert.pem").is_ok());
    // Signed with ECDSA and SHA-256 on larger curves.
    for name in ["issuance/384-cert.pem", "issuance/521-cert.pem"] {
        assert!(matches!(read(name), Err(X509Error::Form { .. })), "{name}");
    }
    assert_eq!(
        read("issuance/issuer-cert.pem").unwrap_err(),
        X509Error::Form {
            expected: "a TBSCertificate of version 3"
        }
    );
}

#[test]
fn the_vical_of_the_aamva() {
    let Some(folder) = vectors() else { return };
    let file = |name: &str| std::fs::read(folder.join("vical").join(name)).unwrap();
    let root = [Certificate::from_der(&pem_or_der(&file("aamva_ca_root.crt"))).unwrap()];
    let vical = file("aamva-vical-2025-11-18-1763491092481.cbor");
    let unverified = UnverifiedSign1::parse(&vical, 1 << 20).unwrap();
    let mut chain = unverified.headers().x5chain().to_vec();
    if chain.len() == 1 {
        chain.push(pem_or_der(&file("aamva_ca_intermediate.crt")));
    }
    let path = verify_path(&chain, &root, Purpose::Signature, at("2025-12-01T00:00:00Z")).unwrap();
    assert!(unverified.verify(path.key()).unwrap().payload().len() > 10_000);
}

fn pem_or_der(bytes: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(bytes) {
        Ok(text) => STANDARD
            .decode(
                text.lines()
                    .filter(|line| !line.starts_with("-----"))
                    .collect::<String>(),
            )
            .unwrap(),
        Err(_) => bytes.to_vec(),
    }
}
