//! The issuing authority (IACA) of a nation: the root under which readers of mdocs find an agency's key, who know
//! nothing of the registry (ISO/IEC 18013-5 annex B).
//!
//! Its key is an authority's and lies beside the officers' keys, never in the data folder: the platform signs mdocs with
//! an agency's key and certifies nobody. What it certifies counts for those readers alone; a verifier of the registry
//! asks the registry.

use std::path::Path;

use anyhow::Context as _;
use anyhow::Result;
use keys::Algorithm;
use keys::PublicKey;
use keys::Signer as _;
use keys::Timestamp;
use keys::x509::Name;
use keys::x509::NewCertificate;
use keys::x509::Role;
use signer::KeyFile;
use signer::Passphrase;
use signer::SoftwareKey;

/// The country of the sample nation, for private use in ISO 3166-1.
const COUNTRY: &str = "XA";
const COMMON_NAME: &str = "Issuing Authority of the Sample Nation";
/// Where it would be reached, and publish what it revoked, if it existed.
const URL: &str = "https://authority.attestry.example";
const REVOCATION_LIST: &str = "https://authority.attestry.example/iaca.crl";
const DAY: i64 = 86_400;
/// Annex B allows twenty years.
const ROOT_DAYS: i64 = 10 * 365;
/// The most that annex B allows.
const DOCUMENT_SIGNER_DAYS: i64 = 457;
/// `ub-common-name` of RFC 5280, appendix A.
const MAX_COMMON_NAME: usize = 64;
/// Clocks of readers differ, and `signed` of an mdoc is rounded down.
const BEFORE: i64 = 60 * 60;

/// The authority with its key, held only while it certifies.
pub(crate) struct Iaca {
    key: SoftwareKey,
    /// Its own certificate, in DER.
    root: Vec<u8>,
}

impl Iaca {
    /// Makes the key and the root certificate as `iaca.key` and `iaca.der` in the officers' folder. ES256, which every
    /// reader of annex B knows.
    pub(crate) fn create(folder: &Path, passphrase: &Passphrase, now: Timestamp) -> Result<Self> {
        let mut rng = signer::os_rng();
        let key = SoftwareKey::generate(Algorithm::Es256, &mut rng);
        KeyFile::seal(&key, passphrase, &mut rng)?.write_new(&folder.join("iaca.key"))?;
        let root = Self::certificate(name(COMMON_NAME), key.public_key(), &key, Role::Iaca, now);
        let root = key.fulfil(root.issue(&mut rng))?;
        let path = folder.join("iaca.der");
        std::fs::write(&path, &root).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { key, root })
    }

    /// Opens the key that [`Iaca::create`] made.
    pub(crate) fn open(folder: &Path, passphrase: &Passphrase) -> Result<Self> {
        let key = KeyFile::read(&folder.join("iaca.key"))?.open(passphrase)?;
        let path = folder.join("iaca.der");
        let root = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { key, root })
    }

    /// Its own certificate, in DER.
    pub(crate) fn root(&self) -> &[u8] {
        &self.root
    }

    /// The certificate of an agency's key, in DER.
    pub(crate) fn certify(&self, agency: &str, did: &str, key: &PublicKey, now: Timestamp) -> Result<Vec<u8>> {
        anyhow::ensure!(
            agency.chars().count() <= MAX_COMMON_NAME,
            "expected an agency's name of at most {MAX_COMMON_NAME} characters, as certificates have them, found {agency:?}"
        );
        let mut new = Self::certificate(name(agency), key, &self.key, Role::DocumentSigner, now);
        new.subject_uri = Some(did);
        Ok(self.key.fulfil(new.issue(&mut signer::os_rng()))?)
    }

    fn certificate<'a>(
        subject: Name<'a>,
        key: &'a PublicKey,
        issuer: &'a SoftwareKey,
        role: Role,
        now: Timestamp,
    ) -> NewCertificate<'a> {
        let days = match role {
            Role::Iaca => ROOT_DAYS,
            Role::DocumentSigner => DOCUMENT_SIGNER_DAYS,
        };
        let valid_from = now.minus(BEFORE);
        NewCertificate {
            subject,
            key,
            issuer: name(COMMON_NAME),
            issuer_key: issuer.public_key(),
            role,
            valid_from,
            valid_until: valid_from.plus(days * DAY),
            issuer_url: URL,
            revocation_list_url: REVOCATION_LIST,
            subject_uri: None,
        }
    }
}

const fn name(common_name: &str) -> Name<'_> {
    Name {
        country: COUNTRY,
        common_name,
    }
}
