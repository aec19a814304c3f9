use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{
    Case, Pair, Request, Setup,
    table::{ROWS, Row, Shape, Shown},
    verdict::judge,
    view::View,
};
use crate::common::CaFiles;

/// What all parts share: the programs, the authority's files, and what came out so far.
#[derive(Debug)]
pub(crate) struct Stage {
    fulcio: PathBuf,
    log: PathBuf,
    ca: CaFiles,
    begun: Instant,
    results: Mutex<Results>,
}

#[derive(Debug, Default)]
struct Results {
    cases: BTreeMap<String, ()>,
    agreeing: usize,
    meant: usize,
    issued: usize,
    of_rows: BTreeMap<&'static str, usize>,
    faults: Vec<String>,
    slow: Vec<(Duration, String)>,
}

impl Results {
    /// Remembers the cases that took longest.
    fn slowest(&mut self, took: Duration, name: &str) {
        self.slow.push((took, name.to_owned()));
        self.slow.sort();
        self.slow.reverse();
        self.slow.truncate(5);
    }
}

impl Stage {
    pub(crate) fn set(fulcio: PathBuf, log: PathBuf) -> Self {
        let ca = CaFiles::create();
        for name in ["ct", "another"] {
            ca.openssl(&format!(
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"
            ));
            ca.openssl(&format!("pkey -in {name}.key -pubout -out {name}.pub"));
        }
        // Nearly all pairs issue with P-256, whose signatures Go makes and checks in a fraction of the
        // time.
        ca.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out quick.key.pem");
        ca.openssl(
            "req -new -key quick.key.pem -subj /O=Example/CN=quick -config openssl.cnf \
             -out quick.csr",
        );
        ca.openssl(
            "x509 -req -in quick.csr -CA root.pem -CAkey root.plain.pem -sha384 -days 1000 \
             -CAcreateserial -extfile openssl.cnf -extensions intermediate -out quick.pem",
        );
        ca.write(
            "quick.chain.pem",
            &(ca.read("quick.pem") + &ca.read("root.pem")),
        );
        Self {
            fulcio,
            log,
            ca,
            begun: Instant::now(),
            results: Mutex::default(),
        }
    }

    /// Keeps that something else is wrong.
    pub(crate) fn fault(&self, what: &str) {
        self.results().faults.push(what.to_owned());
    }

    /// Sends both the same request, and keeps what comes out.
    #[track_caller]
    pub(crate) fn compare(&self, pair: &Pair, case: Case) {
        let begun = Instant::now();
        let fulcio = View::of(&case.request, &case.request.send(pair.fulcio()));
        let ours = View::of(&case.request, &case.request.send(pair.ours()));
        let fault = judge(&case.rows, &fulcio, &ours);
        self.keep(&case.name, &case.rows, fault, ours.issued);
        self.results().slowest(begun.elapsed(), &case.name);
    }

    /// Whether both load the same configurations; both, where they do.
    #[track_caller]
    pub(crate) fn load(
        &self,
        setup: Setup,
        name: &str,
        rows: &[&str],
        saying: Option<&str>,
    ) -> Option<Pair> {
        let rows: Vec<_> = rows.iter().map(|id| Row::named(id)).collect();
        let has = |shape: Shape| rows.iter().any(|row| row.shown == Shown::Here(shape));
        let mut pair = None;
        let mut written = String::new();
        let fault = match setup.try_start(self).pair() {
            Ok(both) => {
                let asked = Request::get("/api/v2/configuration");
                let fulcio = View::of(&asked, &asked.send(both.fulcio()));
                let ours = View::of(&asked, &asked.send(both.ours()));
                pair = Some(both);
                judge(&rows, &fulcio, &ours)
            }
            Err((ours, fulcio)) => {
                let expected = match (&ours, &fulcio) {
                    (Some(_), None) => has(Shape::NotLoaded),
                    (None, Some(_)) => has(Shape::Loaded),
                    _ => rows.is_empty(),
                };
                written.clone_from(ours.as_ref().unwrap_or(&String::new()));
                let told = |log: Option<String>| log.unwrap_or_else(|| "runs".to_owned());
                (!expected).then(|| {
                    let (fulcio, ours) = (told(fulcio), told(ours));
                    format!("they differ\n      Fulcio {fulcio}\n      ours   {ours}")
                })
            }
        };
        let unsaid = saying.filter(|saying| !written.contains(saying));
        let fault = fault.or_else(|| {
            unsaid.map(|saying| format!("ours does not say {saying:?}, but {written:?}"))
        });
        self.keep(name, &rows, fault, false);
        pair
    }

    fn keep(&self, name: &str, rows: &[&'static Row], fault: Option<String>, issued: bool) {
        let mut results = self.results();
        if results.cases.insert(name.to_owned(), ()).is_some() {
            results
                .faults
                .push(format!("{name}: there are two of this name"));
        }
        results.issued += usize::from(issued);
        match fault {
            Some(fault) => results.faults.push(format!("{name}: {fault}")),
            None if rows.is_empty() => results.agreeing += 1,
            None => {
                results.meant += 1;
                for row in rows {
                    *results.of_rows.entry(row.id).or_default() += 1;
                }
            }
        }
    }

    /// Prints and writes what came out, and fails where something has no explanation; `all` says
    /// whether every part was run.
    #[track_caller]
    pub(crate) fn conclude(self, all: bool) {
        let results = self.results();
        let mut text = String::new();
        writeln!(
            text,
            "differential: {} cases ({} certificates), {} agree, {} differ as meant, {} faults, in {} s",
            results.cases.len(),
            results.issued,
            results.agreeing,
            results.meant,
            results.faults.len(),
            self.begun.elapsed().as_secs()
        )
        .unwrap();
        for (row, count) in &results.of_rows {
            writeln!(text, "{count:6}  {row}").unwrap();
        }
        println!("{text}");
        for (took, name) in &results.slow {
            println!("{:6} ms  {name}", took.as_millis());
        }
        if all {
            fs::write(
                concat!(env!("CARGO_TARGET_TMPDIR"), "/differential.txt"),
                &text,
            )
            .unwrap();
        }
        assert!(results.faults.is_empty(), "{}", results.faults.join("\n\n"));
        let unused: Vec<_> = ROWS
            .iter()
            .filter(|row| matches!(row.shown, Shown::Here(_)))
            .filter(|row| all && !results.of_rows.contains_key(row.id))
            .map(|row| row.id)
            .collect();
        assert!(unused.is_empty(), "no case shows {}", unused.join(", "));
    }

    pub(super) fn fulcio(&self) -> &Path {
        &self.fulcio
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    pub(super) fn ca(&self) -> &CaFiles {
        &self.ca
    }

    fn results(&self) -> MutexGuard<'_, Results> {
        self.results.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
