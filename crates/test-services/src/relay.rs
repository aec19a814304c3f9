use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::AbortHandle,
};

/// A port that stays, before a service that comes and goes.
#[derive(Debug)]
#[non_exhaustive]
pub struct Relay {
    /// Host and port, always the same.
    pub address: String,
    state: watch::Sender<State>,
    task: AbortHandle,
}

#[derive(Clone, Debug)]
enum State {
    Closed,
    Silent,
    To(String),
}

impl Relay {
    /// Connects whoever comes to `target`, which is host and port.
    pub async fn start(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (state, watched) = watch::channel(State::To(target.to_owned()));
        let task = tokio::spawn(async move {
            loop {
                let (from, _peer) = listener.accept().await.unwrap();
                tokio::spawn(carry(from, watched.clone()));
            }
        });
        Self {
            address,
            state,
            task: task.abort_handle(),
        }
    }

    /// Connects to another address from now on, or closes what comes; what is connected is cut.
    pub fn to(&self, target: Option<&str>) {
        let state = target.map_or(State::Closed, |target| State::To(target.to_owned()));
        self.state.send_replace(state);
    }

    /// Takes every connection from now on, and keeps those that there are; no byte comes through.
    pub fn silence(&self) {
        self.state.send_replace(State::Silent);
    }
}

async fn carry(mut from: TcpStream, mut watched: watch::Receiver<State>) {
    let state = watched.borrow_and_update().clone();
    if let State::To(target) = &state {
        let copy = async {
            let mut to = TcpStream::connect(target).await?;
            copy_bidirectional(&mut from, &mut to).await
        };
        tokio::select! {
            _ended = copy => return,
            _changed = watched.changed() => {}
        }
    }
    if matches!(*watched.borrow_and_update(), State::Silent) {
        // Until there is something else to do, or the relay is gone.
        drop(watched.changed().await);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
