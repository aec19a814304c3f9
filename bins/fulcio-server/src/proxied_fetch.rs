use std::sync::Arc;

use anyhow::{Context as _, Result};
use fulcio_oidc_verify::{Fetch, FetchError, Fetching, HttpFetch, HttpOptions};
use tokio::{sync::OnceCell, task::spawn_blocking};

use crate::{
    network::SystemRoots,
    proxy::{Proxies, Way},
};

/// Fetches each document directly or through a proxy, as the environment asks for.
///
/// The system's roots are read for the first document, since there are hundreds of files.
#[derive(Debug)]
pub(crate) struct ProxiedFetch {
    recipe: Recipe,
    ways: OnceCell<Ways>,
}

#[derive(Clone, Debug)]
struct Recipe {
    /// Their roots are trusted beside the system's.
    options: HttpOptions,
    proxies: Arc<Proxies>,
    roots: SystemRoots,
}

#[derive(Debug)]
struct Ways {
    direct: HttpFetch,
    proxied: Proxied,
}

/// The ways through a proxy that there are.
#[derive(Debug)]
struct Proxied {
    http: Option<HttpFetch>,
    https: Option<HttpFetch>,
}

impl ProxiedFetch {
    pub(crate) fn new(
        options: HttpOptions,
        roots: SystemRoots,
        proxies: Arc<Proxies>,
    ) -> Result<Self> {
        // A proxy that cannot be used is found now.
        Proxied::open(&HttpOptions::new(Vec::new()), &proxies)?;
        Ok(Self {
            recipe: Recipe {
                options,
                proxies,
                roots,
            },
            ways: OnceCell::new(),
        })
    }

    async fn ways(&self) -> Result<&Ways, FetchError> {
        let open = || async {
            let recipe = self.recipe.clone();
            spawn_blocking(|| recipe.open()).await?
        };
        let ways = self.ways.get_or_try_init(open).await;
        ways.map_err(|error| FetchError::Transport(error.into()))
    }
}

impl Recipe {
    fn open(mut self) -> Result<Ways> {
        self.options.roots.extend_from_slice(&self.roots);
        Ok(Ways {
            direct: HttpFetch::new(&self.options)?,
            proxied: Proxied::open(&self.options, &self.proxies)?,
        })
    }
}

impl Proxied {
    fn open(options: &HttpOptions, proxies: &Proxies) -> Result<Self> {
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
            http: through("HTTP_PROXY", proxies.http())?,
            https: through("HTTPS_PROXY", proxies.https())?,
        })
    }
}

impl Fetch for ProxiedFetch {
    fn fetch<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            let ways = self.ways().await?;
            let through = match self.recipe.proxies.way(url) {
                Way::Direct => None,
                Way::HttpProxy => ways.proxied.http.as_ref(),
                Way::HttpsProxy => ways.proxied.https.as_ref(),
            };
            through.unwrap_or(&ways.direct).fetch(url).await
        })
    }
}
