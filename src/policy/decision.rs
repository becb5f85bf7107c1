//! What was decided. Only this file can make one, so that a grant without an accepting reason, or the other way round, can't be.

use std::sync::Arc;
use std::time::Duration;

use crate::event::{Evidence, Reason};
use crate::pki::NoPath;
use crate::radius::Attributes;

/// What was decided, why, and what it gives: a grant where, and only where, the reason is `Ok` or `OkGrace`.
#[derive(Clone, Debug)]
pub struct Decision {
    evidence: Vec<Evidence>,
    conclusion: Conclusion,
}

#[derive(Clone, Debug)]
enum Conclusion {
    Accept { grace: bool, grant: Grant },
    Refuse { reason: Reason, user: Option<Arc<str>> },
}

/// What somebody who is let in gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The user by the certificate.
    pub user: Arc<str>,
    /// VLAN by id or name.
    pub vlan: Option<String>,
    /// Filter-Id
    pub filter_id: Option<String>,
    /// At least a second; never beyond the end of the certificate or of its path.
    pub session_timeout: Duration,
    /// More for the Accept.
    pub attributes: Attributes,
    /// Only with a one-time password besides, as a rule wants.
    pub otp: bool,
}

impl Decision {
    /// The refusal of a chain without a path.
    #[must_use]
    pub fn no_path(refusal: NoPath) -> Self {
        Self::refuse(refusal.reason, refusal.evidence, None)
    }

    /// A refusal. A reason that lets in is none, and a fault of ours.
    #[must_use]
    pub(crate) fn refuse(reason: Reason, evidence: Vec<Evidence>, user: Option<Arc<str>>) -> Self {
        let reason = if matches!(reason, Reason::Ok | Reason::OkGrace) { Reason::Internal } else { reason };
        Self { evidence, conclusion: Conclusion::Refuse { reason, user } }
    }

    /// Lets in; `grace`: on revocation data that is past its end.
    pub(super) fn accept(grace: bool, evidence: Vec<Evidence>, grant: Grant) -> Self {
        Self { evidence, conclusion: Conclusion::Accept { grace, grant } }
    }

    /// Whether it lets in.
    #[must_use]
    pub fn accepts(&self) -> bool {
        self.grant().is_some()
    }

    /// `Ok` and `OkGrace` let in; every other refuses.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self.conclusion {
            Conclusion::Accept { grace: false, .. } => Reason::Ok,
            Conclusion::Accept { grace: true, .. } => Reason::OkGrace,
            Conclusion::Refuse { reason, .. } => reason,
        }
    }

    /// On what it rests.
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// The user by the certificate; `None`: it names none, or is not vouched for.
    #[must_use]
    pub fn user(&self) -> Option<&Arc<str>> {
        match &self.conclusion {
            Conclusion::Accept { grant, .. } => Some(&grant.user),
            Conclusion::Refuse { user, .. } => user.as_ref(),
        }
    }

    /// What is granted.
    #[must_use]
    pub fn grant(&self) -> Option<&Grant> {
        match &self.conclusion {
            Conclusion::Accept { grant, .. } => Some(grant),
            Conclusion::Refuse { .. } => None,
        }
    }
}
