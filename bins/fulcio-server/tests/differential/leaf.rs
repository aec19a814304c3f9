use fulcio_ct_client::decode_sct_list;
use x509_cert::{
    Certificate,
    der::{Decode as _, Encode as _, asn1::OctetString},
    ext::Extension,
};

const TIMESTAMPS: &str = "1.3.6.1.4.1.11129.2.4.2";

/// All that is said of a certificate, but what no two have in common: serial number, dates,
/// signature and timestamps.
pub(super) fn fields(der: &[u8]) -> Vec<(String, String)> {
    let certificate = match Certificate::from_der(der) {
        Ok(certificate) => certificate,
        Err(error) => return vec![("certificate".to_owned(), format!("{error}: {}", hex(der)))],
    };
    let facts = certificate.tbs_certificate();
    let validity = facts.validity();
    let lifetime = validity.not_after.to_unix_duration() - validity.not_before.to_unix_duration();
    // Fulcio reads the clock for each of the dates, and the next second may have begun.
    let lifetime = match lifetime.as_secs() {
        601 => "600 s".to_owned(),
        seconds => format!("{seconds} s"),
    };
    let extensions = facts.extensions().map(Vec::as_slice).unwrap_or_default();
    let order: Vec<_> = extensions
        .iter()
        .map(|one| format!("{}{}", one.extn_id, if one.critical { "!" } else { "" }))
        .collect();
    let mut fields = vec![
        ("version", format!("{:?}", facts.version())),
        ("algorithm", hex(&facts.signature().to_der().unwrap())),
        (
            "outer algorithm",
            hex(&certificate.signature_algorithm().to_der().unwrap()),
        ),
        ("issuer", hex(&facts.issuer().to_der().unwrap())),
        ("lifetime", lifetime),
        ("subject", hex(&facts.subject().to_der().unwrap())),
        (
            "key",
            hex(&facts.subject_public_key_info().to_der().unwrap()),
        ),
        (
            "unique identifiers",
            format!(
                "{:?} {:?}",
                facts.issuer_unique_id(),
                facts.subject_unique_id()
            ),
        ),
        ("extensions", order.join(" ")),
    ]
    .into_iter()
    .map(|(name, value)| (format!("certificate.{name}"), value))
    .collect::<Vec<_>>();
    fields.extend(extensions.iter().map(|one| {
        let name = format!("certificate.extension {}", one.extn_id);
        (name, value(one))
    }));
    fields
}

fn value(extension: &Extension) -> String {
    let der = extension.extn_value.as_bytes();
    if extension.extn_id.to_string() != TIMESTAMPS {
        return format!("{} ({:?})", hex(der), String::from_utf8_lossy(der));
    }
    let list = OctetString::from_der(der).unwrap();
    decode_sct_list(list.as_bytes())
        .unwrap()
        .iter()
        .map(|timestamp| {
            format!(
                "{} {};",
                hex(&timestamp.log_id()),
                hex(timestamp.extensions())
            )
        })
        .collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
