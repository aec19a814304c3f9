use std::{fs, time::Instant};

use fulcio_signer::{Algorithm, Signer};
use fulcio_signer_backends::{OpenOptions, SignerUri, open};
use fulcio_test_services::openssl_verifies;
use fulcio_testkit::signer::{Case, Report, Suite, Verdict};

/// What the suite found out, one line a key.
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
    wrong: Vec<String>,
}

impl Table {
    pub(crate) fn new() -> Self {
        let cases = Case::ALL.map(|case| case.to_string());
        let head = ["back end", "key"].map(str::to_owned);
        let time = "ms a signature".to_owned();
        Self {
            rows: vec![head.into_iter().chain(cases).chain([time]).collect()],
            wrong: Vec::new(),
        }
    }

    /// Adds a line about a signer whose service works.
    pub(crate) async fn add(&mut self, back_end: &str, key: &str, signer: &dyn Signer) {
        let suite = Suite::new();
        self.add_with(back_end, key, signer, &suite, Vec::new())
            .await;
    }

    /// The same with what was found out when the service was made to misbehave.
    pub(crate) async fn add_with(
        &mut self,
        back_end: &str,
        key: &str,
        signer: &dyn Signer,
        suite: &Suite,
        provoked: Vec<Report>,
    ) {
        assert_eq!(named(signer.algorithm()), family(key), "{back_end}, {key}");
        let message = b"to be judged by OpenSSL";
        let begun = Instant::now();
        let mut signature = Vec::new();
        for _ in 0..COUNT {
            signature = signer.sign(message).await.unwrap().0;
        }
        let time = begun.elapsed().as_secs_f64() * 1000.0 / f64::from(COUNT);
        openssl_verifies(signer, message, &signature);

        let report = suite.inspect(signer).await;
        let report = provoked.into_iter().fold(report, Report::and);
        let cells = report.cases().map(|(_case, verdict)| match verdict {
            Verdict::Failed(_) => "FAILED".to_owned(),
            Verdict::NotApplicable(_) => "–".to_owned(),
            Verdict::Passed => "yes".to_owned(),
        });
        let named = [back_end, key].map(str::to_owned).into_iter();
        self.rows
            .push(named.chain(cells).chain([format!("{time:.2}")]).collect());
        if !report.conforms() {
            self.wrong.push(format!("{back_end}, {key}: {report}"));
        }
    }

    /// Shows the table, and fails where a signer does not conform.
    #[track_caller]
    pub(crate) fn conclude(&self) {
        let text = self.text();
        println!("{text}");
        let place = concat!(env!("CARGO_TARGET_TMPDIR"), "/conformance.txt");
        fs::write(place, text).unwrap();
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }

    fn text(&self) -> String {
        let columns = 0..self.rows[0].len();
        let width = |column: usize| {
            let lengths = self.rows.iter().map(|row| row[column].chars().count());
            lengths.max().unwrap()
        };
        let widths: Vec<_> = columns.map(width).collect();
        let line = |row: &[String]| {
            let cells = row.iter().zip(&widths);
            let cells = cells.map(|(cell, &width)| format!(" {cell:width$} |"));
            format!("|{}\n", cells.collect::<String>())
        };
        let rule: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
        let (head, rows) = self.rows.split_first().unwrap();
        let rows: String = rows.iter().map(|row| line(row)).collect();
        format!("{LEGEND}\n{}{}{rows}", line(head), line(&rule))
    }
}

pub(crate) async fn opened(uri: &str, options: &OpenOptions) -> Box<dyn Signer> {
    let opened = open(&SignerUri::parse(uri).unwrap(), options).await;
    opened
        .unwrap_or_else(|error| panic!("{uri}: {error}"))
        .signer
}

fn named(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::EcdsaP256Sha256 => "P-256",
        Algorithm::EcdsaP384Sha384 => "P-384",
        Algorithm::EcdsaP521Sha512 => "P-521",
        Algorithm::Ed25519 => "Ed25519",
        Algorithm::RsaPkcs1Sha256 => "RSA",
        _ => "unknown",
    }
}

/// Without the length.
fn family(key: &str) -> &str {
    key.split_once(' ').map_or(key, |(family, _length)| family)
}

const LEGEND: &str = "\
Every back end, opened by its URI, and what the suite for signers found. – does not apply: a key in
our own memory has no service that could fail, and only some algorithms have such a case.
";
const COUNT: u32 = 20;
