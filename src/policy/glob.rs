//! Globs: `*` any characters or none, `?` exactly one; ASCII case does not count.

/// Whether all of `text` is as `pattern` says. Only the last `*` is ever tried again, so it costs at most the product of both lengths, whatever they hold.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut pattern = pattern.chars();
    let mut text = text.chars();
    let mut last_star = None;
    loop {
        let text_here = text.clone();
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = text_here;
                last_star = Some((pattern.clone(), text.clone()));
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(found)) if wanted.eq_ignore_ascii_case(&found) => {}
            (_, found) => {
                let Some((after_star, skipped_to)) = &mut last_star else { return false };
                if found.is_none() || skipped_to.next().is_none() {
                    return false;
                }
                pattern = after_star.clone();
                text = skipped_to.clone();
            }
        }
    }
}
