//! The strict reader.

use super::make;
use crate::now::Wall;
use crate::pki::der::{BadDer, Reader, element, serial, time, trim_integer, well_formed};
use proptest::prelude::*;

#[test]
fn only_definite_minimal_lengths_are_read() {
    assert_eq!(Reader::new(&[0x04, 0x01, 0xaa]).expect(0x04), Ok(&[0xaa][..]));
    let long = make::der(0x04, &[&[7; 300]]);
    assert_eq!(Reader::new(&long).expect(0x04), Ok(&[7; 300][..]));
    for bad in [
        &[0x04, 0x80, 0, 0][..],
        &[0x04, 0x81, 0x01, 0xaa],
        &[0x04, 0x82, 0x00, 0x80],
        &[0x04, 0x02, 0xaa],
        &[0x1f, 0x01, 0x00],
        &[0x04, 0x85, 1, 0, 0, 0, 0],
        &[0x04],
        &[],
    ] {
        assert!(Reader::new(bad).element().is_err(), "{bad:02x?}");
    }
}

#[test]
fn times_agree_with_a_calendar_counted_day_by_day() {
    for day in (0..47_482).step_by(7).chain([11_016, 11_017, 47_541, 2_932_896]) {
        let at = Wall(day * 86_400 + 45_296);
        let written = make::time(at);
        assert_eq!(time(written[0], &written[2..]), Ok(at.0), "day {day}");
    }
    assert_eq!(time(0x17, b"500101000000Z"), Ok(-631_152_000));
}

#[test]
fn numbers_lose_their_leading_zeros_only() {
    assert_eq!(trim_integer(&[0, 0, 1, 0]), Ok(&[1, 0][..]));
    assert_eq!(trim_integer(&[0, 0]), Ok(&[0][..]));
    assert_eq!(trim_integer(&[]), Err(BadDer));
    assert_eq!(trim_integer(&[1; 21]), Err(BadDer));
}

#[test]
fn a_serial_is_the_same_however_long_it_is_written_and_a_negative_one_is_no_other() {
    assert_eq!(serial(&[0, 0xff]).as_deref(), Ok(&[0xff][..]));
    assert_eq!(serial(&[0xff]).as_deref(), Ok(&[0xff; 21][..]));
    assert_eq!(serial(&[0xff, 0xff]).as_deref(), Ok(&[0xff; 21][..]));
    assert_eq!(serial(&[0xff; 20]).map(|serial| serial.len()), Ok(21));
    for bad in [&[0xff; 21][..], &[], &[1; 21]] {
        assert!(serial(bad).is_err(), "{bad:02x?}");
    }
}

#[test]
fn an_element_is_written_as_it_is_read() {
    for length in [0, 1, 127, 128, 255, 256, 70_000] {
        let value = vec![5; length];
        let written = element(0x30, &value);
        assert_eq!(written, make::der(0x30, &[&value]));
        assert_eq!(Reader::new(&written).expect(0x30), Ok(&value[..]));
    }
}

proptest! {
    #[test]
    fn any_octets_are_walked_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        if well_formed(&octets).is_ok() {
            prop_assert!(Reader::new(&octets).element().is_ok());
        }
    }
}
