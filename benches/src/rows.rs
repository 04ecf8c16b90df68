//! The rows of the table: work, and the same signatures alone.

use credential::data_integrity::Cryptosuite;

use crate::bbs_2023::Unlinkable;
use crate::mdoc;
use crate::registry::Verdict;
use crate::sd_jwt_vc::Presented;
use crate::selective::Shown;
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

/// Every row, with its credentials made. The bounds are those that the project has set itself.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row = |name, bound, whole: Box<dyn Fn()>, raw: Box<dyn Fn()>| {
        rows.push(Row {
            name,
            bound,
            whole,
            raw,
        });
    };
    for (name, disclosed, bound) in [
        ("SD-JWT VC ES256 with key binding, 3 of 10 claims", 3, 1.5),
        ("SD-JWT VC ES256 with key binding, 10 of 10 claims", 10, 1.15),
    ] {
        let [whole, raw] = [(); 2].map(|()| Presented::new(disclosed));
        row(
            name,
            Some(bound),
            Box::new(move || whole.verify()),
            Box::new(move || raw.raw()),
        );
    }
    let [whole, raw] = [(); 2].map(|()| Verdict::new(3));
    row(
        "the verdict over it with a trust bundle, 3 of 10 claims",
        Some(1.5),
        Box::new(move || whole.verify()),
        Box::new(move || raw.raw()),
    );
    let [whole, raw] = [(); 2].map(|()| mdoc::Presented::new());
    row(
        "mdoc ES256 with device signature, 10 elements",
        Some(1.3),
        Box::new(move || whole.verify()),
        Box::new(move || raw.raw()),
    );
    let [whole, raw] = [(); 2].map(|()| Jwts::new());
    row(
        "vc+jwt EdDSA",
        Some(1.15),
        Box::new(move || whole.verify_credential()),
        Box::new(move || raw.raw_credential()),
    );
    let [whole, raw] = [(); 2].map(|()| Jwts::new());
    row(
        "vp+jwt EdDSA with one vc+jwt",
        None,
        Box::new(move || whole.verify_presentation()),
        Box::new(move || raw.raw_presentation()),
    );
    let [whole, raw] = [(); 2].map(|()| ManyJwts::new(1_000));
    row(
        "1,000 vc+jwt EdDSA of one issuer at once",
        Some(0.6),
        Box::new(move || whole.verify()),
        Box::new(move || raw.raw()),
    );
    for (name, suite, bound) in [
        ("eddsa-jcs-2022, 10 claims", Cryptosuite::EddsaJcs2022, None),
        ("eddsa-rdfc-2022, 10 claims", Cryptosuite::EddsaRdfc2022, Some(2.5)),
    ] {
        let [whole, raw] = [(); 2].map(|()| Proven::new(suite));
        row(
            name,
            bound,
            Box::new(move || whole.verify()),
            Box::new(move || raw.raw()),
        );
    }
    for (name, claims) in [
        ("ecdsa-sd-2023 derived proof, 3 of 10 claims", 3),
        ("ecdsa-sd-2023 derived proof, 10 of 10 claims", 10),
    ] {
        let [whole, raw] = [(); 2].map(|()| Shown::new(claims));
        row(
            name,
            Some(1.5),
            Box::new(move || whole.verify()),
            Box::new(move || raw.raw()),
        );
    }
    let works: [(_, _, fn(&Unlinkable), fn(&Unlinkable)); 3] = [
        (
            "bbs-2023 issuing, 10 claims",
            Some(1.5),
            Unlinkable::issue,
            Unlinkable::raw_issue,
        ),
        (
            "bbs-2023 deriving and checking, 3 of 10 claims",
            None,
            Unlinkable::derive,
            Unlinkable::raw_derive,
        ),
        (
            "bbs-2023 derived proof, 3 of 10 claims",
            None,
            Unlinkable::verify,
            Unlinkable::raw_verify,
        ),
    ];
    for (name, bound, whole, raw) in works {
        let [of_whole, of_raw] = [(); 2].map(|()| Unlinkable::new());
        row(
            name,
            bound,
            Box::new(move || whole(&of_whole)),
            Box::new(move || raw(&of_raw)),
        );
    }
    let [whole, raw] = [(); 2].map(|()| Proven::new(Cryptosuite::EddsaRdfc2022));
    row(
        "eddsa-rdfc-2022, issuing 10 claims",
        Some(3.0),
        Box::new(move || whole.issue()),
        Box::new(move || raw.raw_issue()),
    );
    rows
}
