use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// A port that stays, before a service that comes and goes.
pub(crate) struct Relay {
    pub(crate) address: String,
    target: watch::Sender<Option<String>>,
    task: AbortHandle,
}

impl Relay {
    pub(crate) async fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (target, watched) = watch::channel(Some(target.to_owned()));
        let task = tokio::spawn(async move {
            loop {
                let (mut from, _peer) = listener.accept().await.unwrap();
                let mut watched = watched.clone();
                let Some(target) = watched.borrow_and_update().clone() else {
                    continue;
                };
                tokio::spawn(async move {
                    let copy = async {
                        let mut to = TcpStream::connect(target).await?;
                        copy_bidirectional(&mut from, &mut to).await
                    };
                    tokio::select! {
                        _ended = copy => {}
                        _changed = watched.changed() => {}
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

    /// Connects to another address from now on, or to none; what is connected is cut.
    pub(crate) fn to(&self, target: Option<&str>) {
        self.target.send_replace(target.map(str::to_owned));
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
