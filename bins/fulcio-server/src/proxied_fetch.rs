use std::sync::Arc;

use anyhow::{Context as _, Result};
use fulcio_oidc_verify::{Fetch, Fetching, HttpFetch, HttpOptions};

use crate::proxy::{Proxies, Way};

/// Fetches each document directly or through a proxy, as the environment asks for.
#[derive(Debug)]
pub(crate) struct ProxiedFetch {
    proxies: Arc<Proxies>,
    direct: HttpFetch,
    http: Option<HttpFetch>,
    https: Option<HttpFetch>,
}

impl ProxiedFetch {
    pub(crate) fn new(options: &HttpOptions, proxies: Arc<Proxies>) -> Result<Self> {
        // The URL of a proxy may hold a password, so only the variable is named.
        let through = |variable: &'static str, proxy: Option<&str>| {
            proxy
                .map(|proxy| {
                    let mut options = options.clone();
                    options.proxy = Some(proxy.to_owned());
                    HttpFetch::new(&options).context(variable)
                })
                .transpose()
        };
        Ok(Self {
            direct: HttpFetch::new(options)?,
            http: through("HTTP_PROXY", proxies.http())?,
            https: through("HTTPS_PROXY", proxies.https())?,
            proxies,
        })
    }
}

impl Fetch for ProxiedFetch {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        let through = match self.proxies.way(url) {
            Way::Direct => None,
            Way::HttpProxy => self.http.as_ref(),
            Way::HttpsProxy => self.https.as_ref(),
        };
        through.unwrap_or(&self.direct).fetch(url)
    }
}
