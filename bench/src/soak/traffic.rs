use core::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    time::Duration,
};
use std::{rc::Rc, time::Instant};

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::Value;
use tokio::{net::TcpSocket, task::spawn_local, time::timeout};

use super::{
    judge::{Asked, Judge, Outcome, Side},
    ledger::Ledger,
    people::{Group, Letters, People, case},
};
use crate::{
    case::Api,
    check::check,
    connection::{Answer, Connection},
    material::Subject,
    open_loop::Tickets,
};

/// What is asked of one server, as often as it is due, over as many connections as it takes.
#[derive(Debug)]
pub(crate) struct Traffic {
    side: Side,
    http: SocketAddr,
    grpc: SocketAddr,
    begun: Instant,
    troubled: Vec<Letters>,
    others: Vec<Letters>,
    guests: Letters,
    forgers: Vec<Letters>,
    /// How often the troubled provider has had new keys.
    generation: Rc<Cell<usize>>,
    judge: Rc<RefCell<Judge>>,
    pub(crate) ledger: RefCell<Ledger>,
    idle: RefCell<Vec<(Instant, Api, Connection)>>,
    opened: Cell<u8>,
    /// Whether little is asked for now.
    pub(crate) rests: Cell<bool>,
    pub(crate) in_flight: Cell<u64>,
    pub(crate) most_in_flight: Cell<u64>,
}

impl Traffic {
    pub(crate) fn new(
        (side, http, grpc): (Side, SocketAddr, SocketAddr),
        begun: Instant,
        people: &People,
        generation: &Rc<Cell<usize>>,
        judge: &Rc<RefCell<Judge>>,
    ) -> Result<Self> {
        let letters = |group: &Group| Letters::new(group, http, grpc);
        let all = |groups: &[Group]| groups.iter().map(letters).collect::<Result<Vec<_>>>();
        Ok(Self {
            side,
            http,
            grpc,
            begun,
            troubled: all(&people.troubled)?,
            others: all(&people.others)?,
            guests: letters(&people.guests)?,
            forgers: all(&people.forgers)?,
            generation: Rc::clone(generation),
            judge: Rc::clone(judge),
            ledger: RefCell::default(),
            idle: RefCell::default(),
            opened: Cell::default(),
            rests: Cell::default(),
            in_flight: Cell::default(),
            most_in_flight: Cell::default(),
        })
    }

    /// Sends what is due until nothing more will be.
    pub(crate) async fn follow(self: Rc<Self>, tickets: Tickets) {
        loop {
            let ticket = tickets.lock().await.recv().await;
            let Some((number, due)) = ticket else { return };
            if self.rests.get() && !number.is_multiple_of(AT_REST) {
                continue;
            }
            let this = Rc::clone(&self);
            spawn_local(async move { this.one(number, due).await });
        }
    }

    async fn one(&self, number: usize, due: Instant) {
        self.in_flight.update(|count| count + 1);
        self.most_in_flight
            .set(self.most_in_flight.get().max(self.in_flight.get()));
        let api = [Api::V2, Api::Grpc][number % 2];
        let provider = number / 2 % (1 + self.others.len());
        let letters = match provider.checked_sub(1) {
            Some(other) => &self.others[other],
            None => &self.troubled[self.generation.get()],
        };
        let (letter, subject) = letters.letter(api, number / 2 / (1 + self.others.len()));
        let outcome = self.outcome(api, letter, subject).await;
        let asked = self.asked(api, due, provider == 0);
        self.judge.borrow_mut().note(asked, &outcome);
        self.in_flight.update(|count| count - 1);
    }

    fn asked(&self, api: Api, sent: Instant, troubled: bool) -> Asked {
        Asked {
            side: self.side,
            api,
            troubled,
            sent: sent.saturating_duration_since(self.begun),
            ended: self.begun.elapsed(),
        }
    }

    /// Whether somebody of the guests' provider gets a certificate now.
    pub(crate) async fn guest(&self) -> Outcome {
        let (letter, subject) = self.guests.letter(Api::V2, 0);
        self.outcome(Api::V2, letter, subject).await
    }

    /// Presents the forged token of this number.
    pub(crate) async fn forge(&self, number: usize) {
        let api = [Api::V2, Api::Grpc][number % 2];
        let forgers = &self.forgers[number / 2 % self.forgers.len()];
        let (letter, subject) = forgers.letter(api, number);
        let sent = Instant::now();
        let outcome = self.outcome(api, letter, subject).await;
        let asked = self.asked(api, sent, false);
        self.judge.borrow_mut().note_forged(asked, &outcome);
    }

    async fn outcome(&self, api: Api, letter: Request<Full<Bytes>>, subject: &Subject) -> Outcome {
        let answer = match timeout(PATIENCE, self.ask(api, letter)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Outcome::Broken(format!("{error:#}")),
            Err(_elapsed) => return Outcome::Broken(format!("no answer in {PATIENCE:?}")),
        };
        if answer.failure.is_some() {
            return refused(api, &answer);
        }
        match self.keep(api, &answer.body, subject) {
            Ok(()) => Outcome::Issued,
            Err(error) => Outcome::Broken(format!("{error:#}")),
        }
    }

    fn keep(&self, api: Api, body: &[u8], subject: &Subject) -> Result<()> {
        let mut ledger = self.ledger.borrow_mut();
        let count = ledger.enter(body, subject.email())?;
        if count.is_multiple_of(CHECKED) {
            check(case(api), subject, body)?;
            ledger.checked += 1;
        }
        Ok(())
    }

    async fn ask(&self, api: Api, letter: Request<Full<Bytes>>) -> Result<Answer> {
        let mut connection = match self.kept(api) {
            Some(connection) => connection,
            None => self.open(api).await?,
        };
        let answer = connection.ask(letter).await?;
        self.idle
            .borrow_mut()
            .push((Instant::now(), api, connection));
        Ok(answer)
    }

    /// The connection that was used last; old ones, which the server is about to close, are not.
    fn kept(&self, api: Api) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        idle.retain(|(since, ..)| since.elapsed() < KEPT);
        let place = idle
            .iter()
            .rposition(|(_, of, connection)| *of == api && !connection.is_closed())?;
        Some(idle.remove(place).2)
    }

    /// Clients have several addresses, as limits are for each.
    async fn open(&self, api: Api) -> Result<Connection> {
        self.opened.set(self.opened.get() % 8 + 1);
        let socket = TcpSocket::new_v4()?;
        socket.bind(([127, 0, 1, self.opened.get()], 0).into())?;
        let address = match api {
            Api::Grpc => self.grpc,
            Api::V1 | Api::V2 => self.http,
        };
        let stream = socket.connect(address).await.context("connecting")?;
        Connection::over(stream, api).await
    }
}

/// How this answer refuses.
fn refused(api: Api, answer: &Answer) -> Outcome {
    let failure = answer.failure.as_deref().unwrap_or_default();
    let code = failure
        .rsplit(' ')
        .next()
        .and_then(|code| code.parse().ok());
    let Some(code) = code else {
        return Outcome::Broken(failure.to_owned());
    };
    let text = match (api, &answer.message) {
        (Api::Grpc, Some(message)) => message.clone(),
        _ => serde_json::from_slice::<Value>(&answer.body)
            .ok()
            .and_then(|body| Some(body.get("message")?.as_str()?.to_owned()))
            .unwrap_or_else(|| String::from_utf8_lossy(&answer.body).into_owned()),
    };
    Outcome::Refused(code, text)
}

/// At rest one of so many requests is sent: an allocator gives back what a burst has needed when it is asked for
/// something. Odd, so that both protocols have their turn.
const AT_REST: usize = 31;
/// Longer than a request may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Half of the time after which the server closes a connection without a request.
const KEPT: Duration = Duration::from_secs(15);
/// One of so many certificates is read closely when it comes.
const CHECKED: usize = 200;
