//! Hash tables whose keys nobody outside chooses freely: our own numbers, names of the configuration, addresses of those who share a secret with us. Where a stranger chooses them, the standard library's are used, which
//! nobody can fill with keys that collide; these cost a tenth.

use std::collections::HashMap;

pub(crate) use foldhash::fast::RandomState;

/// A table with a cheap hash.
pub(crate) type Map<K, V> = HashMap<K, V, RandomState>;
