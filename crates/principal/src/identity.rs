use crate::{Principal, Voucher};

/// A principal whose claim to be that principal has been checked.
///
/// The crate `fulcio-identity` makes one from a verified token. Whoever authenticates callers in
/// another way makes one with [`vouched_for`](Self::vouched_for), and takes that responsibility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    principal: Principal,
    voucher: Option<Voucher>,
}

impl Identity {
    /// Declares that the caller has been authenticated as `principal`.
    ///
    /// This is the only way to make an identity, so a search for this name finds every place
    /// that lets somebody in.
    #[must_use]
    pub fn vouched_for(principal: Principal) -> Self {
        Self {
            principal,
            voucher: None,
        }
    }

    /// Notes which entry of a configuration answers for it.
    #[must_use]
    pub fn by_voucher(mut self, voucher: Voucher) -> Self {
        self.voucher = Some(voucher);
        self
    }

    /// Whom the certificate will name.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Which entry of a configuration answers for it, where that was noted.
    #[must_use]
    pub fn voucher(&self) -> Option<&Voucher> {
        self.voucher.as_ref()
    }
}
