//! What rustls doesn't tell, read off the wire: the random of a hello, of which TLS 1.2's Method-Id is made,
//! and a close_notify that isn't encrypted, which rustls takes for one more harmless warning in TLS 1.2.

/// Octets of a TLS record's header.
const RECORD_HEADER: usize = 5;
/// The content type of alerts.
const ALERT: u8 = 21;
/// The content type of records that carry handshake messages.
const HANDSHAKE: u8 = 22;
/// Octets of an alert that isn't encrypted: its level and its number.
const PLAIN_ALERT: usize = 2;
/// The number of close_notify.
const CLOSE_NOTIFY: u8 = 0;
/// Where the random begins in ClientHello and ServerHello: after type, length and version.
const RANDOM_AT: usize = 6;
/// How long it is.
const RANDOM: usize = 32;

/// Follows one direction's records, however they are cut into calls.
#[derive(Debug, Default)]
pub(super) struct Wire {
    header: [u8; RECORD_HEADER],
    header_read: usize,
    body: usize,
    body_left: usize,
    skipped: usize,
    random: [u8; RANDOM],
    random_read: usize,
    closed: bool,
}

impl Wire {
    /// Reads the next octets of that direction.
    pub(super) fn read(&mut self, mut octets: &[u8]) {
        while let Some((&octet, rest)) = octets.split_first() {
            if self.body_left == 0 {
                self.read_header(octet);
                octets = rest;
            } else {
                let (body, rest) = octets.split_at(octets.len().min(self.body_left));
                self.read_body(body);
                octets = rest;
            }
        }
    }

    /// The random of its first handshake message, if it has come.
    pub(super) fn random(&self) -> Option<&[u8]> {
        (self.random_read == RANDOM).then_some(self.random.as_slice())
    }

    /// Whether it said close_notify for all to read.
    pub(super) fn closed(&self) -> bool {
        self.closed
    }

    fn read_header(&mut self, octet: u8) {
        if let Some(place) = self.header.get_mut(self.header_read) {
            *place = octet;
            self.header_read += 1;
        }
        if self.header_read == RECORD_HEADER {
            let [.., high, low] = self.header;
            self.body = usize::from(u16::from_be_bytes([high, low]));
            self.body_left = self.body;
            self.header_read = 0;
        }
    }

    fn read_body(&mut self, octets: &[u8]) {
        self.body_left = self.body_left.saturating_sub(octets.len());
        match self.header.first() {
            Some(&HANDSHAKE) => self.read_message(octets),
            Some(&ALERT) if self.body == PLAIN_ALERT && self.body_left == 0 => {
                self.closed |= octets.last() == Some(&CLOSE_NOTIFY);
            }
            _ => {}
        }
    }

    fn read_message(&mut self, octets: &[u8]) {
        let skip = RANDOM_AT.saturating_sub(self.skipped).min(octets.len());
        self.skipped += skip;
        let places = self.random.iter_mut().skip(self.random_read);
        for (place, octet) in places.zip(octets.iter().skip(skip)) {
            *place = *octet;
            self.random_read += 1;
        }
    }
}
