//! zlib and gzip with a bound on what comes out.

use std::io::Read;
use std::io::Write as _;

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::read::ZlibDecoder;
use flate2::write::GzEncoder;
use flate2::write::ZlibEncoder;

use super::StatusListError;

/// Bytes of a list after decompression: 2^24 bytes are 67 million entries of 2 bits, ten times a nation of
/// 6.7 million with one credential each in a single list. DEFLATE reaches a factor of 1,032, so without a
/// bound a token of 1 MB would become 1 GB.
pub const MAX_LIST_BYTES: usize = 1 << 24;

pub(super) fn zlib_compress(bytes: &[u8]) -> Result<Vec<u8>, StatusListError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|_| StatusListError::NotCompressed)
}

pub(super) fn gzip_compress(bytes: &[u8]) -> Result<Vec<u8>, StatusListError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_err(|_| StatusListError::NotCompressed)
}

pub(super) fn zlib_decompress(compressed: &[u8]) -> Result<Vec<u8>, StatusListError> {
    let mut decoder = ZlibDecoder::new(compressed);
    let bytes = read_bounded(&mut decoder, "zlib")?;
    if decoder.total_in() != u64::try_from(compressed.len()).unwrap_or(u64::MAX) {
        // Bytes behind the end could mean something to another reader.
        return Err(StatusListError::Compression { expected: "zlib" });
    }
    Ok(bytes)
}

pub(super) fn gzip_decompress(compressed: &[u8]) -> Result<Vec<u8>, StatusListError> {
    // RFC 1952 lets a file have several members; what is neither a member nor the end is an error.
    read_bounded(&mut MultiGzDecoder::new(compressed), "gzip")
}

/// Reads to the end, but never grows beyond [`MAX_LIST_BYTES`].
fn read_bounded(decoder: &mut impl Read, expected: &'static str) -> Result<Vec<u8>, StatusListError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_LIST_BYTES).unwrap_or(u64::MAX);
    // One byte more than allowed tells "exactly the limit" from "more".
    decoder
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|_| StatusListError::Compression { expected })?;
    if bytes.len() > MAX_LIST_BYTES {
        return Err(StatusListError::TooLarge);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_decompressed() {
        for bytes in [vec![], vec![1, 2, 3], vec![0; 1 << 20]] {
            assert_eq!(zlib_decompress(&zlib_compress(&bytes).unwrap()), Ok(bytes.clone()));
            assert_eq!(gzip_decompress(&gzip_compress(&bytes).unwrap()), Ok(bytes));
        }
    }

    #[test]
    fn a_decompression_bomb_is_refused() {
        let largest = vec![0; MAX_LIST_BYTES];
        assert_eq!(
            zlib_decompress(&zlib_compress(&largest).unwrap()).map(|bytes| bytes.len()),
            Ok(MAX_LIST_BYTES)
        );
        let bomb = vec![0; MAX_LIST_BYTES + 1];
        assert_eq!(
            zlib_decompress(&zlib_compress(&bomb).unwrap()),
            Err(StatusListError::TooLarge)
        );
        assert_eq!(
            gzip_decompress(&gzip_compress(&bomb).unwrap()),
            Err(StatusListError::TooLarge)
        );
    }

    #[test]
    fn truncated_changed_and_trailing_bytes_are_refused() {
        let content: Vec<u8> = (0..=255).collect();
        for (compressed, decompress) in [
            (
                zlib_compress(&content).unwrap(),
                zlib_decompress as fn(&[u8]) -> Result<Vec<u8>, StatusListError>,
            ),
            (gzip_compress(&content).unwrap(), gzip_decompress),
        ] {
            assert_eq!(decompress(&compressed), Ok(content.clone()));
            let truncated = &compressed[..compressed.len() - 1];
            assert!(matches!(
                decompress(truncated),
                Err(StatusListError::Compression { .. })
            ));
            let trailing = [compressed.as_slice(), &[0]].concat();
            assert!(
                matches!(decompress(&trailing), Err(StatusListError::Compression { .. })),
                "trailing byte"
            );
            let mut changed = compressed.clone();
            // The checksum: Adler-32 and CRC-32 with the length stand at the end.
            let place = changed.len() - 7;
            changed[place] ^= 1;
            assert!(matches!(decompress(&changed), Err(StatusListError::Compression { .. })));
        }
    }
}
