//! What a certificate is like, in one word.

/// `status` of the contract: the first that applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// 失効済: its authority has revoked it.
    Revoked,
    /// 失効申請中: a revocation is asked for.
    RevocationRequested,
    /// 認証局廃止: its authority is no longer trusted.
    Distrusted,
    /// 期限切れ: past its end.
    Expired,
    /// 有効
    Valid,
    /// 新規申請中: not issued yet.
    Applied,
}

impl Status {
    /// Each, in the order in which they apply.
    pub const ALL: [Self; 6] =
        [Self::Revoked, Self::RevocationRequested, Self::Distrusted, Self::Expired, Self::Valid, Self::Applied];

    /// As the API has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::RevocationRequested => "revocation-requested",
            Self::Distrusted => "distrusted",
            Self::Expired => "expired",
            Self::Valid => "valid",
            Self::Applied => "applied",
        }
    }

    /// As people and the CA's lists have it.
    #[must_use]
    pub(crate) fn japanese(self) -> &'static str {
        match self {
            Self::Revoked => "失効済",
            Self::RevocationRequested => "失効申請中",
            Self::Distrusted => "認証局廃止",
            Self::Expired => "期限切れ",
            Self::Valid => "有効",
            Self::Applied => "新規申請中",
        }
    }

    /// By either name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name || status.japanese() == name)
    }
}
