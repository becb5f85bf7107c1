//! What long CRLs take, counted at the allocator.

use super::campus::*;
use super::make::*;

/// A twentieth of the million that the bounds are about.
const ENTRIES: u32 = 50_000;
const MEBIBYTE: u64 = 1 << 20;

/// A serial number of twenty octets, the longest that may be.
fn serial(number: u32) -> [u8; 20] {
    let mut serial = [0x55; 20];
    // Odd, so that no two are the same; they come in no order.
    serial[..4].copy_from_slice(&(number.wrapping_mul(0x9e37_79b9) >> 1 | 0x4000_0000).to_be_bytes());
    serial[16..].copy_from_slice(&number.to_be_bytes());
    serial
}

#[test]
fn r11_a_million_entries_take_28_octets_each_and_128_mib_while_one_list_replaces_another() {
    let campus = Campus::new();
    let trust = campus.trust();
    let revoke = |number| entry(&serial(number), days(-9), Some(extension("2.5.29.21", false, &der(0x0a, &[&[1]]))));
    let der = campus.ca16.crl(&CrlDraft { entries: (0..ENTRIES).map(revoke).collect(), ..fresh(1) });
    let mut in_use = None;
    let settled = allocation_counter::measure(|| in_use = Some(load(&der, &trust)));
    assert_eq!(in_use.as_ref().map(|crl| crl.summary().entries), Some(ENTRIES as usize));
    assert!(settled.bytes_current <= 28 * i64::from(ENTRIES), "{settled:?}");
    let next = allocation_counter::measure(|| drop(load(&der, &trust)));
    let peak = der.len() as u64 + settled.bytes_current.unsigned_abs() + next.bytes_max;
    assert!(peak <= 128 * MEBIBYTE / (1_000_000 / u64::from(ENTRIES)), "{peak} octets");
}
