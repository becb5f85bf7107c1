//! Random octets that are no secrets: drawn from the system's generator many at a time, since each draw has a price of its own.

use std::cell::RefCell;

use rustls::crypto::{GetRandomFailed, SecureRandom};

use crate::secret::{NoRandom, random};

/// Octets of one draw.
const DRAWN: usize = 1024;

thread_local! {
    static STORE: RefCell<Store> = const { RefCell::new(Store { octets: [0; DRAWN], used: DRAWN }) };
}

struct Store {
    octets: [u8; DRAWN],
    used: usize,
}

impl Store {
    fn fill(&mut self, into: &mut [u8]) -> Result<(), NoRandom> {
        for piece in into.chunks_mut(DRAWN) {
            if DRAWN - self.used < piece.len() {
                (self.octets, self.used) = (random()?, 0);
            }
            let end = self.used + piece.len();
            piece.copy_from_slice(self.octets.get(self.used..end).ok_or(NoRandom)?);
            self.used = end;
        }
        Ok(())
    }
}

/// Octets that nobody has seen before: for Request Authenticators, Identifiers and the randoms of hellos.
pub(super) fn octets<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut octets = [0; N];
    fill(&mut octets)?;
    Ok(octets)
}

fn fill(into: &mut [u8]) -> Result<(), NoRandom> {
    STORE.with_borrow_mut(|store| store.fill(into))
}

/// The same for rustls, which takes its secrets elsewhere: a client's only other use of it are session ids and GREASE.
#[derive(Debug)]
pub(super) struct Drawn;

impl SecureRandom for Drawn {
    fn fill(&self, into: &mut [u8]) -> Result<(), GetRandomFailed> {
        fill(into).map_err(|NoRandom| GetRandomFailed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_octets_come_twice_however_they_lie_in_a_draw() {
        let pieces: HashSet<[u8; 24]> = (0..1_000).map(|_| octets().unwrap()).collect();
        assert_eq!(pieces.len(), 1_000);
        let mut many = vec![0; 5 * DRAWN + 7];
        fill(&mut many).unwrap();
        let pieces: HashSet<&[u8]> = many.chunks_exact(8).collect();
        assert_eq!(pieces.len(), many.len() / 8);
    }
}
