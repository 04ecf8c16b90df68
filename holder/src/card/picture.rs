//! Pictures in claims and metadata: recognized by their first bytes, never by what they say they are, and bounded
//! before anybody decodes them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use keys::base64url;

/// Bytes of one picture. A portrait of an identity document has some 30 kB, one in print quality 500 kB.
pub const MAX_PICTURE_BYTES: usize = 1024 * 1024;

/// Pixels on a side: a decoder gets room for 16 million pixels at most.
pub const MAX_PICTURE_SIDE: u32 = 4_096;

/// A raster picture that can be shown: a PNG or JPEG within the limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    kind: Kind,
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Jpeg,
    Png,
}

impl Picture {
    /// Reads the picture of a `data:` URL ([RFC 2397](https://www.rfc-editor.org/rfc/rfc2397)); `None` for what is no
    /// picture that we show.
    #[must_use]
    pub fn from_data_url(url: &str) -> Option<Self> {
        Self::from_bytes(data_url(url, MAX_PICTURE_BYTES)?)
    }

    /// Reads the picture of a byte string that JSON shows in base64url, as the portrait of an mdoc.
    pub(crate) fn from_base64url(text: &str) -> Option<Self> {
        // The first bytes of JPEG and PNG; most text is not even looked at.
        if !text.starts_with("_9j_") && !text.starts_with("iVBORw0KGg") {
            return None;
        }
        if text.len() > MAX_PICTURE_BYTES / 3 * 4 {
            return None;
        }
        Self::from_bytes(base64url::decode(text).ok()?)
    }

    fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        if bytes.len() > MAX_PICTURE_BYTES {
            return None;
        }
        let (kind, (width, height)) = match png_size(&bytes) {
            Some(size) => (Kind::Png, size),
            None => (Kind::Jpeg, jpeg_size(&bytes)?),
        };
        let fits = |side| (1..=MAX_PICTURE_SIDE).contains(&side);
        (fits(width) && fits(height)).then_some(Self {
            kind,
            width,
            height,
            bytes,
        })
    }

    /// Pixels in a row.
    #[must_use]
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// `JPEG` or `PNG`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.kind {
            Kind::Jpeg => "JPEG",
            Kind::Png => "PNG",
        }
    }

    /// Written anew, with the media type that the bytes are of.
    #[must_use]
    pub fn to_data_url(&self) -> String {
        let media_type = match self.kind {
            Kind::Jpeg => "image/jpeg",
            Kind::Png => "image/png",
        };
        format!("data:{media_type};base64,{}", STANDARD.encode(&self.bytes))
    }
}

/// Whether a text is meant as a picture, shown or not.
pub(crate) fn is_picture_url(text: &str) -> bool {
    text.get(..11)
        .is_some_and(|start| start.eq_ignore_ascii_case("data:image/"))
}

/// The bytes of a `data:` URL, in base64 or with percent signs, if they are at most `max`.
pub(crate) fn data_url(url: &str, max: usize) -> Option<Vec<u8>> {
    let scheme = url.get(..5)?;
    let (kind, data) = url.get(5..)?.split_once(',')?;
    if !scheme.eq_ignore_ascii_case("data:") || data.len() > max.saturating_mul(3) {
        return None;
    }
    let bytes = match kind.rsplit_once(';') {
        Some((_, "base64")) => STANDARD.decode(data).ok()?,
        _ => percent_decode(data)?,
    };
    (bytes.len() <= max).then_some(bytes)
}

fn percent_decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(if byte == b'%' {
            let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
            let (high, low) = (digit()?, digit()?);
            u8::try_from(high * 16 + low).ok()?
        } else {
            byte
        });
    }
    Some(bytes)
}

/// Width and height of a PNG, from its first chunk ([`IHDR`](https://www.w3.org/TR/png-3/#11IHDR)).
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?.strip_prefix(&[0, 0, 0, 13])?;
    let header = header.strip_prefix(b"IHDR")?;
    let (width, rest) = header.split_first_chunk()?;
    let (height, _) = rest.split_first_chunk()?;
    Some((u32::from_be_bytes(*width), u32::from_be_bytes(*height)))
}

/// Width and height of a JPEG, from its frame header (ISO/IEC 10918-1, B.2.2).
fn jpeg_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut rest = bytes.strip_prefix(&[0xFF, 0xD8])?;
    loop {
        let (&[mark, code], after) = rest.split_first_chunk()?;
        if mark != 0xFF {
            return None;
        }
        match code {
            // Fill bytes before a marker.
            0xFF => rest = rest.get(1..)?,
            // Start of a frame; DHT, JPG and DAC have codes in between.
            0xC0..=0xCF if !matches!(code, 0xC4 | 0xC8 | 0xCC) => {
                let (&[_, _, _, h1, h2, w1, w2], _) = after.split_first_chunk()?;
                let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
                return Some((side(w1, w2), side(h1, h2)));
            }
            // Start of a scan, or the end, before any frame.
            0xDA | 0xD9 => return None,
            _ => {
                let (length, _) = after.split_first_chunk()?;
                let length = usize::from(u16::from_be_bytes(*length));
                rest = after.get(length.max(2)..)?;
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The first bytes of a PNG; enough to be told, not to be decoded.
    pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([8, 6, 0, 0, 0]);
        bytes
    }

    pub(crate) fn png_url(width: u32, height: u32) -> String {
        format!("data:image/png;base64,{}", STANDARD.encode(png(width, height)))
    }

    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xFF, 0xC2, 0, 17, 8];
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.push(3);
        bytes
    }

    fn size(bytes: Vec<u8>) -> Option<(&'static str, u32, u32)> {
        Picture::from_bytes(bytes).map(|picture| (picture.kind(), picture.width(), picture.height()))
    }

    #[test]
    fn a_picture_is_what_its_bytes_are() {
        assert_eq!(size(png(3, 4)), Some(("PNG", 3, 4)));
        assert_eq!(size(jpeg(72, 88)), Some(("JPEG", 72, 88)));
        let url = format!("data:image/svg+xml;base64,{}", STANDARD.encode(png(3, 4)));
        let picture = Picture::from_data_url(&url).unwrap();
        assert!(picture.to_data_url().starts_with("data:image/png;base64,"));
        assert_eq!(Picture::from_data_url(&picture.to_data_url()), Some(picture));
        let text = base64url::encode(jpeg(72, 88));
        assert_eq!(Picture::from_base64url(&text).map(|picture| picture.width()), Some(72));
    }

    #[test]
    fn what_is_no_picture_or_too_large_is_not_shown() {
        for bad in [
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
            b"GIF89a".to_vec(),
            Vec::new(),
            vec![0xFF, 0xD8],
            vec![0xFF, 0xD8, 0xFF, 0xDA, 0, 2],
            vec![0xFF, 0xD8, 0, 0],
            png(0, 1),
            png(MAX_PICTURE_SIDE + 1, 1),
            png(1, u32::MAX),
            jpeg(0, 1),
            jpeg(u16::MAX, u16::MAX),
            [png(1, 1), vec![0; MAX_PICTURE_BYTES]].concat(),
        ] {
            assert_eq!(size(bad.clone()), None, "{:?}", bad.get(..16));
        }
        for bad in [
            "",
            "data:",
            "data:image/png;base64",
            "data:image/png;base64,%%",
            "https://a.example/a.png",
            "dätа:,",
        ] {
            assert_eq!(Picture::from_data_url(bad), None, "{bad}");
        }
    }

    #[test]
    fn both_forms_of_data_urls_are_read_within_their_limit() {
        assert_eq!(data_url("data:,a%20b", 3).as_deref(), Some("a b".as_bytes()));
        assert_eq!(
            data_url("DATA:text/plain;base64,YSBi", 3).as_deref(),
            Some("a b".as_bytes())
        );
        assert_eq!(data_url("data:,a%20bc", 3), None);
        for bad in ["data:,%2", "data:,%zz", "data:;base64,YSB", "data:text/plain"] {
            assert_eq!(data_url(bad, 100), None, "{bad}");
        }
    }
}
