use std::{path::PathBuf, sync::Arc, time::SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fulcio_ct_log::reader::{Error as ReadError, Source};

use crate::{
    Alarm, AlarmKind, Channel, ChannelError, Error, Event, MonitoredLog, Sighting, Subject,
    Unreadable, Watch,
    fault::Fault,
    head::Head,
    instant::{millis, rfc3339},
    log_view::LogView,
    logged_entry::{Content, LoggedEntry},
    state::State,
    store::{Evidence, Store},
    tile_cache::TileCache,
};

/// Follows one log.
///
/// It remembers in a folder how far it got, and what it has still to tell: an entry counts as seen
/// when what has to be told of it is on the disk as well, and as told when the channel has taken it
/// and that is on the disk. A crash between the two has it told again.
#[derive(Debug)]
pub struct Monitor<S> {
    name: String,
    stopped_after: u64,
    log: LogView<S>,
    watches: Vec<Watch>,
    channels: Vec<Arc<dyn Channel>>,
    store: Store,
    state: Option<State>,
}

/// What came of one look at a log.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Polled {
    /// What the log does wrong, now and before.
    pub alarms: Vec<Alarm>,
    /// Whether every entry was looked at that the log has signed.
    pub caught_up: bool,
    /// How many entries were looked at this time.
    pub entries: u64,
    /// Why the log was not read further.
    pub failure: Option<Error>,
    /// Channels that were not told, and why.
    pub untold: Vec<(String, ChannelError)>,
    /// How many events wait to be told.
    pub waiting: usize,
}

impl<S: Source> Monitor<S> {
    /// Goes on with `log`, read from `source`, where the state in `folder` ends, or begins at its
    /// first entry.
    ///
    /// The source has the paths of static-ct, or those below the URL of an RFC 6962 log, such as
    /// `ct/v1/get-sth`.
    ///
    /// # Errors
    ///
    /// The folder cannot be used, is in use, is damaged, or is another log's; or a watch tells a
    /// channel that there is not.
    pub fn open(
        log: MonitoredLog,
        source: S,
        folder: impl Into<PathBuf>,
        watches: Vec<Watch>,
        channels: Vec<Arc<dyn Channel>>,
    ) -> Result<Self, Error> {
        for watch in &watches {
            watch.check_channels(&channels)?;
        }
        let view = LogView {
            protocol: log.protocol,
            origin: log.origin,
            key: log.key,
            source: TileCache::new(source),
        };
        let store = Store::open(folder.into())?;
        let state = State::load(&store, &view)?;
        Ok(Self {
            name: log.name,
            stopped_after: u64::try_from(log.stopped_after.as_millis()).unwrap_or(u64::MAX),
            log: view,
            watches,
            channels,
            store,
            state,
        })
    }

    /// Takes out of the state what was to be told to channels that are no longer there; gives the
    /// number of events that nobody was told of.
    ///
    /// # Errors
    ///
    /// The state cannot be written.
    pub fn drop_orphans(&mut self) -> Result<usize, Error> {
        let Some(state) = &mut self.state else {
            return Ok(0);
        };
        let dropped = state.outbox.retain(&self.channels);
        if dropped > 0 {
            state.save(&self.store, &self.log)?;
        }
        Ok(dropped)
    }

    /// Looks at the log at the time `now`: its tree head, then a bounded number of new entries; and
    /// tells what there is to tell. It blocks for as long as source and channels do.
    ///
    /// What the log does wrong is in the answer, and so is why it or a channel could not be reached.
    ///
    /// # Errors
    ///
    /// The state cannot be written.
    pub fn poll(&mut self, now: SystemTime) -> Result<Polled, Error> {
        let now = millis(now);
        let mut turn = Turn {
            name: &self.name,
            log: &self.log,
            watches: &self.watches,
            channels: &self.channels,
            store: &self.store,
            state: self.state.get_or_insert_with(|| State::new(now)),
            now,
            bad_entry: false,
            polled: Polled::default(),
        };
        turn.log.source.forget();
        turn.tell()?;
        if !turn.state.outbox.is_overfull() {
            turn.look()?;
            turn.read()?;
            turn.judge_silence(self.stopped_after)?;
        }
        turn.save()?;
        turn.tell()?;
        Ok(turn.finish())
    }
}

/// One poll under way.
struct Turn<'a, S> {
    name: &'a str,
    log: &'a LogView<S>,
    watches: &'a [Watch],
    channels: &'a [Arc<dyn Channel>],
    store: &'a Store,
    state: &'a mut State,
    now: u64,
    /// Whether it was noticed in this poll that the log serves what is not in its tree.
    bad_entry: bool,
    polled: Polled,
}

impl<S: Source> Turn<'_, S> {
    /// Fetches the tree head and compares it with the one before.
    fn look(&mut self) -> Result<(), Error> {
        match self.next_head() {
            Ok(head) => {
                let alive = head.timestamp.min(self.now);
                let newer = self.state.head.as_ref();
                if newer.is_none_or(|before| head.timestamp > before.timestamp) {
                    self.state.fresh = self.state.fresh.max(alive);
                }
                if newer.is_none_or(|before| {
                    (head.size, head.timestamp) > (before.size, before.timestamp)
                }) {
                    self.state.head = Some(head);
                }
                for kind in [AlarmKind::BadSignature, AlarmKind::Fork, AlarmKind::Shrink] {
                    self.end(kind);
                }
                Ok(())
            }
            Err(fault) => self.suffer(fault),
        }
    }

    /// The tree head that the log serves, verified to be consistent with the one before.
    fn next_head(&self) -> Result<Head, Fault> {
        let raw = self.log.fetch_head();
        let raw = raw.map_err(|error| Fault::Failure(error.into()))?;
        let head = self.log.head(raw).map_err(Fault::of_head)?;
        let Some(before) = &self.state.head else {
            return Ok(head);
        };
        let contradiction = |kind, detail| {
            Err(Fault::Alarm {
                kind,
                detail,
                evidence: Some(Evidence {
                    before: before.raw.clone(),
                    after: head.raw.clone(),
                }),
            })
        };
        let shrunk = || {
            let detail = format!(
                "it signed a tree of {} entries, and now one of {}",
                before.size, head.size
            );
            contradiction(AlarmKind::Shrink, detail)
        };
        if head.size < before.size && head.timestamp >= before.timestamp {
            return shrunk();
        }
        let (small, large) = if head.size < before.size {
            (&head, before)
        } else {
            (before, &head)
        };
        let consistent = if small.size == large.size {
            let same = small.root == large.root;
            same.then_some(()).ok_or(ReadError::Proof)
        } else {
            self.log.consistency(small, large)
        };
        match consistent {
            Ok(()) => Ok(head),
            Err(ReadError::Proof) => {
                let detail = format!(
                    "its tree of {} entries does not begin with its tree of {} entries",
                    large.size, small.size
                );
                contradiction(AlarmKind::Fork, detail)
            }
            // An old tree head may come from a cache; then the log still has all of its tree.
            Err(ReadError::Missing { .. }) if head.size < before.size => shrunk(),
            Err(ReadError::Inconsistent) => {
                let detail = "its hashes are not those of the tree that it signed".to_owned();
                contradiction(AlarmKind::BadEntry, detail)
            }
            Err(error) => Err(Fault::Failure(error.into())),
        }
    }

    /// Looks at new entries, as many as one poll may.
    fn read(&mut self) -> Result<(), Error> {
        for _ in 0..BATCHES {
            let Some(head) = self.state.head.as_ref() else {
                return Ok(());
            };
            let first = self.state.seen.size();
            if first >= head.size {
                break;
            }
            if self.state.outbox.is_full() {
                // Whoever has to be told does not listen; that is not the log's fault.
                return Ok(());
            }
            match self.log.next(head, &self.state.seen) {
                Ok(entries) => {
                    for entry in &entries {
                        self.take(entry);
                        if self.state.outbox.is_full() {
                            break;
                        }
                    }
                    self.state.withheld = None;
                    if self.state.outbox.len() > 0 {
                        self.save()?;
                        self.tell()?;
                    }
                }
                Err(error) => {
                    self.state.withheld.get_or_insert(self.now);
                    return self.suffer(Fault::of_entries(error, first));
                }
            }
        }
        if !self.bad_entry {
            self.end(AlarmKind::BadEntry);
        }
        Ok(())
    }

    /// Looks at one entry, which is proven to be the next one.
    fn take(&mut self, entry: &LoggedEntry) {
        let index = self.state.seen.size();
        self.state.seen.push(entry.hash);
        self.polled.entries += 1;
        let id = format!("{}#{index}", self.name);
        let (subject, tbs) = match read_subject(&entry.content) {
            Ok(read) => read,
            Err(problem) => return self.cannot_read(id, index, vec![problem]),
        };
        let watches = self.watches.iter();
        let watches: Vec<&Watch> = watches.filter(|it| it.matches(&subject)).collect();
        if watches.is_empty() {
            if !subject.problems.is_empty() {
                self.cannot_read(id, index, subject.problems);
            }
            return;
        }
        let sighting = Sighting {
            id,
            log: self.name.to_owned(),
            index,
            timestamp_ms: entry.timestamp,
            time: rfc3339(entry.timestamp),
            watches: watches.iter().map(|it| it.name().to_owned()).collect(),
            certificate: subject,
            precertificate: matches!(entry.content, Content::Precertificate { .. }),
            tbs_certificate: STANDARD.encode(tbs),
        };
        let to = self.channels.iter().map(|channel| channel.name());
        let to = to.filter(|name| watches.iter().any(|watch| watch.tells(name)));
        let to = to.map(str::to_owned).collect();
        self.state
            .outbox
            .push(Event::Certificate(Box::new(sighting)), to);
    }

    fn cannot_read(&mut self, id: String, index: u64, problems: Vec<String>) {
        let event = Event::Unreadable(Unreadable {
            id,
            log: self.name.to_owned(),
            index,
            problems,
        });
        self.everybody(event);
    }

    /// Judges how long the log has had nothing new to say.
    fn judge_silence(&mut self, limit: u64) -> Result<(), Error> {
        let longer = |since: u64| self.now.saturating_sub(since) > limit;
        let when = |since| rfc3339(since).unwrap_or_default();
        let detail = match self.state.withheld {
            _ if longer(self.state.fresh) => {
                format!("it has signed nothing new since {}", when(self.state.fresh))
            }
            Some(since) if longer(since) => format!(
                "it has not served entry {} of the tree that it signed since {}",
                self.state.seen.size(),
                when(since)
            ),
            _ => {
                self.end(AlarmKind::Stopped);
                return Ok(());
            }
        };
        self.suffer(Fault::alarm(AlarmKind::Stopped, detail))
    }

    /// Keeps in mind that the log was not read to its end. An alarm that stands is not told again.
    fn suffer(&mut self, fault: Fault) -> Result<(), Error> {
        if let Fault::Alarm { kind, .. } = &fault {
            self.bad_entry |= *kind == AlarmKind::BadEntry;
        }
        match fault {
            Fault::Failure(error) => {
                self.polled.failure.get_or_insert(error);
            }
            Fault::Alarm { kind, .. } if self.state.alarms.iter().any(|it| it.kind == kind) => {}
            Fault::Alarm {
                kind,
                detail,
                evidence,
            } => {
                let evidence = match evidence {
                    Some(evidence) => self.store.keep_evidence(kind, &evidence)?,
                    None => None,
                };
                let alarm = Alarm {
                    id: format!("{}#{kind}#{}", self.name, self.now).replace(' ', "-"),
                    log: self.name.to_owned(),
                    kind,
                    detail,
                    since: rfc3339(self.now).unwrap_or_default(),
                    evidence,
                };
                self.state.alarms.push(alarm.clone());
                self.everybody(Event::Alarm(alarm));
            }
        }
        Ok(())
    }

    fn end(&mut self, kind: AlarmKind) {
        let place = self.state.alarms.iter().position(|it| it.kind == kind);
        if let Some(place) = place {
            let alarm = self.state.alarms.remove(place);
            self.everybody(Event::AlarmEnded(alarm));
        }
    }

    fn everybody(&mut self, event: Event) {
        let names = self.channels.iter().map(|it| it.name().to_owned());
        self.state.outbox.push(event, names.collect());
    }

    /// Tells every channel what it has not got; one that failed is left alone until the next poll.
    fn tell(&mut self) -> Result<(), Error> {
        let mut told = 0;
        for channel in self.channels {
            if self
                .polled
                .untold
                .iter()
                .any(|(name, _)| name == channel.name())
            {
                continue;
            }
            let (count, result) = self.state.outbox.tell(&**channel);
            told += count;
            if let Err(error) = result {
                self.polled.untold.push((channel.name().to_owned(), error));
            }
        }
        if told > 0 { self.save() } else { Ok(()) }
    }

    fn save(&self) -> Result<(), Error> {
        self.state.save(self.store, self.log)
    }

    fn finish(self) -> Polled {
        let size = self.state.head.as_ref().map(|head| head.size);
        Polled {
            alarms: self.state.alarms.clone(),
            caught_up: size == Some(self.state.seen.size()),
            waiting: self.state.outbox.len(),
            ..self.polled
        }
    }
}

impl Content {
    /// What it says, as far as that can be read; nothing where it is not a certificate.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        let (subject, _tbs) = read_subject(self).ok()?;
        Some(subject)
    }
}

/// What an entry says, and the `TBSCertificate` that says it.
fn read_subject(content: &Content) -> Result<(Subject, &[u8]), String> {
    let (Content::Certificate(der) | Content::Precertificate { tbs: der, .. }) = content else {
        return Err("it is of a type that RFC 6962 does not have".to_owned());
    };
    if der.len() > MAX_CERTIFICATE {
        return Err(format!("it is larger than {MAX_CERTIFICATE} bytes"));
    }
    let read = match content {
        Content::Precertificate { .. } => Subject::of_tbs(der).map(|subject| (subject, &der[..])),
        _ => Subject::of_certificate(der),
    };
    read.map_err(|error| format!("it is not a certificate: {error}"))
}

/// Batches of entries that one poll looks at, so that the tree head is looked at again in between.
const BATCHES: usize = 64;

/// Bytes of a certificate that is looked into.
const MAX_CERTIFICATE: usize = 256 << 10;
