//! The keys that a `seal-key-file` holds.

use crate::secret::Secret;

/// Keys that a file may hold: each sealed key that the first doesn't open is tried with the others.
const MOST: usize = 8;
/// Below, whoever has the database could find the key by trying.
const SHORTEST: usize = 16;

/// A file without line breaks in it is one key, whatever octets they are. Of several lines each is a key, the newest first; blank ones and those that begin with `#` are none.
/// What was sealed when a file of several lines was taken for one key is still opened, by all of it.
///
/// # Errors
/// What is wrong, without a key.
pub fn seal_keys(file: Secret) -> Result<Vec<Secret>, String> {
    let lines = lines(&file);
    if lines.len() < 2 {
        return long_enough(&file).map(|()| vec![file]);
    }
    let mut keys = Vec::new();
    for (number, line) in (1_u32..).zip(lines) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.trim().is_empty() && !line.starts_with('#') {
            let key = Secret::new(line);
            long_enough(&key).map_err(|why| format!("line {number}: {why}"))?;
            keys.push(key);
        }
    }
    match keys.len() {
        0 => Err("there is no key in it; make one: openssl rand -base64 32".to_owned()),
        1..=MOST => {
            keys.push(file);
            Ok(keys)
        }
        many => Err(format!(
            "holds {many} keys, and {MOST} are the most: leave out those by which nothing is sealed any more"
        )),
    }
}

/// Its lines, if it is a text of several.
fn lines(file: &Secret) -> Vec<&str> {
    let text = std::str::from_utf8(file.expose()).unwrap_or_default();
    let is_text = text.chars().all(|c| c == '\n' || c == '\r' || c == '\t' || !c.is_control());
    if is_text { text.split('\n').collect() } else { Vec::new() }
}

fn long_enough(key: &Secret) -> Result<(), String> {
    let octets = key.len();
    (octets >= SHORTEST).then_some(()).ok_or_else(|| {
        format!("the key has {octets} octets only, and {SHORTEST} are the least; make one: openssl rand -base64 32")
    })
}
