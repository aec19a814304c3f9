use std::sync::{Arc, Mutex};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet},
};

/// A port that stays, before a Vault that comes and goes.
pub(crate) struct Relay {
    pub(crate) address: String,
    target: Arc<Mutex<Option<String>>>,
    task: AbortHandle,
}

impl Relay {
    pub(crate) async fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let target = Arc::new(Mutex::new(Some(target.to_owned())));
        let shared = Arc::clone(&target);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (mut from, _peer) = listener.accept().await.unwrap();
                let Some(target) = shared.lock().unwrap().clone() else {
                    continue;
                };
                connections.spawn(async move {
                    if let Ok(mut to) = TcpStream::connect(target).await {
                        drop(copy_bidirectional(&mut from, &mut to).await);
                    }
                });
            }
        });
        Self {
            address,
            target,
            task: task.abort_handle(),
        }
    }

    /// Connects to another address from now on, or closes what comes.
    pub(crate) fn to(&self, target: Option<&str>) {
        *self.target.lock().unwrap() = target.map(str::to_owned);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
