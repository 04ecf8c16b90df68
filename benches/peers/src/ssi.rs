//! ssi: SD-JWT, `vc+jwt` and Data Integrity. Contexts and keys lie in memory.

use std::collections::HashMap;
use std::rc::Rc;

use chrono::DateTime;
use chrono::Utc;
use pollster::block_on;
use serde_json::Value;
use serde_json::json;
use ssi_claims::JWTClaims;
use ssi_claims::JwsPayload;
use ssi_claims::JwsSlice;
use ssi_claims::SignatureEnvironment;
use ssi_claims::VerificationParameters;
use ssi_claims::data_integrity::AnyDataIntegrity;
use ssi_claims::data_integrity::AnySelectionOptions;
use ssi_claims::data_integrity::AnySignatureOptions;
use ssi_claims::data_integrity::AnySuite;
use ssi_claims::data_integrity::CryptographicSuite as _;
use ssi_claims::data_integrity::ProofOptions;
use ssi_claims::sd_jwt::ConcealJwtClaims as _;
use ssi_claims::sd_jwt::SdAlg;
use ssi_claims::sd_jwt::SdJwt;
use ssi_claims::vc::v2::JsonCredential;
use ssi_claims::vc_jose_cose::JoseVc;
use ssi_core::JsonPointerBuf;
use ssi_json_ld::ContextLoader;
use ssi_jwk::JWK;
use ssi_verification_methods::AnyMethod;
use ssi_verification_methods::ReferenceOrOwned;
use ssi_verification_methods::SingleSecretSigner;

use crate::Outcome;
use crate::Work;
use crate::string;
use crate::verifying;

pub fn works(material: &Value) -> Vec<Work> {
    let now = string(material, "now").parse().expect("a time");
    let mut works = sd_jwt(&material["dc+sd-jwt"], now);
    works.extend(jwt(&material["vc+jwt"], now));
    let ids = |suite| match suite {
        AnySuite::EdDsaRdfc2022 => ["eddsa-rdfc-2022", "eddsa-rdfc-2022/verify", "eddsa-rdfc-2022/issue"],
        AnySuite::EcdsaRdfc2019 => ["ecdsa-rdfc-2019", "ecdsa-rdfc-2019/verify", "ecdsa-rdfc-2019/issue"],
        AnySuite::EcdsaSd2023 => ["ecdsa-sd-2023", "ecdsa-sd-2023/verify", "ecdsa-sd-2023/issue"],
        _ => ["bbs-2023", "bbs-2023/verify", "bbs-2023/issue"],
    };
    for suite in [
        AnySuite::EdDsaRdfc2022,
        AnySuite::EcdsaRdfc2019,
        AnySuite::EcdsaSd2023,
        AnySuite::Bbs2023,
    ] {
        let [format, verify, issue] = ids(suite.clone());
        let proven = Rc::new(Proven::new(suite, &material[format], contexts(material), now));
        let verifier = proven.clone();
        // It refuses proofs of bbs-2023 over blank nodes, also its own: those of W3C, ours, and one of this credential,
        // which has no `id`. So it verifies its own of the same credential with an `id`.
        let shown = match format {
            "bbs-2023" => verifier.derived_with_id(&material[format]),
            _ => material[format].clone(),
        };
        works.push(verifying(verify, &shown, move |text| verifier.verify(text)));
        works.push((issue, Box::new(move || drop(proven.issue()))));
    }
    works
}

fn jwk(of: &Value) -> JWK {
    serde_json::from_value(of["jwk"].clone()).expect("a JWK")
}

fn sd_jwt(of: &Value, now: DateTime<Utc>) -> Vec<Work> {
    let (issuer, aud, nonce) = (jwk(&of["issuer"]), string(of, "aud"), string(of, "nonce"));
    let verify = {
        let issuer = issuer.to_public();
        move |text: &str| block_on(verify_sd_jwt(text, &issuer, [&aud, &nonce], now))
    };
    let (seconds, names) = (now.timestamp(), of["claims"].as_object().expect("claims"));
    let pointers: Vec<JsonPointerBuf> = names
        .keys()
        .map(|name| format!("/{name}").parse().expect("a pointer"))
        .collect();
    let mut claims = of["claims"].clone();
    claims["iss"] = of["iss"].clone();
    claims["vct"] = of["vct"].clone();
    claims["status"] = of["status"].clone();
    claims["iat"] = (seconds - 60).into();
    claims["exp"] = (seconds + 86_400).into();
    claims["cnf"] = json!({"jwk": jwk(&of["holder"]).to_public()});
    let claims: JWTClaims = serde_json::from_value(claims).expect("claims");
    let issue = move || {
        let _credential = block_on(claims.conceal_and_sign(SdAlg::Sha256, &pointers, &issuer)).expect("a credential");
    };
    vec![
        verifying("dc+sd-jwt/verify", of, verify),
        ("dc+sd-jwt/issue", Box::new(issue)),
    ]
}

async fn verify_sd_jwt(text: &str, issuer: &JWK, [aud, nonce]: [&str; 2], now: DateTime<Utc>) -> Outcome {
    let sd_jwt = SdJwt::new(text).map_err(|_| "no SD-JWT")?;
    let params = VerificationParameters::from_resolver(issuer).with_date_time(now);
    let (revealed, verification) = sd_jwt.decode_reveal_verify_any(&params).await?;
    verification?;
    let key_binding = sd_jwt.decode_kb()?.ok_or("no key binding")?;
    let payload = &key_binding.signing_bytes.payload;
    if payload.aud != aud || payload.nonce.0 != nonce || !payload.sd_hash.verify(revealed.sd_alg, sd_jwt) {
        return Err("bound to something else".into());
    }
    let holder = revealed.claims().private.get("cnf").ok_or("no holder")?;
    let holder: JWK = serde_json::from_value(holder["jwk"].clone())?;
    let params = VerificationParameters::from_resolver(&holder).with_date_time(now);
    key_binding.verify(&params).await??;
    Ok(())
}

fn jwt(of: &Value, now: DateTime<Utc>) -> Vec<Work> {
    let mut issuer = jwk(&of["issuer"]);
    issuer.key_id = Some(string(of, "method"));
    let public = issuer.to_public();
    let verify = move |text: &str| -> Outcome {
        let decoded = JoseVc::decode_any(JwsSlice::new(text.as_bytes()).map_err(|_| "no JWS")?)?;
        let params = VerificationParameters::from_resolver(&public).with_date_time(now);
        block_on(decoded.verify(&params))??;
        Ok(())
    };
    let document: JsonCredential = serde_json::from_value(of["document"].clone()).expect("a credential");
    let document = JoseVc(document);
    let issue = move || {
        let _credential = block_on(document.sign(&issuer)).expect("a credential");
    };
    vec![
        verifying("vc+jwt/verify", of, verify),
        ("vc+jwt/issue", Box::new(issue)),
    ]
}

/// The bundled contexts and ours.
fn contexts(material: &Value) -> ContextLoader {
    let ours = material["contexts"].as_object().expect("contexts");
    let ours = ours.iter().map(|(url, context)| (url.clone(), context.to_string()));
    ContextLoader::empty()
        .with_static_loader()
        .with_context_map_from(ours.collect())
        .expect("contexts")
}

/// A credential with an embedded proof.
#[derive(Clone)]
struct Proven {
    suite: AnySuite,
    document: JsonCredential,
    method: String,
    keys: HashMap<ssi_json_ld::iref::IriBuf, AnyMethod>,
    secret: JWK,
    mandatory: Vec<JsonPointerBuf>,
    contexts: ContextLoader,
    now: DateTime<Utc>,
}

impl Proven {
    fn new(suite: AnySuite, of: &Value, contexts: ContextLoader, now: DateTime<Utc>) -> Self {
        let method = string(of, "method");
        let key = json!({
            "id": method, "type": "Multikey", "controller": of["controller"],
            "publicKeyMultibase": of["issuer"]["multikey"],
        });
        let key: AnyMethod = serde_json::from_value(key).expect("a key");
        let mandatory = of["mandatory"].as_array().map_or(&[][..], Vec::as_slice).iter();
        let mandatory = mandatory.map(|pointer| pointer.as_str().expect("text").parse().expect("a pointer"));
        Self {
            document: serde_json::from_value(of["document"].clone()).expect("a credential"),
            keys: HashMap::from([(method.parse().expect("an IRI"), key)]),
            secret: match suite {
                // Its JWKs have both coordinates of the key, where ours have the compressed point.
                AnySuite::Bbs2023 => secret_of_bbs(of),
                _ => jwk(&of["issuer"]),
            },
            mandatory: mandatory.collect(),
            suite,
            method,
            contexts,
            now,
        }
    }

    fn verify(&self, text: &str) -> Outcome {
        let credential: AnyDataIntegrity<JsonCredential> = serde_json::from_str(text)?;
        let params = VerificationParameters::from_resolver(&self.keys)
            .with_date_time(self.now)
            .with_json_ld_loader(&self.contexts);
        block_on(credential.verify(&params))??;
        Ok(())
    }

    /// The text of a derived proof of the same credential with an `id`, and the same with another name in it.
    fn derived_with_id(&self, of: &Value) -> Value {
        let mut document = of["document"].clone();
        document["id"] = json!("https://issuer.example/credentials/1");
        let with_id = Self {
            document: serde_json::from_value(document).expect("a credential"),
            ..self.clone()
        };
        let base = with_id.issue();
        let params = VerificationParameters::from_resolver(&self.keys)
            .with_date_time(self.now)
            .with_json_ld_loader(&self.contexts);
        let mut options = AnySelectionOptions::default();
        let pointers = SHOWN.map(|name| format!("/credentialSubject/{name}"));
        let pointers = pointers.iter().map(|pointer| pointer.parse().expect("a pointer"));
        options.selective_pointers = pointers.collect();
        let derived = block_on(base.select(&params, options)).expect("a derived proof");
        let text = serde_json::to_string(&derived).expect("JSON");
        let tampered = text.replacen("Aroha", "Ahora", 1);
        assert_ne!(text, tampered, "the name is shown");
        json!({ "text": text, "tampered": tampered })
    }

    fn issue(&self) -> AnyDataIntegrity<JsonCredential> {
        let method = ReferenceOrOwned::Reference(self.method.parse().expect("an IRI"));
        let options: ProofOptions<AnyMethod, _> = ProofOptions::from_method_and_options(method, Default::default());
        let mut selective = AnySignatureOptions::default();
        selective.mandatory_pointers.clone_from(&self.mandatory);
        block_on(self.suite.sign_with(
            SignatureEnvironment {
                json_ld_loader: &self.contexts,
                eip712_loader: (),
            },
            self.document.clone(),
            &self.keys,
            SingleSecretSigner::new(self.secret.clone()).into_local(),
            options,
            selective,
        ))
        .expect("a credential")
    }
}

/// What is shown of the ten claims, as on our side.
const SHOWN: [&str; 3] = ["given_name", "family_name", "age_over_18"];

fn secret_of_bbs(of: &Value) -> JWK {
    use base64::Engine as _;
    let secret = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(string(&of["issuer"]["jwk"], "d"));
    ssi_bbs::BBSplusSecretKey::from_bytes(&secret.expect("base64url"))
        .expect("a key")
        .into()
}
