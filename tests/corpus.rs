//! Runs what is checked in under `fuzz/seeds` through the fuzzer's targets, without a fuzzer: what it once found stays mended, and the targets keep reaching what they are for.

use std::fs;
use std::path::{Path, PathBuf};

/// The fuzzer's targets, from their own crate.
#[path = "../fuzz/src/lib.rs"]
pub mod fuzz;

fn fuzz_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(name)
}

/// The names in a folder, without what follows their dot.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a folder that can be read").path());
    let mut names: Vec<_> = paths.map(|path| path.file_stem().expect("a name").display().to_string()).collect();
    names.sort();
    names
}

fn every_seed(target: &str, run: fn(&[u8]) -> bool) {
    let folder = fuzz_folder("seeds").join(target);
    let mut reached = 0;
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a folder that can be read").path();
        // Where one panics the last of these lines names it.
        println!("{}", path.display());
        reached += usize::from(run(&fs::read(&path).expect("a file that can be read")));
    }
    assert!(reached > 0, "no seed of {target} gets past the first checks");
}

/// A test for each target, and the list of all of them.
macro_rules! targets {
    ($($target:ident)+) => {
        const TARGETS: &[&str] = &[$(stringify!($target)),+];
        $(
            #[test]
            fn $target() {
                every_seed(stringify!($target), fuzz::$target::run);
            }
        )+
    };
}

targets! { authority certificate conversation crl eap exchange ocsp otp packet text ticket }

#[test]
fn every_target_is_here() {
    assert_eq!(names(&fuzz_folder("targets")), TARGETS);
    assert_eq!(names(&fuzz_folder("seeds")), TARGETS);
}
