//! A baseline JPEG encoder ([ITU-T T.81](https://www.w3.org/Graphics/JPEG/itu-t81.pdf)), small and in whole numbers.
//!
//! Portraits in person identification data are JPEG. A floating-point encoder may differ by a bit
//! from machine to machine; this one does not, so the committed files can be compared byte by byte.
//! One quantization table and one pair of Huffman tables serve all three components.
#![expect(
    clippy::indexing_slicing,
    reason = "fixed-size tables; every index is a loop variable below the array's length"
)]

/// A picture of RGB pixels, row by row.
pub(crate) struct Picture {
    /// Pixels in a row; a multiple of 8.
    pub(crate) width: u16,
    /// Rows; a multiple of 8.
    pub(crate) height: u16,
    /// `width * height` pixels.
    pub(crate) pixels: Vec<[u8; 3]>,
}

/// Encodes `picture` with `coarseness` as the factor on the quantization table in percent: 100 is the
/// table of T.81 annex K, 10 is fine and large, 400 coarse and small.
pub(crate) fn encode(picture: &Picture, coarseness: i32) -> Vec<u8> {
    let quantization = QUANTIZATION.map(|step| (step * coarseness / 100).clamp(1, 255));
    let mut out = headers(picture, &quantization);
    let tables = Tables {
        dc: codes(&DC_COUNTS, &DC_SYMBOLS),
        ac: codes(&AC_COUNTS, &AC_SYMBOLS),
    };
    let mut bits = Bits::default();
    let mut previous_dc = [0_i32; 3];
    let (width, height) = (usize::from(picture.width), usize::from(picture.height));
    for top in (0..height).step_by(8) {
        for left in (0..width).step_by(8) {
            for (component, previous) in previous_dc.iter_mut().enumerate() {
                let mut block = [[0_i32; 8]; 8];
                for (y, line) in block.iter_mut().enumerate() {
                    for (x, sample) in line.iter_mut().enumerate() {
                        *sample = luma_chroma(picture.pixels[(top + y) * width + left + x], component);
                    }
                }
                let coefficients = quantized(&block, &quantization);
                bits.block(&coefficients, *previous, &tables);
                *previous = coefficients[0];
            }
        }
    }
    out.extend(bits.finish());
    out.extend([0xFF, 0xD9]);
    out
}

/// Everything before the entropy-coded data: JFIF, tables, frame and scan headers.
fn headers(picture: &Picture, quantization: &[i32; 64]) -> Vec<u8> {
    let mut out = vec![0xFF, 0xD8, 0xFF, 0xE0, 0, 16];
    out.extend(b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    out.extend([0xFF, 0xDB, 0, 67, 0]);
    out.extend(ZIGZAG.map(|place| byte(quantization[place])));
    out.extend([0xFF, 0xC0, 0, 17, 8]);
    out.extend(picture.height.to_be_bytes());
    out.extend(picture.width.to_be_bytes());
    out.extend([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    for (class, counts, symbols) in [(0x00, &DC_COUNTS, &DC_SYMBOLS[..]), (0x10, &AC_COUNTS, &AC_SYMBOLS[..])] {
        let length = u16::try_from(19 + symbols.len()).unwrap_or(u16::MAX);
        out.extend([0xFF, 0xC4]);
        out.extend(length.to_be_bytes());
        out.push(class);
        out.extend(counts);
        out.extend(symbols);
    }
    out.extend([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0]);
    out
}

/// One sample of `YCbCr` around zero, by the JFIF matrix in 16-bit fixed point.
fn luma_chroma([red, green, blue]: [u8; 3], component: usize) -> i32 {
    const MATRIX: [[i32; 3]; 3] = [
        [19_595, 38_470, 7_471],
        [-11_059, -21_709, 32_768],
        [32_768, -27_439, -5_329],
    ];
    let [r, g, b] = MATRIX[component];
    let sum = r * i32::from(red) + g * i32::from(green) + b * i32::from(blue) + 32_768;
    let shifted = sum >> 16;
    // Luma runs from 0 to 255, chroma is around zero already.
    (if component == 0 { shifted - 128 } else { shifted }).clamp(-128, 127)
}

/// The forward cosine transform and quantization; coefficients in zigzag order.
fn quantized(block: &[[i32; 8]; 8], quantization: &[i32; 64]) -> [i32; 64] {
    let mut rows = [[0_i32; 8]; 8];
    for (v, row) in rows.iter_mut().enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            let sum: i32 = (0..8).map(|y| block[y][x] * cosine(2 * y + 1, v)).sum();
            *value = (sum + 128) >> 8;
        }
    }
    let mut coefficients = [0_i32; 64];
    for (index, coefficient) in coefficients.iter_mut().enumerate() {
        let (v, u) = (ZIGZAG[index] / 8, ZIGZAG[index] % 8);
        let sum: i32 = (0..8).map(|x| rows[v][x] * cosine(2 * x + 1, u)).sum();
        // 12 bits of each cosine less the 8 shifted out above, and the factor 1/4 of the transform.
        let value = (sum + (1 << 17)) >> 18;
        let step = quantization[ZIGZAG[index]];
        let half = if value < 0 { -step / 2 } else { step / 2 };
        *coefficient = (value + half) / step;
    }
    coefficients
}

/// `cos(odd * frequency * pi / 16)` times 4096, with the factor `1/sqrt(2)` of frequency 0.
fn cosine(odd: usize, frequency: usize) -> i32 {
    const QUARTER: [i32; 9] = [4096, 4017, 3784, 3406, 2896, 2276, 1567, 799, 0];
    if frequency == 0 {
        return QUARTER[4];
    }
    match (odd * frequency) % 32 {
        angle @ 0..=8 => QUARTER[angle],
        angle @ 9..=16 => -QUARTER[16 - angle],
        angle @ 17..=24 => -QUARTER[angle - 16],
        angle => QUARTER[32 - angle],
    }
}

/// Huffman codes by symbol: code and length in bits.
struct Tables {
    dc: Vec<(u32, u32)>,
    ac: Vec<(u32, u32)>,
}

/// The canonical codes of T.81 annex C.
fn codes(counts: &[u8; 16], symbols: &[u8]) -> Vec<(u32, u32)> {
    let mut table = vec![(0, 0); 256];
    let mut next_code = 0;
    let mut remaining = symbols.iter();
    for (length, count) in (1..).zip(counts) {
        for symbol in remaining.by_ref().take(usize::from(*count)) {
            table[usize::from(*symbol)] = (next_code, length);
            next_code += 1;
        }
        next_code <<= 1;
    }
    table
}

/// The entropy-coded segment.
#[derive(Default)]
struct Bits {
    out: Vec<u8>,
    pending: u32,
    count: u32,
}

impl Bits {
    fn block(&mut self, coefficients: &[i32; 64], previous_dc: i32, tables: &Tables) {
        self.symbol(0, coefficients[0] - previous_dc, &tables.dc);
        let mut zeros = 0;
        for value in &coefficients[1..] {
            if *value == 0 {
                zeros += 1;
                continue;
            }
            while zeros > 15 {
                self.symbol(15, 0, &tables.ac);
                zeros -= 16;
            }
            self.symbol(zeros, *value, &tables.ac);
            zeros = 0;
        }
        if zeros > 0 {
            self.symbol(0, 0, &tables.ac);
        }
    }

    /// The run of zeros and the size of `value` as one symbol, then the bits of `value`.
    fn symbol(&mut self, zeros: usize, value: i32, table: &[(u32, u32)]) {
        let size = 32 - value.unsigned_abs().leading_zeros();
        let (code, length) = table[zeros * 16 + size as usize];
        self.put(code, length);
        // A negative number is its ones' complement.
        let ones_complement = if value < 0 { value - 1 } else { value };
        self.put(ones_complement.cast_unsigned() & ((1 << size) - 1), size);
    }

    fn put(&mut self, value: u32, length: u32) {
        self.pending = (self.pending << length) | value;
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.pending >> self.count).to_le_bytes()[0];
            self.out.push(byte);
            // A marker must not appear by chance.
            if byte == 0xFF {
                self.out.push(0);
            }
            self.pending &= (1 << self.count) - 1;
        }
    }

    /// Fills the last byte with ones.
    fn finish(mut self) -> Vec<u8> {
        if self.count > 0 {
            let missing = 8 - self.count;
            self.put((1 << missing) - 1, missing);
        }
        self.out
    }
}

/// A step of the quantization table, 1 to 255.
fn byte(step: i32) -> u8 {
    u8::try_from(step).unwrap_or(u8::MAX)
}

/// The places of the coefficients in the order of the scan, T.81 figure 5.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
];

/// T.81 table K.1.
const QUANTIZATION: [i32; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
];

/// T.81 table K.3.
const DC_COUNTS: [u8; 16] = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
const DC_SYMBOLS: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

/// T.81 table K.5.
const AC_COUNTS: [u8; 16] = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125];
const AC_SYMBOLS: [u8; 162] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22, 0x71, 0x14,
    0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0, 0x24, 0x33, 0x62, 0x72, 0x82, 0x09,
    0x0A, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2A, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3A,
    0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5A, 0x63, 0x64, 0x65,
    0x66, 0x67, 0x68, 0x69, 0x6A, 0x73, 0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7A, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88,
    0x89, 0x8A, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9A, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8, 0xA9,
    0xAA, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8, 0xC9, 0xCA,
    0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8, 0xD9, 0xDA, 0xE1, 0xE2, 0xE3, 0xE4, 0xE5, 0xE6, 0xE7, 0xE8, 0xE9, 0xEA,
    0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8, 0xF9, 0xFA,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grey_square_is_as_small_as_the_headers() {
        let picture = Picture {
            width: 8,
            height: 8,
            pixels: vec![[128; 3]; 64],
        };
        let jpeg = encode(&picture, 100);
        assert!(jpeg.starts_with(&[0xFF, 0xD8, 0xFF, 0xE0]));
        assert!(jpeg.ends_with(&[0xFF, 0xD9]));
        // Three blocks of "no difference, end of block": 2 + 4 bits each, padded with ones to 3 bytes.
        let scan = &jpeg[jpeg.len() - 5..jpeg.len() - 2];
        assert_eq!(scan, [0b0010_1000, 0b1010_0010, 0b1011_1111]);
    }

    #[test]
    fn the_transform_keeps_energy() {
        // A flat block of 100 has one coefficient: 8 times the value.
        let coefficients = quantized(&[[100; 8]; 8], &[1; 64]);
        assert_eq!(coefficients[0], 800);
        assert!(coefficients[1..].iter().all(|value| *value == 0), "{coefficients:?}");
    }
}
