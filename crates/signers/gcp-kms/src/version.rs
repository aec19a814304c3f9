//! Which version of a key is the newest that is enabled.

use google_cloud_kms_v1::model::crypto_key_version::CryptoKeyVersionState;

use crate::{Error, client::Kms, reference::VERSIONS};

/// The resource name of the newest enabled version of `key`. Google numbers them as they are made.
pub(crate) async fn newest_enabled(kms: &Kms, key: &str) -> Result<String, Error> {
    let mut newest: Option<u64> = None;
    let mut page_token = String::new();
    loop {
        let request = kms
            .client
            .list_crypto_key_versions()
            .set_parent(key)
            .set_filter("state=ENABLED")
            .set_page_token(page_token);
        let page = kms.ask(key, request.send()).await?;
        for version in page.crypto_key_versions {
            if version.state == CryptoKeyVersionState::Enabled {
                newest = newest.max(Some(number(&version.name, key)?));
            }
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    match newest {
        Some(number) => Ok(format!("{key}{VERSIONS}{number}")),
        None => Err(Error::VersionMissing {
            key: key.to_owned(),
        }),
    }
}

fn number(version: &str, key: &str) -> Result<u64, Error> {
    let number = version
        .strip_prefix(key)
        .and_then(|rest| rest.strip_prefix(VERSIONS));
    number
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| Error::OtherKey {
            answered: version.to_owned(),
            asked: key.to_owned(),
        })
}
