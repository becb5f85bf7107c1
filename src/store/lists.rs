//! Which certificates a list is of.

use crate::now::Wall;

/// Where a page of a list ended: what the list is sorted by, and the row.
pub type Position = (String, i64);

/// Which certificates; everything that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    /// By what is known of them.
    pub state: Option<State>,
    /// Beginning of mail, CN or serial, in lower case.
    pub prefix: Option<String>,
    /// Name of the authority.
    pub authority: Option<String>,
    /// notAfter from … to, both inclusive; sorted by it.
    pub ends: Option<(Wall, Wall)>,
    /// Never judged at a login.
    pub unseen: bool,
    /// Blocked here, since before a time.
    pub blocked_before: Option<Wall>,
}

/// What certificates are like, with the time and with what is distrusted.
#[derive(Clone, Debug)]
pub enum State {
    /// Their authority has revoked them.
    Revoked,
    /// A revocation is asked for.
    Requested,
    /// Not issued yet.
    Applied,
    /// Issued, and nothing else stands against them but this.
    Issued {
        /// When it is asked.
        now: Wall,
        /// What is distrusted then.
        distrusts: Vec<Distrusted>,
        /// What of them is wanted.
        wanted: Issued,
    },
}

/// What is wanted of certificates that are issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issued {
    /// Distrusted.
    Distrusted,
    /// Else past their end.
    Expired,
    /// Neither.
    Valid,
}

/// Certificates of an authority that are distrusted, by their notBefore.
#[derive(Clone, Debug)]
pub struct Distrusted {
    /// Name of the authority.
    pub authority: String,
    /// Before this; `None`: any.
    pub issued_before: Option<Wall>,
    /// After this; `None`: any.
    pub issued_after: Option<Wall>,
}
