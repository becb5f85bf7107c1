//! Whatever octets there are: something is said of them, and nothing panics.

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::survey::{Encoding, Form, Kind, Separator};
use super::*;

/// Reads as every kind of file.
fn read_as_each(octets: &[u8]) {
    let name: Arc<str> = "list".into();
    let asked = Asked { authority: Some("ca".to_owned()), ..asked("application=1,subject=2,mail=3,serial=4,status=5") };
    let forms = [
        (Encoding::Utf8, Separator::Comma),
        (Encoding::ShiftJis, Separator::Tab),
        (Encoding::ShiftJis, Separator::Comma),
    ];
    let lists = forms.map(|(encoding, separator)| Kind::List(Form { encoding, separator }));
    for kind in [Kind::Pem, Kind::Der].into_iter().chain(lists) {
        let mut found = 0;
        let mut sink = |one: Found| {
            assert!(one.place.line.is_none_or(|line| line > 0));
            if let What::Entry(entry) = one.what {
                assert!(entry.json().is_object());
            }
            found += 1;
            Flow::Continue(())
        };
        let flow = read_as(kind, &name, octets, &asked, &mut sink, &mut drop);
        assert!(flow.expect("octets in memory").is_continue());
        assert!(found <= octets.len(), "every octet says one thing at most");
    }
    let _ = survey(octets).expect("octets in memory");
}

proptest! {
    #[test]
    fn any_octets(octets in vec(any::<u8>(), 0..2_000)) {
        read_as_each(&octets);
    }

    #[test]
    fn any_rows(text in "([a-z=@\",\t\r\n]|有効|CN=|-----BEGIN (CERTIFICATE|PKCS7)-----\n|-----END CERTIFICATE-----\n|MAA=){0,200}") {
        read_as_each(text.as_bytes());
    }

    #[test]
    fn any_der(mut octets in vec(prop_oneof![Just(0x30_u8), Just(0xa0), Just(6), Just(2), Just(0x82), Just(0), any::<u8>()], 0..200), is_signed in any::<bool>()) {
        if is_signed {
            let start = [0x30, 0x82, 0xff, 0xff, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0x82, 0xff, 0xff, 0x30, 0x82, 0xff, 0xff, 2, 1, 1, 0x31, 0, 0x30, 0, 0xa0, 0x40];
            octets.splice(0..0, start);
        }
        read_as_each(&octets);
    }
}
