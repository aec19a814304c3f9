use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use fulcio_dev_idp::{DevIdp, Keys};
use fulcio_issuance::{Clock as _, SystemClock};
use fulcio_server::{Mount, Mounted, TimedBody};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};

use crate::data_dir::{DataDir, Mode};

/// The development identity provider below the path of its issuer URL.
#[derive(Clone, Debug)]
pub(crate) struct MountedDevIdp(Arc<DevIdp>);

impl MountedDevIdp {
    /// Opens the provider for `issuer`, with the keys in the folder, or with new ones that are
    /// kept there.
    pub(crate) fn open(dir: &DataDir, issuer: &str) -> Result<Self> {
        let keys = match (dir.read(RSA_KEY)?, dir.read(P256_KEY)?) {
            (Some(rsa), Some(p256)) => Keys::from_pkcs8(&rsa, &p256)?,
            _ => {
                let keys = Keys::generate()?;
                dir.write(RSA_KEY, &keys.rsa_pkcs8()?, Mode::Secret)?;
                dir.write(P256_KEY, &keys.p256_pkcs8()?, Mode::Secret)?;
                keys
            }
        };
        Ok(Self(Arc::new(DevIdp::new(issuer, keys)?)))
    }
}

const RSA_KEY: &str = "dev-idp/rsa.der";
const P256_KEY: &str = "dev-idp/p256.der";

impl Mount for MountedDevIdp {
    fn handle(&self, _path: &str, request: Request<TimedBody>) -> Mounted {
        let idp = Arc::clone(&self.0);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            // One byte more than it reads, so that it sees what is too long.
            let limited = Limited::new(body, DevIdp::BODY_LIMIT + 1);
            match limited.collect().await {
                Ok(body) => {
                    let request = Request::from_parts(parts, body.to_bytes());
                    idp.handle(&request, SystemClock.now()).map(Full::new)
                }
                Err(_unread) => {
                    let text = "the body is too long or did not arrive in time\n";
                    let mut response =
                        Response::new(Full::new(Bytes::from_static(text.as_bytes())));
                    *response.status_mut() = StatusCode::BAD_REQUEST;
                    response
                }
            }
        })
    }
}
