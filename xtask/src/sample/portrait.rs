//! Faces that are drawn, not photographed: a disc, shoulders and two eyes on a shaded ground.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::SEED;
use super::jpeg;
use super::jpeg::Picture;
use super::random::Random;

/// A portrait of about 2 kB as standard base64.
pub(crate) fn small(random: &mut Random) -> String {
    STANDARD.encode(jpeg::encode(&draw(random, 72, 88, 0), 120))
}

/// A portrait of about 30 kB as standard base64: what a passport office sends.
pub(crate) fn large() -> String {
    let mut random = Random::for_row(SEED, "large portrait", 0);
    STANDARD.encode(jpeg::encode(&draw(&mut random, 240, 304, 16), 24))
}

/// `grain` is the noise of a camera, in steps of brightness; noise is what makes a photograph large.
fn draw(random: &mut Random, width: u16, height: u16, grain: u32) -> Picture {
    let ground = random.pick(&[[196, 214, 230], [222, 214, 198], [206, 224, 206], [216, 204, 224]]);
    let skin = random.pick(&[[240, 208, 180], [214, 164, 124], [164, 112, 78], [110, 74, 52]]);
    let coat = random.pick(&[[44, 62, 110], [112, 40, 52], [36, 92, 84], [70, 70, 78]]);
    let hair = random.pick(&[[30, 26, 28], [72, 48, 32], [150, 150, 156], [110, 62, 30]]);
    let (w, h) = (i32::from(width), i32::from(height));
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height));
    for y in 0..h {
        for x in 0..w {
            // Thousandths of the height, from the middle line, so that one face fits every size.
            let (across, down) = ((2 * x - w) * 500 / h, y * 1_000 / h);
            let inside = |middle: i32, half_width: i32, half_height: i32, left: i32| {
                let (dx, dy) = (
                    (across - left) * 1_000 / half_width,
                    (down - middle) * 1_000 / half_height,
                );
                dx * dx + dy * dy <= 1_000_000
            };
            let colour = if inside(440, 22, 22, -80) || inside(440, 22, 22, 80) {
                [24, 22, 26]
            } else if inside(590, 80, 16, 0) {
                [150, 70, 70]
            } else if inside(470, 190, 250, 0) && !inside(240, 230, 130, 0) {
                skin
            } else if inside(420, 220, 270, 0) {
                hair
            } else if inside(1_020, 380, 300, 0) {
                coat
            } else {
                ground.map(|channel| channel - down / 25)
            };
            let noise = i32::try_from(random.between(0, 2 * grain)).unwrap_or(0) - i32::try_from(grain).unwrap_or(0);
            pixels.push(colour.map(|channel: i32| u8::try_from((channel + noise).clamp(0, 255)).unwrap_or(0)));
        }
    }
    Picture { width, height, pixels }
}
