//! A station's identifier (Calling-Station-Id, Called-Station-Id) in one form, whatever the vendor's notation (RFC 3580 sections 3.20 and 3.21).

/// Longest text that is taken; longer ones are cut.
const MAX_TEXT: usize = 253;

/// Octets as text; what is no UTF-8 is replaced, for it is only compared and shown.
#[must_use]
pub fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets.get(..MAX_TEXT).unwrap_or(octets)).into_owned()
}

/// Calling-Station-Id in one form, so that two vendors' notations of a device are one device: twelve lower-case hex digits with colons; else as it came.
#[must_use]
pub(crate) fn normal(octets: &[u8]) -> String {
    match address(octets) {
        Some((digits, [])) => {
            let mut normal = String::with_capacity("02:ab:00:00:00:01".len());
            for (at, digit) in digits.chars().enumerate() {
                if at > 0 && at % 2 == 0 {
                    normal.push(':');
                }
                normal.push(digit);
            }
            normal
        }
        _ => text(octets),
    }
}

/// Twelve hex digits with `-`, `:` or `.` between, in lower case, and what follows them.
#[must_use]
pub fn address(octets: &[u8]) -> Option<(String, &[u8])> {
    let mut digits = String::with_capacity(12);
    for (at, octet) in octets.iter().enumerate() {
        match octet {
            b'-' | b':' | b'.' if !digits.is_empty() && digits.len() < 12 => {}
            _ if octet.is_ascii_hexdigit() && digits.len() < 12 => digits.push(char::from(octet.to_ascii_lowercase())),
            _ if digits.len() == 12 => return octets.get(at..).map(|rest| (digits, rest)),
            _ => return None,
        }
    }
    (digits.len() == 12).then_some((digits, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_one_name_in_every_notation() {
        for calling in ["02-AB-00-00-00-01", "02:ab:00:00:00:01", "02ab.0000.0001", "02AB00000001"] {
            assert_eq!(normal(calling.as_bytes()), "02:ab:00:00:00:01");
        }
        assert_eq!(normal(b"192.0.2.7"), "192.0.2.7");
    }
}
