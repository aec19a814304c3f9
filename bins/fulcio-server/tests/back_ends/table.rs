use std::{
    cell::RefCell,
    fs,
    process::Command,
    time::{Duration, Instant},
};

use tokio::runtime::{Builder, Runtime};

use crate::common::{Scene, chain, get, pems, post_json, signing_request};

/// What was issued by whom, and how fast.
pub(crate) struct Table {
    runtime: Runtime,
    rows: RefCell<Vec<[String; 5]>>,
    faults: RefCell<Vec<&'static str>>,
}

/// Who signs: a line of the table.
pub(crate) struct Signs<'a> {
    pub(crate) back_end: &'a str,
    pub(crate) key: &'a str,
    /// What stands behind it here.
    pub(crate) component: &'a str,
}

impl Table {
    pub(crate) fn new() -> Self {
        // The doubles live in its threads.
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build();
        Self {
            runtime: runtime.unwrap(),
            rows: RefCell::default(),
            faults: RefCell::default(),
        }
    }

    pub(crate) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Starts the server and gets certificates one after the other, each of which OpenSSL verifies
    /// by the trust bundle.
    #[track_caller]
    pub(crate) fn issues(&self, signs: &Signs<'_>, scene: &Scene, serve: Command) {
        let server = scene.start(serve);
        let bundle = get(&server.url("/api/v2/trustBundle")).json();
        let chains = bundle["chains"].as_array().unwrap().iter();
        let bundle: Vec<_> = chains.flat_map(pems).collect();
        scene.write("bundle.pem", bundle.join("\n"));

        let url = server.url("/api/v2/signingCert");
        let mut times = Vec::new();
        for _ in 0..CERTIFICATES {
            let request = signing_request(scene.idp());
            let begun = Instant::now();
            let answer = post_json(&url, &request);
            times.push(begun.elapsed());
            assert_eq!(answer.status, 200, "{}{}", answer.text(), server.output());
            scene.write("leaf.pem", &chain(&answer)[0]);
            scene.openssl("verify -x509_strict -CAfile bundle.pem -purpose any leaf.pem");
        }
        let shown = scene.openssl("x509 -in leaf.pem -noout -text");
        assert!(shown.contains("email:ada@example.com"), "{shown}");
        assert!(server.terminate().success(), "{}", signs.back_end);
        self.rows.borrow_mut().push([
            signs.back_end.to_owned(),
            signs.key.to_owned(),
            signs.component.to_owned(),
            times.len().to_string(),
            milliseconds(median(times)),
        ]);
    }

    /// One of the back ends did not get to its end.
    pub(crate) fn fault(&self, back_end: &'static str) {
        self.faults.borrow_mut().push(back_end);
    }

    /// Shows the table, and fails where a back end did.
    #[track_caller]
    pub(crate) fn conclude(&self) {
        let text = format!(
            "Certificates of every back end, each verified by OpenSSL. The time is the median for \
             one at a time over HTTP,\nthe timestamp of the embedded log included, {}.\n\n{}",
            if cfg!(debug_assertions) {
                "not optimized"
            } else {
                "optimized"
            },
            self.text()
        );
        println!("{text}");
        let place = concat!(env!("CARGO_TARGET_TMPDIR"), "/back-ends.txt");
        fs::write(place, text).unwrap();
        let faults = self.faults.borrow();
        assert!(faults.is_empty(), "these did not work: {faults:?}");
    }

    fn text(&self) -> String {
        let head = [
            "back end",
            "key",
            "component",
            "certificates",
            "ms a certificate",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        rows.extend(self.rows.borrow().iter().cloned());
        for fault in self.faults.borrow().iter() {
            rows.push([*fault, "", "", "", "FAILED"].map(str::to_owned));
        }
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap();
        let widths @ [a, b, c, d, e] = [0, 1, 2, 3, 4].map(width);
        rows.insert(1, widths.map(|width| "-".repeat(width)));
        let line = |[back_end, key, component, certificates, time]: &[String; 5]| {
            format!(
                "| {back_end:a$} | {key:b$} | {component:c$} | {certificates:>d$} | {time:>e$} |\n"
            )
        };
        rows.iter().map(line).collect()
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

const CERTIFICATES: usize = 20;
