//! Where a list goes on: opaque to whoever gets one, and read strictly when it comes back.
//!
//! A cursor holds the position after which the list goes on, and which list that is. It hides nothing and opens nothing: whoever may see the list may begin anywhere in it.

use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// Longest cursor in characters.
const LONGEST: usize = 1024;

/// Which list: its path and what was asked of it, less `limit` and `cursor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct List([u8; 8]);

impl List {
    /// `path`: as it was asked for; `filters`: the query's other keys and values, in any order.
    pub(super) fn new(path: &str, filters: &[(String, String)]) -> Self {
        let mut sorted: Vec<_> = filters.iter().collect();
        sorted.sort();
        let mut context = digest::Context::new(&digest::SHA256);
        let texts = std::iter::once(path).chain(sorted.into_iter().flat_map(|(key, value)| [&**key, &**value]));
        for text in texts {
            context.update(&(text.len() as u64).to_be_bytes());
            context.update(text.as_bytes());
        }
        let mut short = [0; 8];
        short.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
        Self(short)
    }
}

/// The cursor of a position in a list. `None`: the position is none that could be read again.
pub(super) fn seal(list: List, position: &impl Serialize) -> Option<String> {
    let text = serde_json::to_vec(&(u64::from_be_bytes(list.0), position)).ok()?;
    Some(BASE64URL_NOPAD.encode(&text)).filter(|cursor| cursor.len() <= LONGEST)
}

/// The position that a cursor stands for, if it was made for this list, and octet by octet as we make it.
pub(super) fn open<P: Serialize + DeserializeOwned>(list: List, cursor: &str) -> Result<P, Problem> {
    let read = || {
        let octets = BASE64URL_NOPAD.decode(Some(cursor).filter(|it| it.len() <= LONGEST)?.as_bytes()).ok()?;
        let (of, position): (u64, P) = serde_json::from_slice(&octets).ok()?;
        (of == u64::from_be_bytes(list.0) && seal(list, &position)? == cursor).then_some(position)
    };
    read().ok_or_else(|| {
        Problem::bad_request("the query can't be read")
            .field("cursor", "is none of this list with these filters; begin again without it")
    })
}
