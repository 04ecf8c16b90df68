//! SD-JWT VC ([OpenID4VP](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#name-ietf-sd-jwt-vc)).

use credential::SdJwtVc;
use credential::Unverified;
use did::Purpose;
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
        let issuer = unverified.issuer()?.to_owned();
        let method = unverified.verification_method()?;
        let (bundle, key) = authority::key(self.bundles, &issuer, &method, Purpose::AssertionMethod)?;
        let authentic = unverified.authenticate(&key, &issuer, self.now)?;
        let holder_binding = if asked.require_cryptographic_holder_binding {
            authentic.verify_key_binding(&self.transaction)?
        } else {
            authentic.waive_holder_binding()
        };
        let types = authentic.facts().types().to_vec();
        self.finish(asked, authentic, types, holder_binding, bundle)
    }
}
