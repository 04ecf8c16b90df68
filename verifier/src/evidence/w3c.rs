//! W3C credentials, as JWTs and with Data Integrity proofs
//! ([OpenID4VP](https://openid.net/specs/openid-4-verifiable-presentations-1_0.html#name-w3c-verifiable-credentials)).
//!
//! With holder binding a presentation comes, whose signer is the subject of each credential in it; without, the
//! bare credential. What the query says decides which of the two is read, never what came.

use credential::Authentic;
use credential::HolderBinding;
use credential::LdpVc;
use credential::Unverified;
use credential::VcJwt;
use credential::data_integrity;
use credential::data_integrity::LdpVpError;
use credential::data_integrity::ProofKeys;
use credential::evidence::Credential;
use credential::evidence::Presenter;
use credential::vc_jwt;
use did::Purpose;
use jsonld::ContextLoader;
use openid4vc::dcql::CredentialQuery;
use serde_json::Map;
use serde_json::Value;
use trust::TrustedBundle;

use super::Judge;
use super::Judged;
use super::text;
use crate::Reason;
use crate::authority;
use crate::contexts;
use crate::contexts::Contexts;

impl Judge<'_> {
    pub(super) fn jwt_vc_json(&self, asked: &CredentialQuery, presentation: &Value) -> Result<Vec<Judged>, Reason> {
        let text = text(presentation)?;
        if !asked.require_cryptographic_holder_binding {
            let credential = Unverified::<VcJwt>::parse(text)?;
            return Ok(vec![self.vc_jwt(asked, credential, None)?]);
        }
        let unverified = vc_jwt::UnverifiedPresentation::parse(text)?;
        let holder = unverified.holder().to_owned();
        let key = authority::holder_key(&self.bundles, &holder, &unverified.verification_method()?)?;
        let received = unverified.authenticate(&key, &holder, &self.transaction)?;
        check_count(asked, received.credentials.len())?;
        let presenter = Some(&received.presenter);
        let credentials = received.credentials.into_iter();
        credentials
            .map(|credential| {
                // A query names one format. The other mechanisms of VC-JOSE-COSE have no identifier in OpenID4VP.
                let credential = credential.into_jwt().ok_or(Reason::Form {
                    expected: "credentials as vc+jwt",
                })?;
                self.vc_jwt(asked, credential, presenter)
            })
            .collect()
    }

    fn vc_jwt(
        &self,
        asked: &CredentialQuery,
        unverified: Unverified<VcJwt>,
        presenter: Option<&Presenter>,
    ) -> Result<Judged, Reason> {
        let issuer = unverified.issuer().to_owned();
        let method = unverified.verification_method()?;
        let (bundle, key) = authority::key(&self.bundles, &issuer, &method, Purpose::AssertionMethod)?;
        let authentic = unverified.authenticate(&key, &issuer, self.now)?;
        let urls = authentic.contexts().ok_or(Reason::Form {
            expected: "contexts as URLs",
        })?;
        let mut contexts = Contexts::default();
        contexts.add(bundle, urls.iter().copied())?;
        let loader = contexts.loader()?;
        let types = contexts::types(bundle, authentic.facts(), urls.into_iter(), &loader)?;
        self.check_schemas(bundle, &authentic, authentic.schemas())?;
        let holder_binding = bind(&authentic, presenter)?;
        self.finish(asked, authentic, types, holder_binding, bundle)
    }

    pub(super) fn ldp_vc(&self, asked: &CredentialQuery, presentation: &Value) -> Result<Vec<Judged>, Reason> {
        let object = presentation.as_object().ok_or(Reason::Form {
            expected: "a JSON object with a proof",
        })?;
        if !asked.require_cryptographic_holder_binding {
            return Ok(vec![self.bare_ldp_vc(asked, object)?]);
        }
        let unverified = data_integrity::UnverifiedPresentation::from_object(object)?;
        let issuers = self.issuers(unverified.credentials())?;
        let loader = loader(unverified.credentials(), &issuers)?;
        let holder = unverified.holder().to_owned();
        let key = authority::holder_key(&self.bundles, &holder, unverified.verification_method())?;
        let received = unverified.authenticate(&key, &holder, &self.transaction, &loader)?;
        check_count(asked, received.credentials.len())?;
        let presenter = Some(&received.presenter);
        let credentials = received.credentials.into_iter().zip(issuers);
        credentials
            .map(|(credential, issuer)| self.ldp(asked, credential, issuer, presenter, &loader))
            .collect()
    }

    fn bare_ldp_vc(&self, asked: &CredentialQuery, object: &Map<String, Value>) -> Result<Judged, Reason> {
        let credential = [Unverified::<LdpVc>::from_object(object)?];
        let issuers = self.issuers(&credential)?;
        let loader = loader(&credential, &issuers)?;
        let [credential] = credential;
        let issuer = issuers.into_iter().next().ok_or(Reason::NoBundle)?;
        self.ldp(asked, credential, issuer, None, &loader)
    }

    fn ldp(
        &self,
        asked: &CredentialQuery,
        unverified: Unverified<LdpVc>,
        (bundle, keys): (&TrustedBundle, ProofKeys),
        presenter: Option<&Presenter>,
        loader: &ContextLoader,
    ) -> Result<Judged, Reason> {
        let issuer = unverified.issuer().to_owned();
        let authentic = unverified.authenticate_set(&keys, &issuer, loader, self.now)?;
        if presenter.is_none() {
            self.check_presentation_header(&authentic)?;
        }
        let types = contexts::types(bundle, authentic.facts(), authentic.contexts(), loader)?;
        self.check_schemas(bundle, &authentic, authentic.schemas())?;
        let holder_binding = bind(&authentic, presenter)?;
        self.finish(asked, authentic, types, holder_binding, bundle)
    }

    /// What was derived for another transaction is a replay, even where nobody has to be its holder. An empty header
    /// says that it was derived for none.
    fn check_presentation_header(&self, authentic: &Authentic<LdpVc>) -> Result<(), Reason> {
        let header = authentic.presentation_header().unwrap_or_default();
        if header.is_empty() || header == self.transaction.nonce.as_bytes() {
            return Ok(());
        }
        Err(LdpVpError::WrongChallenge.into())
    }

    /// The bundle of each credential's issuer, with the keys of its proofs.
    fn issuers(&self, credentials: &[Unverified<LdpVc>]) -> Result<Vec<(&TrustedBundle, ProofKeys)>, Reason> {
        credentials.iter().map(|credential| self.issuer(credential)).collect()
    }

    pub(crate) fn issuer(&self, credential: &Unverified<LdpVc>) -> Result<(&TrustedBundle, ProofKeys), Reason> {
        let issuer = credential.issuer();
        let key = |method: &str| authority::key(&self.bundles, issuer, method, Purpose::AssertionMethod);
        let (bundle, main) = key(credential.verification_method())?;
        let mut keys = ProofKeys::new().with(credential.verification_method(), main);
        for method in credential.issuer_methods().skip(1) {
            let (_, further) = key(method)?;
            keys = keys.with(method, further);
        }
        Ok((bundle, keys))
    }
}

/// One loader for the presentation and everything in it: its proof covers the meaning of all of it.
fn loader(
    credentials: &[Unverified<LdpVc>],
    issuers: &[(&TrustedBundle, ProofKeys)],
) -> Result<std::sync::Arc<ContextLoader>, Reason> {
    let mut contexts = Contexts::default();
    for (credential, (bundle, _)) in credentials.iter().zip(issuers) {
        contexts.add(bundle, credential.contexts())?;
    }
    contexts.loader()
}

/// `presenter` is there where holder binding was asked for.
fn bind<T: Credential>(authentic: &Authentic<T>, presenter: Option<&Presenter>) -> Result<HolderBinding, Reason> {
    match presenter {
        Some(presenter) => Ok(authentic.verify_presenter(presenter)?),
        None => Ok(authentic.waive_holder_binding()),
    }
}

/// A presentation answers with one credential, or with several where several may come.
fn check_count(asked: &CredentialQuery, found: usize) -> Result<(), Reason> {
    let fits = if asked.multiple { found > 0 } else { found == 1 };
    if fits {
        return Ok(());
    }
    Err(Reason::Form {
        expected: "one credential in the presentation",
    })
}
