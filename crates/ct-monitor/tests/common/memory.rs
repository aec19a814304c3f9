use std::sync::{Arc, Mutex};

use fulcio_ct_monitor::{AlarmKind, Channel, ChannelError, Event};

/// Remembers what it was told. It can be told to refuse.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    name: String,
    told: Arc<Mutex<Vec<Event>>>,
    /// How many more events it takes.
    patience: Arc<Mutex<usize>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self::named("memory")
    }
}

impl Memory {
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            told: Arc::default(),
            patience: Arc::new(Mutex::new(usize::MAX)),
        }
    }

    /// Takes so many more events and then none.
    pub(crate) fn take_only(&self, count: usize) {
        *self.patience.lock().unwrap() = count;
    }

    pub(crate) fn told(&self) -> Vec<Event> {
        self.told.lock().unwrap().clone()
    }

    /// The indices of the certificates that it was told of.
    pub(crate) fn indices(&self) -> Vec<u64> {
        let told = self.told();
        let indices = told.iter().filter_map(|event| match event {
            Event::Certificate(sighting) => Some(sighting.index),
            _ => None,
        });
        indices.collect()
    }

    /// Alarms, and with `false` the ends of alarms.
    pub(crate) fn alarms(&self) -> Vec<(AlarmKind, bool)> {
        let told = self.told();
        let alarms = told.iter().filter_map(|event| match event {
            Event::Alarm(alarm) => Some((alarm.kind, true)),
            Event::AlarmEnded(alarm) => Some((alarm.kind, false)),
            _ => None,
        });
        alarms.collect()
    }
}

impl Channel for Memory {
    fn name(&self) -> &str {
        &self.name
    }

    fn tell(&self, event: &Event) -> Result<(), ChannelError> {
        let mut patience = self.patience.lock().unwrap();
        *patience = patience.checked_sub(1).ok_or("nobody listens")?;
        self.told.lock().unwrap().push(event.clone());
        Ok(())
    }
}
