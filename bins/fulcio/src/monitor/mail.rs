use core::fmt;

use fulcio_ct_monitor::{Alarm, Channel, ChannelError, Event, Sighting};
use lettre::{
    Message, SmtpTransport, Transport as _,
    message::{Mailbox, header::ContentType},
};

use crate::output::harmless;

/// Addresses that get each event as a mail.
pub(super) struct Mail {
    pub(super) from: Mailbox,
    pub(super) name: String,
    pub(super) to: Vec<Mailbox>,
    pub(super) transport: SmtpTransport,
}

impl Channel for Mail {
    fn name(&self) -> &str {
        &self.name
    }

    fn tell(&self, event: &Event) -> Result<(), ChannelError> {
        let mut message = Message::builder()
            .from(self.from.clone())
            .message_id(Some(message_id(event)))
            .subject(harmless(&subject(event)))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let message = message.body(body(event)?)?;
        self.transport.send(&message)?;
        Ok(())
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The same for an event that is told again, so that mail programs can show it once.
fn message_id(event: &Event) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '.' };
    let id: String = event.id().chars().map(plain).collect();
    let end = match event {
        Event::AlarmEnded(_) => ".ended",
        _ => "",
    };
    format!("<{id}{end}@fulcio-monitor>")
}

fn subject(event: &Event) -> String {
    match event {
        Event::Alarm(alarm) => format!("Alarm: {} in {}", alarm.kind, alarm.log),
        Event::AlarmEnded(alarm) => format!("Alarm ended: {} in {}", alarm.kind, alarm.log),
        Event::Certificate(sighting) => {
            let names: Vec<_> = names(sighting).collect();
            format!("Certificate for {} in {}", names.join(", "), sighting.log)
        }
        _ => format!("An entry that cannot be read in {}", event.log()),
    }
}

fn names(sighting: &Sighting) -> impl Iterator<Item = &str> {
    let identities = sighting.certificate.identities.iter();
    identities.map(|identity| identity.value.as_str()).take(5)
}

/// A few lines for people, and the event as JSON for machines.
fn body(event: &Event) -> Result<String, serde_json::Error> {
    let mut lines = match event {
        Event::Alarm(alarm) => alarm_lines(alarm),
        Event::AlarmEnded(alarm) => {
            let mut lines = vec!["What follows is no longer so. It was:".to_owned()];
            lines.extend(alarm_lines(alarm));
            lines
        }
        Event::Certificate(sighting) => sighting_lines(sighting),
        _ => vec![
            format!("The log {} has an entry that is not a", event.log()),
            "certificate that can be read, so nobody knows for whom it is.".to_owned(),
        ],
    };
    lines.push(String::new());
    let lines: Vec<_> = lines.iter().map(|line| harmless(line)).collect();
    let json = serde_json::to_string_pretty(event)?;
    Ok(format!("{}\n{json}\n", lines.join("\n")))
}

fn alarm_lines(alarm: &Alarm) -> Vec<String> {
    let mut lines = vec![
        format!(
            "The log {} does what a log must not do: {}.",
            alarm.log, alarm.kind
        ),
        format!("In words: {}.", alarm.detail),
        format!("Noticed: {}", alarm.since),
    ];
    if let Some(evidence) = &alarm.evidence {
        lines.push(format!(
            "Evidence, in the folder of the monitor: {evidence}"
        ));
    }
    lines
}

fn sighting_lines(sighting: &Sighting) -> Vec<String> {
    let certificate = &sighting.certificate;
    let mut lines = vec![
        "A certificate was issued. If nobody who may have asked for it did,".to_owned(),
        "the identity or its provider is in somebody else's hands.".to_owned(),
        String::new(),
        format!("Watch: {}", sighting.watches.join(", ")),
    ];
    lines.extend(names(sighting).map(|name| format!("Identity: {name}")));
    for extension in certificate.extensions.iter().take(30) {
        let name = extension.name.as_ref().unwrap_or(&extension.oid);
        lines.push(format!("{name}: {}", extension.value));
    }
    lines.push(format!("Valid from: {}", certificate.not_before));
    lines.push(format!("Valid until: {}", certificate.not_after));
    lines.push(format!("Serial number: {}", certificate.serial_number));
    lines.push(format!("Log: {}, entry {}", sighting.log, sighting.index));
    lines
}
