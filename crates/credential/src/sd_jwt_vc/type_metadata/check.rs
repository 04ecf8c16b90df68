//! A credential against the metadata of its type
//! ([claim metadata](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-sd-jwt-vc#name-claim-metadata)).

use keys::json;
use keys::json::Tree;
use keys::jws::UnverifiedJws;
use thiserror::Error;

use super::ResolvedType;
use super::SelectiveDisclosure;
use crate::Authentic;
use crate::ClaimPath;
use crate::Facts;
use crate::Held;
use crate::SdJwtVc;
use crate::claim_path::PathMismatch;
use crate::sd_jwt;
use crate::sd_jwt::Disclosed;
use crate::sd_jwt::SdJwt;
use crate::sd_jwt::SdJwtError;

/// The issuer's fault: the credential is not as the metadata of its type says.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TypeMismatch {
    /// A claim whose `sd` is `never` has a disclosure of its own.
    #[error("expected the claims at {path} in the signed part, found one with a disclosure")]
    Disclosable {
        /// Which claims.
        path: ClaimPath,
    },
    /// A mandatory claim is not in the credential.
    #[error("expected a claim at {path}, which is mandatory, found none")]
    Mandatory {
        /// Which claims.
        path: ClaimPath,
    },
    /// A claim whose `sd` is `always` has no disclosure of its own.
    #[error("expected a disclosure for each claim at {path}, found a claim without")]
    NotDisclosable {
        /// Which claims.
        path: ClaimPath,
    },
    /// A path of the metadata does not fit the credential.
    #[error("the path {path} does not fit the credential")]
    Path {
        /// The path.
        path: ClaimPath,
        /// Where it does not fit.
        #[source]
        source: PathMismatch,
    },
    /// The credential is not read, which cannot be after it was authenticated.
    #[error("the SD-JWT is not read")]
    SdJwt(#[from] SdJwtError),
    /// Metadata of another type.
    #[error("expected the metadata of the credential's own type, found that of {found:?}")]
    WrongType {
        /// The type of the metadata.
        found: Option<String>,
    },
}

impl Authentic<SdJwtVc> {
    /// Compares the credential, as far as it was disclosed, with the metadata of its type.
    ///
    /// # Errors
    /// [`TypeMismatch`], after which the credential is refused.
    pub fn check_type_metadata(&self, metadata: &ResolvedType) -> Result<(), TypeMismatch> {
        check(&self.facts, &self.contents.sd_jwt, metadata, false)
    }
}

impl Held<SdJwtVc> {
    /// Compares the credential, of which everything is disclosed to its holder, with the metadata of its type.
    ///
    /// # Errors
    /// [`TypeMismatch`], after which the credential is refused.
    pub fn check_type_metadata(&self, metadata: &ResolvedType) -> Result<(), TypeMismatch> {
        check(&self.facts, &self.contents.sd_jwt, metadata, true)
    }
}

fn check(facts: &Facts, sd_jwt: &SdJwt, metadata: &ResolvedType, all_disclosed: bool) -> Result<(), TypeMismatch> {
    if facts.types().first() != metadata.types().first() {
        let found = metadata.types().first().cloned();
        return Err(TypeMismatch::WrongType { found });
    }
    let jws = UnverifiedJws::parse(sd_jwt.jwt(), sd_jwt::MAX_BYTES).map_err(SdJwtError::from)?;
    let payload = Tree::parse_object(jws.unverified_payload(), json::DEFAULT_LIMITS).map_err(SdJwtError::Payload)?;
    let disclosed = Disclosed::new(payload, sd_jwt.disclosures())?;
    for claim in metadata.claims() {
        let path = || claim.path.clone();
        let selected = disclosed.select_as_issued(&claim.path, all_disclosed);
        let selected = selected.map_err(|source| TypeMismatch::Path { path: path(), source })?;
        if claim.is_mandatory() && selected.disclosable.is_empty() && !selected.may_be_hidden {
            return Err(TypeMismatch::Mandatory { path: path() });
        }
        match claim.selective_disclosure() {
            SelectiveDisclosure::Always if selected.disclosable.contains(&false) => {
                return Err(TypeMismatch::NotDisclosable { path: path() });
            }
            SelectiveDisclosure::Never if selected.disclosable.contains(&true) => {
                return Err(TypeMismatch::Disclosable { path: path() });
            }
            SelectiveDisclosure::Always | SelectiveDisclosure::Allowed | SelectiveDisclosure::Never => {}
        }
    }
    Ok(())
}
