//! Names, addresses and certificates in plain words: all of them, for they are approved.

use trust::entry::Listing;
use trust::entry::Localised;
use trust::entry::Particulars;
use trust::entry::PostalAddress;
use trust::entry::Publication;
use trust::merkle::Hash;

/// How lists of trust show an entity.
pub(super) fn listed(listing: &Listing) -> String {
    let digests = listing.certificates.iter().map(|der| Hash::digest(der).to_string());
    let digests: Vec<String> = digests.collect();
    let certificates = if digests.is_empty() {
        String::new()
    } else {
        format!(
            ", with the certificates of issuing authorities of SHA-256 {}",
            digests.join(", ")
        )
    };
    let federation = listing.federation_entity.as_deref();
    let federation = federation.map(|entity| format!(", in OpenID Federation as {entity}"));
    format!(
        "listed as {}{certificates}{}",
        particulars(&listing.particulars),
        federation.unwrap_or_default()
    )
}

/// Under whose name the registry is shown, where, and with which key.
pub(super) fn published(publication: &Publication) -> String {
    format!(
        "{}, for the territory {}, below {}, signed with the key of the certificate of SHA-256 {}, under the notice {}",
        particulars(&publication.particulars),
        publication.territory,
        publication.url,
        Hash::digest(&publication.certificate),
        texts(&publication.notices)
    )
}

fn particulars(particulars: &Particulars) -> String {
    let trading = if particulars.trade_names.is_empty() {
        String::new()
    } else {
        format!(" (also {})", texts(&particulars.trade_names))
    };
    let postal: Vec<String> = particulars.postal_addresses.iter().map(address).collect();
    format!(
        "{}{trading}, of {}, reached at {}, described at {}",
        texts(&particulars.names),
        postal.join(", "),
        texts(&particulars.electronic_addresses),
        texts(&particulars.information)
    )
}

fn texts(items: &[Localised]) -> String {
    let text = |item: &Localised| format!("{:?} ({})", item.text, item.language);
    let texts: Vec<String> = items.iter().map(text).collect();
    texts.join(", ")
}

fn address(address: &PostalAddress) -> String {
    let parts = [
        Some(&address.street),
        Some(&address.postal_code),
        Some(&address.locality),
        address.province.as_ref(),
        Some(&address.country),
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    format!("{:?} ({})", parts.join(", "), address.language)
}
