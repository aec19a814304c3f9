use core::error::Error as StdError;
use std::{fs, io, path::Path, sync::Arc};

use fulcio_oidc_verify::{Bearer, Credential, HttpOptions};
use zeroize::Zeroizing;

use crate::transparency::certificates;

/// Has `options` ask the Kubernetes cluster that this program runs in, as Fulcio does: under the
/// cluster's own certificate authority, and with the service account's token, which is read again
/// for each request because it is replaced before it expires.
pub(crate) fn ask_cluster(options: &mut HttpOptions, issuer: &str) {
    match certificates(Path::new(CLUSTER_CA), "the cluster's certificate authority") {
        Ok(roots) => options.roots.extend(roots),
        Err(error) => tracing::warn!(
            issuer,
            error = format!("{error:#}"),
            "tokens of the cluster will be refused unless the system trusts its certificate"
        ),
    }
    options.bearer = Some(Bearer::new(issuer.to_owned(), Arc::new(ServiceAccount)));
}

const CLUSTER_CA: &str = "/var/run/fulcio/ca.crt";
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The token of this program's service account; none outside a cluster.
#[derive(Debug)]
struct ServiceAccount;

impl Credential for ServiceAccount {
    fn token(&self) -> Result<Option<Zeroizing<String>>, Box<dyn StdError + Send + Sync>> {
        match fs::read_to_string(TOKEN) {
            Ok(token) => Ok(Some(Zeroizing::new(token))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
