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
        name: &'static str,
        bound: impl Into<Option<f64>>,
        make: impl Fn() -> T,
        whole: fn(&T),
        raw: fn(&T),
    ) -> Self {
        let [of_whole, of_raw] = [make(), make()];
        Self {
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
    let row = |name, disclosed, bound| {
        let make = || Presented::new(disclosed);
        Row::new(name, bound, make, Presented::verify, Presented::raw)
    };
    vec![
        row("SD-JWT VC ES256 with key binding, 3 of 10 claims", 3, 1.5),
        row("SD-JWT VC ES256 with key binding, 10 of 10 claims", 10, 1.15),
        Row::new(
            "the verdict over it with a trust bundle, 3 of 10 claims",
            1.5,
            || Verdict::new(3),
            Verdict::verify,
            Verdict::raw,
        ),
    ]
}

fn mdoc() -> Vec<Row> {
    use mdoc::Presented;
    let name = "mdoc ES256 with device signature, 10 elements";
    vec![Row::new(name, 1.3, Presented::new, Presented::verify, Presented::raw)]
}

fn jwt() -> Vec<Row> {
    let (credential, presentation) = ("vc+jwt EdDSA", "vp+jwt EdDSA with one vc+jwt");
    vec![
        Row::new(
            credential,
            1.15,
            Jwts::new,
            Jwts::verify_credential,
            Jwts::raw_credential,
        ),
        Row::new(
            presentation,
            None,
            Jwts::new,
            Jwts::verify_presentation,
            Jwts::raw_presentation,
        ),
        Row::new(
            "vc+sd-jwt EdDSA, 3 of 10 claims",
            None,
            Enveloped::sd_jwt,
            Enveloped::verify,
            Enveloped::raw,
        ),
        Row::new(
            "vc+cose EdDSA",
            None,
            Enveloped::cose,
            Enveloped::verify,
            Enveloped::raw,
        ),
        Row::new(
            "1,000 vc+jwt EdDSA of one issuer at once",
            0.6,
            || ManyJwts::new(1_000),
            ManyJwts::verify,
            ManyJwts::raw,
        ),
    ]
}

fn data_integrity() -> Vec<Row> {
    let row = |name, suite, bound: Option<f64>| {
        let make = || Proven::new(suite);
        Row::new(name, bound, make, Proven::verify, Proven::raw)
    };
    vec![
        row("eddsa-jcs-2022, 10 claims", Cryptosuite::EddsaJcs2022, None),
        row("eddsa-rdfc-2022, 10 claims", Cryptosuite::EddsaRdfc2022, Some(2.5)),
        Row::new(
            "eddsa-rdfc-2022, issuing 10 claims",
            3.0,
            || Proven::new(Cryptosuite::EddsaRdfc2022),
            Proven::issue,
            Proven::raw_issue,
        ),
    ]
}

fn selective() -> Vec<Row> {
    let row = |name, claims| Row::new(name, 1.5, || Shown::new(claims), Shown::verify, Shown::raw);
    vec![
        row("ecdsa-sd-2023 derived proof, 3 of 10 claims", 3),
        row("ecdsa-sd-2023 derived proof, 10 of 10 claims", 10),
    ]
}

fn bbs() -> Vec<Row> {
    let (derive, verify) = (
        "bbs-2023 deriving and checking, 3 of 10 claims",
        "bbs-2023 derived proof, 3 of 10 claims",
    );
    vec![
        Row::new(
            "bbs-2023 issuing, 10 claims",
            1.5,
            Unlinkable::new,
            Unlinkable::issue,
            Unlinkable::raw_issue,
        ),
        Row::new(
            derive,
            None,
            Unlinkable::new,
            Unlinkable::derive,
            Unlinkable::raw_derive,
        ),
        Row::new(
            verify,
            None,
            Unlinkable::new,
            Unlinkable::verify,
            Unlinkable::raw_verify,
        ),
    ]
}
