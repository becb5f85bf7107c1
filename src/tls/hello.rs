//! The random of a hello, read off the wire: rustls tells neither, and TLS 1.2's Method-Id is made of both.

/// Octets of a TLS record's header.
const RECORD_HEADER: usize = 5;
/// The content type of records that carry handshake messages.
const HANDSHAKE: u8 = 22;
/// Where the random begins in ClientHello and ServerHello: after type, length and version.
const RANDOM_AT: usize = 6;
/// How long it is.
const RANDOM: usize = 32;

/// Collects the random of the first handshake message of one direction, however it is cut into records and calls.
#[derive(Debug, Default)]
pub(super) struct HelloRandom {
    header: [u8; RECORD_HEADER],
    header_read: usize,
    body_left: usize,
    skipped: usize,
    random: Vec<u8>,
}

impl HelloRandom {
    /// Reads the next octets of that direction; cheap once the random is there.
    pub(super) fn read(&mut self, octets: &[u8]) {
        for &octet in octets {
            if self.random.len() == RANDOM {
                return;
            }
            self.read_one(octet);
        }
    }

    /// The random, if it has come.
    pub(super) fn random(&self) -> Option<&[u8]> {
        (self.random.len() == RANDOM).then_some(self.random.as_slice())
    }

    fn read_one(&mut self, octet: u8) {
        if self.body_left == 0 {
            return self.read_header(octet);
        }
        self.body_left -= 1;
        if self.header.first() == Some(&HANDSHAKE) {
            self.read_message(octet);
        }
    }

    fn read_header(&mut self, octet: u8) {
        if let Some(place) = self.header.get_mut(self.header_read) {
            *place = octet;
            self.header_read += 1;
        }
        if self.header_read == RECORD_HEADER {
            let [.., high, low] = self.header;
            self.body_left = usize::from(u16::from_be_bytes([high, low]));
            self.header_read = 0;
        }
    }

    fn read_message(&mut self, octet: u8) {
        if self.skipped < RANDOM_AT {
            self.skipped += 1;
        } else {
            self.random.push(octet);
        }
    }
}
