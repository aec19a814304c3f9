use fulcio_go_url::Url;
use fulcio_oidc_verify::VerifiedToken;
use fulcio_principal::Principal;

use crate::{
    Error, Kind,
    fields::{Fields, extensions, named_by},
};

/// Kubernetes clusters, which name workloads by their service account: the type `kubernetes`.
///
/// The account is in the claim `kubernetes.io`. Fulcio takes tokens that lack it for an account
/// without a name; here they are refused.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Kubernetes;

impl Kubernetes {
    /// For any cluster.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl Kind for Kubernetes {
    fn principal(&self, token: &VerifiedToken) -> Result<Principal, Error> {
        let about = Fields::of(token, &["kubernetes.io"])?
            .object("kubernetes.io", &["namespace", "pod", "serviceaccount"])?
            .ok_or(Error::ClaimAbsent {
                name: "kubernetes.io",
            })?;
        let named = ["name", "uid"];
        // Only its types matter.
        if let Some(pod) = about.object("pod", &named)? {
            pod.text("name")?;
            pod.text("uid")?;
        }
        let account = about
            .object("serviceaccount", &named)?
            .ok_or(Error::ClaimAbsent {
                name: "serviceaccount",
            })?;
        account.text("uid")?;
        let namespace = about.required("namespace")?;
        let account = account.required("name")?;
        let uri = format!("https://kubernetes.io/namespaces/{namespace}/serviceaccounts/{account}");
        let uri = Url::parse(&uri).map_err(Error::Url)?;
        named_by(&uri, token, extensions(token)?)
    }
}
