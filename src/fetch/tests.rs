//! Files that change under the watcher.
