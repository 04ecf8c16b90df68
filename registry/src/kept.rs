//! Bytes that were made for the head of one size, until there is another.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Bundles and deltas that are kept: what those ask for who come again and again. The largest have some megabytes.
const MOST: usize = 16;

pub(crate) struct Kept<K> {
    size: u64,
    made: BTreeMap<K, Arc<[u8]>>,
}

impl<K> Default for Kept<K> {
    fn default() -> Self {
        Self {
            size: 0,
            made: BTreeMap::new(),
        }
    }
}

impl<K: Ord> Kept<K> {
    /// What was made for the head of this size.
    pub(crate) fn get(&self, size: u64, key: &K) -> Option<Arc<[u8]>> {
        self.made.get(key).filter(|_| self.size == size).cloned()
    }

    pub(crate) fn put(&mut self, size: u64, key: K, bytes: Vec<u8>) -> Arc<[u8]> {
        if self.size != size || self.made.len() >= MOST {
            self.made.clear();
        }
        self.size = size;
        let bytes: Arc<[u8]> = bytes.into();
        self.made.insert(key, bytes.clone());
        bytes
    }
}
