//! A QR code in a terminal.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around it (ISO/IEC 18004 section 6.3.8).
const QUIET: usize = 4;
/// Black on white whatever the terminal's own colours are: many an app reads no other.
const COLOURS: &str = "\x1b[38;5;16;48;5;231m";
const PLAIN: &str = "\x1b[0m";

/// Two modules of a column in each character. `None`: it is too long for a QR code.
pub(super) fn drawn(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let (width, colours) = (code.width(), code.to_colors());
    let is_dark = |x: usize, y: usize| {
        let place = x.checked_sub(QUIET).zip(y.checked_sub(QUIET)).filter(|(x, y)| *x < width && *y < width);
        place.and_then(|(x, y)| colours.get(y * width + x)) == Some(&Color::Dark)
    };
    let all = width + 2 * QUIET;
    let mut drawn = String::new();
    for y in (0..all).step_by(2) {
        drawn.push_str(COLOURS);
        drawn.extend((0..all).map(|x| match (is_dark(x, y), is_dark(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        }));
        drawn.push_str(PLAIN);
        drawn.push('\n');
    }
    Some(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_a_square_with_its_three_corners_and_light_around() {
        let drawn =
            drawn("otpauth://totp/Campus:hanako%40campus.example?secret=GEZDGNBVGY3TQOJQ").expect("it is short");
        let lines: Vec<Vec<char>> = drawn
            .lines()
            .map(|line| line.strip_prefix(COLOURS).and_then(|line| line.strip_suffix(PLAIN)).expect("coloured"))
            .map(|line| line.chars().collect())
            .collect();
        let width = lines[0].len();
        assert!(lines.iter().all(|line| line.len() == width) && lines.len() == width.div_ceil(2));
        for line in [&lines[0], &lines[1]] {
            assert!(line.iter().all(|c| *c == ' '));
        }
        // The upper edge of a finder pattern: seven dark modules, below them a frame.
        let corner: String = lines[2][QUIET..QUIET + 7].iter().collect();
        assert_eq!(corner, "█▀▀▀▀▀█");
        assert_eq!(lines[2][width - QUIET - 7..width - QUIET].iter().collect::<String>(), corner);
        assert!(super::drawn(&"x".repeat(8_000)).is_none());
    }
}
