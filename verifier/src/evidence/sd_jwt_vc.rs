//! SD-JWT VC ([OpenID4VP](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#name-ietf-sd-jwt-vc)).
//!
//! How an issuer's key is found depends on `iss` and on what the verifier chose, so that nobody who writes a credential
//! can choose the weaker way ([ecosystem rules](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-ecosystem-specific-public-k)):
//! a DID has its keys in the registry, an issuer whose metadata the verifier has at hand has them there, and everybody
//! else shows certificates.

use credential::Authentic;
use credential::HolderBinding;
use credential::SdJwtVc;
use credential::Unverified;
use credential::mdoc::anchor_name;
use credential::sd_jwt_vc::issuer_metadata::KeySet;
use did::Purpose;
use keys::x509;
use keys::x509::verify_path;
use openid4vc::dcql::CredentialQuery;
use serde_json::Value;

use super::Judge;
use super::Judged;
use super::text;
use crate::Reason;
use crate::authority;

impl Judge<'_> {
    pub(super) fn sd_jwt_vc(&self, asked: &CredentialQuery, presentation: &Value) -> Result<Judged, Reason> {
        let unverified = Unverified::<SdJwtVc>::parse(text(presentation)?)?;
        let issuer = unverified.stated_issuer()?.map(str::to_owned);
        match issuer {
            Some(did) if did.starts_with("did:") => self.by_did(asked, unverified, &did),
            Some(issuer) if let Some(keys) = self.trust_anchors.key_set(&issuer) => {
                self.by_metadata(asked, unverified, &issuer, keys)
            }
            issuer => self.by_certificate(asked, unverified, issuer),
        }
    }

    fn by_did(&self, asked: &CredentialQuery, unverified: Unverified<SdJwtVc>, did: &str) -> Result<Judged, Reason> {
        let method = unverified.verification_method()?;
        let (bundle, key) = authority::key(&self.bundles, did, &method, Purpose::AssertionMethod)?;
        let authentic = unverified.authenticate(&key, did, self.now)?;
        let holder_binding = self.bind(asked, &authentic)?;
        let types = authentic.facts().types().to_vec();
        self.finish(asked, authentic, types, holder_binding, bundle)
    }

    fn by_metadata(
        &self,
        asked: &CredentialQuery,
        unverified: Unverified<SdJwtVc>,
        issuer: &str,
        keys: &KeySet,
    ) -> Result<Judged, Reason> {
        let key = keys.choose(unverified.key_id(), unverified.algorithm())?;
        let authentic = unverified.authenticate(&key, issuer, self.now)?;
        let holder_binding = self.bind(asked, &authentic)?;
        self.finish_chosen(asked, authentic, holder_binding, issuer)
    }

    fn by_certificate(
        &self,
        asked: &CredentialQuery,
        unverified: Unverified<SdJwtVc>,
        issuer: Option<String>,
    ) -> Result<Judged, Reason> {
        let chain = unverified.certificates()?.ok_or_else(|| Reason::IssuerUnknown {
            issuer: issuer.unwrap_or_else(|| "without a name".to_owned()),
        })?;
        let anchors = self.trust_anchors.certificates();
        let path = verify_path(&chain, anchors, x509::Purpose::SdJwtVcIssuer, self.now)?;
        let authentic = unverified.authenticate_path(&path, self.now)?;
        let holder_binding = self.bind(asked, &authentic)?;
        self.finish_chosen(asked, authentic, holder_binding, &anchor_name(path.anchor()))
    }

    fn bind(&self, asked: &CredentialQuery, authentic: &Authentic<SdJwtVc>) -> Result<HolderBinding, Reason> {
        if asked.require_cryptographic_holder_binding {
            Ok(authentic.verify_key_binding(&self.transaction)?)
        } else {
            Ok(authentic.waive_holder_binding())
        }
    }
}
