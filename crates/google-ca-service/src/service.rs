use core::{fmt, time::Duration};

use arc_swap::ArcSwap;
use fulcio_cert_builder::Leaf;
use fulcio_issuance::{
    CertificateAuthority, Certified, Error as IssuanceError, Issuing, RequestContext, Stage,
    Timestamp,
};
use fulcio_remote_key::{Patience, Spent};
use google_cloud_auth::credentials::{Builder as ApplicationDefault, anonymous};
use google_cloud_gax::retry_policy::NeverRetry;
use google_cloud_security_privateca_v1::{
    client::CertificateAuthorityService,
    model::{Certificate, CreateCertificateRequest},
};
use pki_types::CertificateDer;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout, timeout_at},
};

use crate::{
    Credentials, Error, GoogleConfig, Parent,
    check::check,
    failure::failure,
    key::must_be_certified,
    pool::{Pool, certificates},
    request::request,
};

/// A pool of authorities in Google's CA Service, or one authority of it.
///
/// What Google could not do (it was not reached, is broken, asked for fewer requests) is tried
/// again within the configured time, under the same request identifier, so that one certificate
/// comes of it and not two. What comes back is compared with what was asked for, and its signature
/// followed to the root, before anybody gets it.
///
/// The authorities are read when it is opened, and again when an issuance finds the list older than
/// [`GoogleConfig::refresh`] or its issuer not in it: authorities can come and go while it runs.
///
/// It embeds no timestamp: Google makes the whole certificate. Wants a Tokio runtime with a timer.
pub struct GoogleCaService {
    client: CertificateAuthorityService,
    config: GoogleConfig,
    parent: Parent,
    pool: ArcSwap<Pool>,
    /// When the pool was last read, or that was last tried; held while it is read.
    read: Mutex<Instant>,
}

impl GoogleCaService {
    /// Finds the credentials, and reads who issues in `parent`.
    ///
    /// # Errors
    /// The configuration cannot be meant; there are no credentials; CA Service is not reached in
    /// time, or does not let them see the pool; there is no such pool or authority, or nobody in it
    /// that may issue.
    pub async fn open(parent: &Parent, config: &GoogleConfig) -> Result<Self, Error> {
        let limit = config.open_timeout;
        let deadline = Instant::now() + limit;
        let client = timeout_at(deadline, client(config))
            .await
            .unwrap_or(Err(Error::Deadline { limit, last: None }))?;
        let rest = Patience::new(deadline.saturating_duration_since(Instant::now()));
        let pool = rest
            .try_until_done(|| one_try(config, Pool::read(&client, parent)))
            .await
            .map_err(|spent| late(spent, limit))?;
        pool.must_issue(parent)?;
        Ok(Self {
            client,
            config: config.clone(),
            parent: parent.clone(),
            pool: ArcSwap::from_pointee(pool),
            read: Mutex::new(Instant::now()),
        })
    }

    /// Who issues.
    #[must_use]
    pub fn parent(&self) -> &Parent {
        &self.parent
    }

    /// The certificate, and the chain above it.
    async fn certificate(&self, leaf: &Leaf<'_>) -> Result<Vec<CertificateDer<'static>>, Error> {
        let begun = Instant::now();
        let request = request(leaf, &self.parent)?;
        let limit = self.config.timeout;
        let patience = Patience::new(limit);
        let (created, ()) = tokio::join!(
            patience.try_until_done(|| one_try(&self.config, self.create(&request))),
            self.refresh_the_old(),
        );
        let created = created.map_err(|spent| late(spent, limit))?;

        let field = "pemCertificate";
        let mut own = certificates(field, &[created.pem_certificate])?.into_iter();
        let (Some(certificate), None) = (own.next(), own.next()) else {
            return Err(Error::AnswerIncomplete { field });
        };
        let above = certificates("pemCertificateChain", &created.pem_certificate_chain)?;
        let rest = limit.saturating_sub(begun.elapsed());
        let chain = timeout(rest, self.known_chain(&above))
            .await
            .unwrap_or(Err(Error::Deadline { limit, last: None }))?;
        check(&certificate, leaf, begun.elapsed(), &chain)?;
        Ok([vec![certificate], chain].concat())
    }

    async fn create(&self, request: &CreateCertificateRequest) -> Result<Certificate, Error> {
        let create = self.client.create_certificate();
        let answer = create.with_request(request.clone()).send().await;
        answer.map_err(|error| failure(error, &self.parent))
    }

    /// The chain of the authority that the answer names first. An unknown one may be new.
    async fn known_chain(
        &self,
        above: &[CertificateDer<'static>],
    ) -> Result<Vec<CertificateDer<'static>>, Error> {
        let issuer = above.first().ok_or(Error::AnswerIncomplete {
            field: "pemCertificateChain",
        })?;
        if let Some(chain) = self.pool.load().chain(issuer) {
            return Ok(chain.to_vec());
        }
        let mut read = self.read.lock().await;
        // Somebody else may have learnt of it meanwhile.
        if self.pool.load().chain(issuer).is_none() {
            self.refresh(&mut read).await?;
        }
        let pool = self.pool.load();
        let chain = pool.chain(issuer).ok_or_else(|| Error::OtherAuthority {
            parent: self.parent.to_string(),
        })?;
        Ok(chain.to_vec())
    }

    /// Reads the authorities again when that is due; if it fails, those that are known stay.
    async fn refresh_the_old(&self) {
        // Whoever holds it is reading.
        let Ok(mut read) = self.read.try_lock() else {
            return;
        };
        if read.elapsed() < self.config.refresh {
            return;
        }
        if let Err(error) = self.refresh(&mut read).await {
            tracing::warn!(
                parent = %self.parent,
                error = &error as &dyn core::error::Error,
                "the authorities of CA Service could not be read again"
            );
        }
    }

    async fn refresh(&self, read: &mut Instant) -> Result<(), Error> {
        *read = Instant::now();
        let pool = one_try(&self.config, Pool::read(&self.client, &self.parent)).await?;
        self.pool.store(pool.into());
        Ok(())
    }
}

impl CertificateAuthority for GoogleCaService {
    fn issue<'a>(&'a self, leaf: &'a Leaf<'_>, context: &'a RequestContext) -> Issuing<'a> {
        Box::pin(async move {
            must_be_certified(leaf)?;
            let issued = async {
                let issued = self.certificate(leaf).await;
                issued.map_err(|error| IssuanceError::Authority(error.into()))
            };
            let chain = context.stage(Stage::Sign, issued).await?;
            Ok(Certified::new(chain, Timestamp::None))
        })
    }

    fn trust_bundle(&self) -> Vec<Vec<CertificateDer<'static>>> {
        self.pool.load().chains()
    }
}

impl fmt::Debug for GoogleCaService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoogleCaService")
            .field("parent", &self.parent)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

/// The SDK's client. What is tried again, and for how long, is not its to decide.
async fn client(config: &GoogleConfig) -> Result<CertificateAuthorityService, Error> {
    let credentials = match config.credentials {
        Credentials::Anonymous => anonymous::Builder::new().build(),
        Credentials::ApplicationDefault => ApplicationDefault::default()
            .build()
            .map_err(|error| Error::CredentialsMissing(error.into()))?,
    };
    let mut builder = CertificateAuthorityService::builder()
        .with_credentials(credentials)
        .with_retry_policy(NeverRetry);
    if let Some(address) = config.address()? {
        builder = builder.with_endpoint(address);
    }
    let client = builder.build().await;
    client.map_err(|error| Error::Client(error.into()))
}

async fn one_try<T>(
    config: &GoogleConfig,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let limit = config.try_timeout;
    timeout(limit, work)
        .await
        .unwrap_or(Err(Error::Late { limit }))
}

fn late(spent: Spent<Error>, limit: Duration) -> Error {
    match spent {
        Spent::Failed(error) => error,
        Spent::Late { last, .. } => Error::Deadline {
            limit,
            last: last.map(Box::new),
        },
    }
}
