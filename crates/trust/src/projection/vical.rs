//! The Verified Issuer Certificate Authority List of ISO/IEC 18013-5:2021, annex C: which issuing authorities (IACA) a
//! reader of mdocs may believe, for which document types.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use keys::Timestamp;
use keys::cbor::Value;
use keys::x509::Certificate;

use super::LIFETIME;
use super::View;
use crate::entry::Action;

/// Clause C.1.7.1.
const VERSION: &str = "1.0";

/// Tag of an unsigned bignum, and of a date and time as text: [RFC 8949 section 3.4](https://www.rfc-editor.org/rfc/rfc8949.html#section-3.4).
const BIGNUM: u64 = 2;
const DATE_TIME: u64 = 0;

/// The payload of the signed list:
///
/// ```cddl
/// vical = {
///   "version": "1.0", "vicalProvider": tstr, "date": tdate, "vicalIssueID": uint, "nextUpdate": tdate,
///   "certificateInfos": [* certificate-info]   ; ascending by certificate
/// }
/// certificate-info = {
///   "certificate": bstr, "serialNumber": biguint, "ski": bstr, "docType": [+ tstr],
///   ? "issuingAuthority": tstr, ? "issuingCountry": tstr, ? "stateOrProvinceName": tstr,
///   "issuer": bstr, "subject": bstr, "notBefore": tdate, "notAfter": tdate
/// }
/// ```
pub(super) fn project(view: &View<'_>) -> Vec<u8> {
    let infos = document_types(view).into_iter();
    let infos = infos.filter_map(|(der, types)| certificate_info(der, &types));
    let provider = view.publication.particulars.names.first();
    let vical = vec![
        member("version", Value::text(VERSION)),
        member(
            "vicalProvider",
            Value::text(provider.map_or("", |name| name.text.as_str())),
        ),
        member("date", date(view.issue.time)),
        member("vicalIssueID", Value::Unsigned(view.issue.number)),
        member("nextUpdate", date(view.issue.time.plus(LIFETIME))),
        member("certificateInfos", Value::Array(infos.collect())),
    ];
    Value::Map(vical).to_vec()
}

/// What may be issued under each certificate: a nation's agencies may have one authority in common. A certificate counts
/// for what is granted with it, so that whoever may grant one type vouches for no signer of another.
fn document_types<'s>(view: &View<'s>) -> BTreeMap<&'s [u8], BTreeSet<&'s str>> {
    let mut types: BTreeMap<&[u8], BTreeSet<&str>> = BTreeMap::new();
    for entity in &view.entities {
        let issues = entity
            .services
            .iter()
            .filter(|service| service.record.grant().action == Action::Issue);
        for service in issues {
            if let Some(doctype) = service.schema.and_then(|schema| schema.doctype.as_deref()) {
                for certificate in service.certificates() {
                    types.entry(certificate).or_default().insert(doctype);
                }
            }
        }
    }
    types
}

/// `None` for a certificate without an identifier of its key, which the list demands and every IACA has.
fn certificate_info(der: &[u8], types: &BTreeSet<&str>) -> Option<Value> {
    let certificate = Certificate::from_der(der).ok()?;
    let serial = Value::bytes(certificate.serial_number());
    let types = types.iter().map(|doctype| Value::text(*doctype));
    let mut info = vec![
        member("certificate", Value::bytes(der)),
        member("serialNumber", Value::Tag(BIGNUM, Box::new(serial))),
        member("ski", Value::bytes(certificate.subject_key_id()?)),
        member("docType", Value::Array(types.collect())),
        member("issuer", Value::bytes(certificate.issuer())),
        member("subject", Value::bytes(certificate.subject())),
        member("notBefore", date(certificate.valid_from())),
        member("notAfter", date(certificate.valid_until())),
    ];
    let named = [
        ("issuingAuthority", certificate.common_name()),
        ("issuingCountry", certificate.country()),
        ("stateOrProvinceName", certificate.state_or_province()),
    ];
    let named = named.into_iter();
    info.extend(named.filter_map(|(name, text)| Some(member(name, Value::text(text?)))));
    Some(Value::Map(info))
}

fn member(name: &str, value: Value) -> (Value, Value) {
    (Value::text(name), value)
}

fn date(time: Timestamp) -> Value {
    Value::Tag(DATE_TIME, Box::new(Value::text(time.to_rfc3339())))
}
