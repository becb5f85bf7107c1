//! What OCSP responders could still say about a certificate: a login would ask them, whoever only explains doesn't.

use std::sync::Arc;

use data_encoding::HEXLOWER;

use crate::fetch::Loaded;
use crate::fetch::known::Known;
use crate::now::Wall;
use crate::observe::Unasked;
use crate::pki::{self, Facts, Question, Trust};

/// What one certificate of the path waits for.
#[derive(Debug)]
pub(crate) struct Open {
    /// `{authority}:{serial hex}`, as in the API.
    pub(crate) id: String,
    /// Who would be asked, and what is kept.
    pub(crate) unasked: Unasked,
}

/// Every question that a login would wait for.
pub(super) fn questions(trust: &Trust, loaded: &Loaded, known: &Known, facts: &Arc<Facts>, at: Wall) -> Vec<Open> {
    let open = pki::questions(trust, &loaded.revocation, facts, at);
    open.iter().map(|question| Open::new(question, loaded, known, facts)).collect()
}

impl Open {
    fn new(question: &Question, loaded: &Loaded, known: &Known, facts: &Facts) -> Self {
        let Question { authority, issuer, serial } = question;
        let is_own = facts.links.first().is_some_and(|link| link.issuer == *issuer && link.serial == *serial);
        let responders = known.responders(authority, Some(issuer));
        // Whoever logs in first tells where to ask; that is too late for himself.
        let tells = is_own && known.is_told_by_certificates(authority);
        let told = facts.locations.ocsp.iter().filter(|url| tells && !responders.contains(url)).cloned().collect();
        let id = format!("{authority}:{}", HEXLOWER.encode(serial));
        let unasked = Unasked {
            ca: (!is_own).then(|| id.clone()),
            is_kept: loaded.revocation.answers().get(issuer, serial).is_some(),
            responders,
            told,
        };
        Self { id, unasked }
    }
}
