//! Azure Key Vault, and what gives out tokens for it: doubles on their REST contracts.
//!
//! It makes real keys, describes them and signs digests with them, checks what it is sent as Azure
//! does, and does something else where it is told to. Microsoft's Python client is content with it:
//! see the tests of `fulcio-signer-azure-keyvault`.
//!
//! | path | is |
//! |---|---|
//! | `GET /keys/NAME[/VERSION]`, `POST /keys/NAME[/VERSION]/sign` | the vault |
//! | `POST /TENANT/oauth2/v2.0/token`, `GET /TENANT/v2.0/.well-known/openid-configuration` | Microsoft Entra ID |
//! | `GET /msi/token` | the managed identity of an App Service |

mod key;
mod server;
mod state;
mod tokens;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    thread::{self, JoinHandle},
};

use http::HeaderMap;
use pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::TlsFiles;

pub use key::KeyKind;
use state::State;

/// A vault with its own Microsoft Entra ID and its own service for managed identities, all at one
/// `https` address of this machine and in a thread of its own.
///
/// As the real one, it tells whoever comes without a token where to get one and for which resource,
/// and takes none that it did not give out itself for that resource. It goes when it is dropped.
#[derive(Debug)]
pub struct AzureKeyVault {
    address: String,
    state: Arc<Mutex<State>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    tls: TlsFiles,
}

/// What the vault does with a request instead of what is right.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// Never answers.
    Hang,
    /// Closes the connection.
    HangUp,
    /// Signs with a key that nobody knows, under the name of the right one.
    OtherKey,
    /// Answers as it should, but about another version of the key.
    OtherVersion,
    /// Answers with a status, headers and a body.
    Say(u16, Vec<(&'static str, String)>, String),
}

/// A request that came.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// Its body: of JSON, or a form as an object, or `null`.
    pub body: Value,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its method.
    pub method: String,
    /// Its path with what follows.
    pub path: String,
}

impl AzureKeyVault {
    /// The application that gets tokens.
    pub const CLIENT: &str = "00000000-0000-0000-0000-00000000c11e";
    /// What the application may say instead of its secret: the token of a service account.
    pub const ASSERTION: &str = "an-assertion-that-nobody-may-see";
    /// What `X-IDENTITY-HEADER` has to say for the managed identity to get one.
    pub const IDENTITY_HEADER: &str = "a-header-that-nobody-may-see";
    /// What tokens are for.
    pub const RESOURCE: &str = "https://vault.azure.net";
    /// The secret of the application.
    pub const SECRET: &str = "a-secret-that-nobody-may-see";
    /// The tenant of all this.
    pub const TENANT: &str = "00000000-0000-0000-0000-0000000007e4";

    /// Starts it, without any key.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        let tls = TlsFiles::create();
        let state = Arc::new(Mutex::new(State::default()));
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = std::sync::mpsc::channel();
        let acceptor = server::acceptor(&tls);
        let shared = Arc::clone(&state);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = server::serve(acceptor, shared, ready) => {}
                    _dropped = stopped => {}
                }
            });
        });
        Self {
            address: address.recv().unwrap(),
            state,
            stop: Some(stop),
            thread: Some(thread),
            tls,
        }
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The root that it is trusted by.
    #[must_use]
    pub fn root(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(&self.tls.read("cert.pem")).unwrap()
    }

    /// The PEM file of the root that it is trusted by.
    #[must_use]
    pub fn root_file(&self) -> String {
        self.tls.path("cert.pem")
    }

    /// What Azure's own tools are told by: the application and its secret, where it gets tokens,
    /// and whom to trust. `AZURE_KEYVAULT_RESOURCE` is ours: no name of this machine is below
    /// `vault.azure.net`.
    #[must_use]
    pub fn variables(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("AZURE_AUTHORITY_HOST", format!("https://{}", self.address)),
            ("AZURE_CLIENT_ID", Self::CLIENT.to_owned()),
            ("AZURE_CLIENT_SECRET", Self::SECRET.to_owned()),
            ("AZURE_KEYVAULT_RESOURCE", Self::RESOURCE.to_owned()),
            ("AZURE_TENANT_ID", Self::TENANT.to_owned()),
            ("SSL_CERT_FILE", self.root_file()),
        ])
    }

    /// The same for the managed identity.
    #[must_use]
    pub fn identity_variables(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("AZURE_KEYVAULT_RESOURCE", Self::RESOURCE.to_owned()),
            (
                "IDENTITY_ENDPOINT",
                format!("https://{}/msi/token", self.address),
            ),
            ("IDENTITY_HEADER", Self::IDENTITY_HEADER.to_owned()),
            ("SSL_CERT_FILE", self.root_file()),
        ])
    }

    /// Makes a key, or a new version of one, and returns the version.
    pub fn create_key(&self, name: &str, kind: KeyKind) -> String {
        self.state().create_key(&self.address, name, kind)
    }

    /// Changes what the vault says, and heeds, about the newest version of a key:
    /// `{"key": {…}, "attributes": {…}}`.
    #[track_caller]
    pub fn change_key(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut state = self.state();
        let key = state.key_mut(name, None).unwrap();
        change(&mut key.described);
    }

    /// What to do with the next requests to the vault that come with a token.
    pub fn then(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().replies.extend(replies);
    }

    /// What to do with the next requests for a token.
    pub fn then_for_tokens(&self, replies: impl IntoIterator<Item = Reply>) {
        self.state().token_replies.extend(replies);
    }

    /// For which resource a token is wanted from now on.
    pub fn want(&self, resource: &str) {
        resource.clone_into(&mut self.state().resource);
    }

    /// A token, as Microsoft Entra ID would give one.
    pub fn token(&self) -> String {
        self.state().give(Self::RESOURCE)
    }

    /// How long tokens are good for from now on, in seconds.
    pub fn token_lifetime(&self, seconds: u32) {
        self.state().token_lifetime = seconds;
    }

    /// Takes none of the tokens any more that it gave out.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    /// The requests to the vault since the last time.
    pub fn seen(&self) -> Vec<Seen> {
        core::mem::take(&mut self.state().seen)
    }

    /// The requests for tokens since the last time.
    pub fn seen_for_tokens(&self) -> Vec<Seen> {
        core::mem::take(&mut self.state().seen_for_tokens)
    }

    /// How often somebody connected.
    pub fn connections(&self) -> u32 {
        self.state().connections
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for AzureKeyVault {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Reply {
    /// A success with this body.
    pub fn body(body: impl ToString) -> Self {
        Self::Say(200, Vec::new(), body.to_string())
    }

    /// A refusal as the vault writes it; `inner` is the name of the narrower reason.
    #[must_use]
    pub fn refusal(status: u16, code: &str, inner: Option<&str>, message: &str) -> Self {
        let body = state::refusal(code, inner, message);
        Self::Say(status, Vec::new(), body.to_string())
    }

    /// A refusal as Microsoft Entra ID writes it.
    #[must_use]
    pub fn token_refusal(status: u16, error: &str, code: u32, description: &str) -> Self {
        let body = tokens::refusal(error, code, description);
        Self::Say(status, Vec::new(), body.to_string())
    }
}
