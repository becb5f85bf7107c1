//! The ways of a table's CAs to its anchor.

use super::Findings;
use crate::pki::certificate::Certificate;
use crate::pki::name;

/// Intermediates between a user's certificate and the anchor, so that a path has at most six certificates.
const MAX_INTERMEDIATES: usize = 4;

/// The paths of a table's CAs, each the CA itself first, without the anchor.
pub(super) struct Paths<'c, 'a> {
    /// Of every intermediate.
    pub(super) all: Vec<Vec<&'c Certificate<'a>>>,
    /// Of the CAs that issue users' certificates: the intermediates that issued no other CA of the table, or else the anchor.
    pub(super) issuing: Vec<Vec<&'c Certificate<'a>>>,
}

pub(super) fn paths<'c, 'a>(
    anchor: &'c Certificate<'a>,
    intermediates: &'c [Certificate<'a>],
    findings: &mut Findings<'_>,
) -> Option<Paths<'c, 'a>> {
    let mut paths = Vec::new();
    for intermediate in intermediates {
        match path(anchor, intermediates, intermediate) {
            Ok(path) => paths.push(path),
            Err(what) => findings.error("intermediates", format!("{}: {what}", name::shown(&intermediate.subject))),
        }
    }
    if paths.len() < intermediates.len() {
        return None;
    }
    let is_issuing = |path: &&Vec<&Certificate<'_>>| path.first().is_some_and(|ca| !ca.signs_crls_only());
    let mut issuing: Vec<_> = paths.iter().filter(is_issuing).cloned().collect();
    let above: Vec<[u8; 32]> =
        issuing.iter().flat_map(|path| path.iter().skip(1)).map(|ca| ca.authority_id()).collect();
    issuing.retain(|path| path.first().is_some_and(|issuer| !above.contains(&issuer.authority_id())));
    if issuing.is_empty() {
        issuing.push(Vec::new());
    }
    Some(Paths { all: paths, issuing })
}

fn path<'c, 'a>(
    anchor: &'c Certificate<'a>,
    intermediates: &'c [Certificate<'a>],
    start: &'c Certificate<'a>,
) -> Result<Vec<&'c Certificate<'a>>, &'static str> {
    let mut path = vec![start];
    let mut top = start;
    while !issued(anchor, top) {
        top = intermediates
            .iter()
            .find(|parent| !parent.signs_crls_only() && issued(parent, top))
            .ok_or("neither the anchor nor another intermediate has signed it, with an algorithm that is accepted")?;
        path.push(top);
        if path.len() > MAX_INTERMEDIATES {
            return Err("its path to the anchor has more than 4 intermediates");
        }
    }
    // The last certificate of a path isn't counted, and a signer of CRLs is the last of its own.
    let counted = path.iter().copied().chain(std::iter::once(anchor)).skip(usize::from(start.signs_crls_only()));
    for (below, ca) in counted.enumerate() {
        if ca.path_length.is_some_and(|allowed| usize::try_from(allowed).is_ok_and(|allowed| below > allowed)) {
            return Err("a CA above it allows fewer intermediates (pathLenConstraint)");
        }
    }
    Ok(path)
}

fn issued(issuer: &Certificate<'_>, certificate: &Certificate<'_>) -> bool {
    issuer.subject.as_raw() == certificate.issuer.as_raw() && certificate.signed.verify(issuer.key.raw).is_ok()
}
