//! Hash tables whose keys nobody outside chooses freely: our own numbers, names of the configuration, addresses of those who share a secret with us. Where a stranger chooses them, the standard library's are used, which
//! nobody can fill with keys that collide; these cost a tenth.

use std::collections::HashMap;

use hashlink::{LinkedHashMap, LinkedHashSet};

pub(crate) use foldhash::fast::RandomState;

/// A table with a cheap hash.
pub(crate) type Map<K, V> = HashMap<K, V, RandomState>;

/// A [`Map`] in the order in which its entries came; one that is inserted again goes to the end. Nothing in it costs more the more there is.
pub(crate) type Line<K, V> = LinkedHashMap<K, V, RandomState>;

/// A [`Line`] of keys alone.
pub(crate) type LineOf<K> = LinkedHashSet<K, RandomState>;
