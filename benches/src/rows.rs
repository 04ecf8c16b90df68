//! The rows of the table: work, and the same signatures alone.

use credential::data_integrity::Cryptosuite;

use crate::bbs_2023::Unlinkable;
use crate::mdoc;
use crate::registry::Verdict;
use crate::sd_jwt_vc::Presented;
use crate::selective::Shown;
use crate::w3c::Enveloped;
use crate::w3c::Jwts;
use crate::w3c::ManyJwts;
use crate::w3c::Proven;

/// One row.
pub struct Row {
    /// By what it is picked: the format, and `verify` or `issue`.
    pub id: &'static str,
    /// What is done.
    pub name: &'static str,
    /// How many times the raw cost it may take; `None` where nothing is promised.
    pub bound: Option<f64>,
    /// All of it.
    pub whole: Box<dyn Fn()>,
    /// The signature checks in it, or the signing, over the same bytes.
    pub raw: Box<dyn Fn()>,
}

impl Row {
    /// Each side has a value of its own, so that neither warms the other's memory.
    fn new<T: 'static>(
        id: &'static str,
        name: &'static str,
        bound: impl Into<Option<f64>>,
        make: impl Fn() -> T,
        whole: fn(&T),
        raw: fn(&T),
    ) -> Self {
        let [of_whole, of_raw] = [make(), make()];
        Self {
            id,
            name,
            bound: bound.into(),
            whole: Box::new(move || whole(&of_whole)),
            raw: Box::new(move || raw(&of_raw)),
        }
    }
}

/// Every row, with its credentials made. The bounds are those that the project has set itself.
pub fn rows() -> Vec<Row> {
    [sd_jwt(), mdoc(), jwt(), data_integrity(), selective(), bbs()]
        .into_iter()
        .flatten()
        .collect()
}

fn sd_jwt() -> Vec<Row> {
    use Presented as P;
    vec![
        Row::new(
            "dc+sd-jwt/verify-3",
            "SD-JWT VC ES256 with key binding, 3 of 10 claims",
            1.5,
            || P::new(3),
            P::verify,
            P::raw,
        ),
        Row::new(
            "dc+sd-jwt/verify",
            "SD-JWT VC ES256 with key binding, 10 of 10 claims",
            1.15,
            || P::new(10),
            P::verify,
            P::raw,
        ),
        Row::new(
            "dc+sd-jwt/verdict",
            "the verdict over it with a trust bundle, 3 of 10 claims",
            1.5,
            || Verdict::new(3),
            Verdict::verify,
            Verdict::raw,
        ),
        Row::new(
            "dc+sd-jwt/issue",
            "SD-JWT VC ES256, issuing 10 claims",
            1.5,
            || P::new(10),
            P::issue,
            P::raw_issue,
        ),
    ]
}

fn mdoc() -> Vec<Row> {
    use mdoc::Presented as P;
    vec![
        Row::new(
            "mso_mdoc/verify",
            "mdoc ES256 with device signature, 10 elements, signer's chain kept",
            1.3,
            P::new,
            P::verify,
            P::raw,
        ),
        Row::new(
            "mso_mdoc/issue",
            "mdoc ES256, issuing 10 elements",
            1.5,
            P::new,
            P::issue,
            P::raw_issue,
        ),
    ]
}

fn jwt() -> Vec<Row> {
    vec![
        Row::new(
            "ed25519/verify",
            "the Ed25519 signature of a vc+jwt, no more",
            None,
            Jwts::new,
            Jwts::verify_signature,
            Jwts::raw_credential,
        ),
        Row::new(
            "vc+jwt/verify",
            "vc+jwt EdDSA",
            1.15,
            Jwts::new,
            Jwts::verify_credential,
            Jwts::raw_credential,
        ),
        Row::new(
            "vp+jwt/verify",
            "vp+jwt EdDSA with one vc+jwt",
            None,
            Jwts::new,
            Jwts::verify_presentation,
            Jwts::raw_presentation,
        ),
        Row::new(
            "vc+sd-jwt/verify",
            "vc+sd-jwt EdDSA, 3 of 10 claims",
            None,
            Enveloped::sd_jwt,
            Enveloped::verify,
            Enveloped::raw,
        ),
        Row::new(
            "vc+cose/verify",
            "vc+cose EdDSA",
            None,
            Enveloped::cose,
            Enveloped::verify,
            Enveloped::raw,
        ),
        Row::new(
            "vc+jwt/verify-1000",
            "1,000 vc+jwt EdDSA of one issuer at once",
            0.6,
            || ManyJwts::new(1_000),
            ManyJwts::verify,
            ManyJwts::raw,
        ),
        Row::new(
            "vc+jwt/issue",
            "vc+jwt EdDSA, issuing",
            1.5,
            Jwts::new,
            Jwts::issue,
            Jwts::raw_issue,
        ),
    ]
}

fn data_integrity() -> Vec<Row> {
    let verify = |id, name, suite, bound: Option<f64>| {
        Row::new(id, name, bound, || Proven::new(suite), Proven::verify, Proven::raw)
    };
    let issue = |id, name, suite, bound: f64| {
        Row::new(id, name, bound, || Proven::new(suite), Proven::issue, Proven::raw_issue)
    };
    let (jcs, rdfc, ecdsa) = (
        Cryptosuite::EddsaJcs2022,
        Cryptosuite::EddsaRdfc2022,
        Cryptosuite::EcdsaRdfc2019,
    );
    vec![
        verify("eddsa-jcs-2022/verify", "eddsa-jcs-2022, 10 claims", jcs, None),
        verify("eddsa-rdfc-2022/verify", "eddsa-rdfc-2022, 10 claims", rdfc, Some(2.5)),
        verify(
            "ecdsa-rdfc-2019/verify",
            "ecdsa-rdfc-2019 P-256, 10 claims",
            ecdsa,
            None,
        ),
        issue("eddsa-jcs-2022/issue", "eddsa-jcs-2022, issuing 10 claims", jcs, 1.5),
        issue("eddsa-rdfc-2022/issue", "eddsa-rdfc-2022, issuing 10 claims", rdfc, 3.0),
        issue(
            "ecdsa-rdfc-2019/issue",
            "ecdsa-rdfc-2019 P-256, issuing 10 claims",
            ecdsa,
            3.0,
        ),
    ]
}

fn selective() -> Vec<Row> {
    vec![
        Row::new(
            "ecdsa-sd-2023/verify-3",
            "ecdsa-sd-2023 derived proof, 3 of 10 claims",
            1.5,
            || Shown::new(3),
            Shown::verify,
            Shown::raw,
        ),
        Row::new(
            "ecdsa-sd-2023/verify",
            "ecdsa-sd-2023 derived proof, 10 of 10 claims",
            1.5,
            || Shown::new(10),
            Shown::verify,
            Shown::raw,
        ),
        Row::new(
            "ecdsa-sd-2023/issue",
            "ecdsa-sd-2023, issuing 10 claims",
            1.5,
            || Shown::new(10),
            Shown::issue,
            Shown::raw_issue,
        ),
    ]
}

fn bbs() -> Vec<Row> {
    use Unlinkable as U;
    vec![
        Row::new(
            "bbs-2023/issue",
            "bbs-2023, issuing 10 claims",
            1.5,
            U::new,
            U::issue,
            U::raw_issue,
        ),
        Row::new(
            "bbs-2023/derive",
            "bbs-2023 deriving and checking, 3 of 10 claims",
            None,
            U::new,
            U::derive,
            U::raw_derive,
        ),
        Row::new(
            "bbs-2023/verify",
            "bbs-2023 derived proof, 3 of 10 claims",
            None,
            U::new,
            U::verify,
            U::raw_verify,
        ),
    ]
}
