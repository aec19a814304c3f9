use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Channel, ChannelError, Event};

/// What has still to be told, and to whom, in the order in which it happened.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Outbox(Vec<Pending>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    event: Event,
    /// The names of the channels that have not got it.
    to: Vec<String>,
}

impl Outbox {
    pub(crate) fn push(&mut self, event: Event, to: Vec<String>) {
        self.0.push(Pending { event, to });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is so much in it that nothing should be added before something is told.
    pub(crate) fn is_full(&self) -> bool {
        let weight = self.0.iter().map(|pending| weight(&pending.event));
        self.0.len() >= MAX_EVENTS || weight.sum::<usize>() >= MAX_BYTES
    }

    /// Whether not even alarms may be added, of which a log can make as many as it likes.
    pub(crate) fn is_overfull(&self) -> bool {
        self.0.len() >= MAX_EVENTS + ROOM_FOR_ALARMS
    }

    /// Forgets channels that are gone; gives the number of events that nobody is left to be told of.
    pub(crate) fn retain(&mut self, channels: &[Arc<dyn Channel>]) -> usize {
        for pending in &mut self.0 {
            let known = |name: &String| channels.iter().any(|it| it.name() == name);
            pending.to.retain(known);
        }
        let before = self.0.len();
        self.clear_told();
        before - self.0.len()
    }

    /// Tells one channel what it has not got, up to the first failure; gives how many it got.
    pub(crate) fn tell(&mut self, channel: &dyn Channel) -> (usize, Result<(), ChannelError>) {
        let mut told = 0;
        let mut result = Ok(());
        for pending in &mut self.0 {
            let Some(place) = pending.to.iter().position(|name| name == channel.name()) else {
                continue;
            };
            if let Err(error) = channel.tell(&pending.event) {
                result = Err(error);
                break;
            }
            pending.to.remove(place);
            told += 1;
        }
        self.clear_told();
        (told, result)
    }

    fn clear_told(&mut self) {
        self.0.retain(|pending| !pending.to.is_empty());
    }
}

/// About how many bytes an event takes in memory.
fn weight(event: &Event) -> usize {
    match event {
        Event::Certificate(sighting) => 2 * sighting.tbs_certificate.len(),
        Event::Alarm(_) | Event::AlarmEnded(_) | Event::Unreadable(_) => 1024,
    }
}

/// Events that may wait.
const MAX_EVENTS: usize = 1000;

/// Events that may wait beyond those, when they are alarms.
const ROOM_FOR_ALARMS: usize = 100;

/// Bytes of events that may wait, about.
const MAX_BYTES: usize = 8 << 20;
