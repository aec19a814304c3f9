use crate::Principal;

/// A principal whose claim to be that principal has been checked.
///
/// The crate `fulcio-identity` makes one from a verified token. Whoever authenticates callers in
/// another way makes one with [`vouched_for`](Self::vouched_for), and takes that responsibility.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity(Principal);

impl Identity {
    /// Declares that the caller has been authenticated as `principal`.
    ///
    /// This is the only way to make an identity, so a search for this name finds every place
    /// that lets somebody in.
    #[must_use]
    pub fn vouched_for(principal: Principal) -> Self {
        Self(principal)
    }

    /// Whom the certificate will name.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.0
    }
}
