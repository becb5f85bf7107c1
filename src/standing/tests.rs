use super::*;

fn standing(groups: &[(&str, &str)]) -> Standing {
    let groups: Vec<_> = groups.iter().map(|(name, text)| (Arc::from(*name), (*text).to_owned())).collect();
    Standing::new(&groups)
}

fn groups(standing: &Standing, user: &str) -> Vec<String> {
    standing.groups_of(user).iter().map(ToString::to_string).collect()
}

#[test]
fn users_are_found_without_case_and_in_the_order_of_the_groups() {
    let standing =
        standing(&[("guests", "Hanako@jaist.ac.jp\n"), ("none", ""), ("staff", "taro\nhanako@JAIST.ac.jp\n")]);
    assert_eq!(groups(&standing, "hanako@jaist.ac.jp"), ["guests", "staff"]);
    assert_eq!(groups(&standing, "TARO"), ["staff"]);
    assert!(groups(&standing, "jiro").is_empty());
    assert!(groups(&standing, "").is_empty());
}

#[test]
fn comments_blank_lines_line_ends_and_a_byte_order_mark_are_no_users() {
    let text = "\u{feff}hanako # on leave\r\n# taro\r\n\r\n   \n\t jiro\t#x\na#b@x\nhanako";
    let standing = standing(&[("g", text)]);
    for user in ["hanako", "jiro", "a#b@x"] {
        assert_eq!(groups(&standing, user), ["g"], "{user}");
    }
    for user in ["# taro", "taro", "", "#", "a", "hanako # on leave"] {
        assert!(groups(&standing, user).is_empty(), "{user}");
    }
}

#[test]
fn letters_that_only_unicode_folds_together_stay_different_people() {
    // U+212A KELVIN SIGN is k to Unicode's lower case.
    assert!(groups(&standing(&[("g", "kanako")]), "\u{212a}anako").is_empty());
}
