use core::time::Duration;
use std::{
    fs,
    net::SocketAddr,
    path::PathBuf,
    process::Command,
    time::{Instant, SystemTime},
};

use anyhow::{Context as _, Result, ensure};
use clap::{Args, ValueEnum};
use fulcio_issuance::{Clock as _, SystemClock};

use crate::{
    case::{Api, Case, Curve, Log, ProofKind, TokenKind},
    clock,
    connection::Connection,
    floor::Floor,
    load::{Load, Sample, Target},
    material::prepare,
    page,
    process::{Process, free_port},
    report::{
        Cores, Cost, EqualLoad, Footprint, Generator, LogRow, Machine, Pair, Report, SlowKey,
        Spread, Version,
    },
    scene::Scene,
    server::{Kind, Programs, Server, get, wait},
};

/// Compare our server with Fulcio, each in turn, and write the figures down.
#[derive(Debug, Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    programs: Programs,
    /// Few and short rounds: to see that it works.
    #[arg(long)]
    quick: bool,
    /// Rounds of each measurement.
    #[arg(long)]
    rounds: Option<usize>,
    /// Seconds of each round.
    #[arg(long)]
    seconds: Option<f64>,
    /// Only these parts; the page is left as it is.
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// Where the figures go, as JSON.
    #[arg(long, value_name = "FILE", default_value = "target/bench/result.json")]
    result: PathBuf,
    /// The page whose tables are made of them.
    #[arg(long, value_name = "FILE", default_value = "docs/performance.md")]
    page: PathBuf,
    /// Leave the page as it is.
    #[arg(long)]
    no_page: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    Cores,
    Costs,
    EqualLoad,
    Generator,
    Logs,
    Memory,
    SlowSigner,
    Starts,
}

impl Compare {
    pub(crate) async fn run(self) -> Result<()> {
        let begun = Instant::now();
        let date = SystemClock.now();
        let subjects = if self.quick { 200 } else { 1000 };
        let scene = Scene::set(self.programs.clone(), subjects)?;
        let run = Run {
            rounds: self.rounds.unwrap_or(if self.quick { 2 } else { 5 }),
            seconds: self.seconds.unwrap_or(if self.quick { 1.5 } else { 5.0 }),
            scene,
        };
        let wanted = |part| self.only.is_empty() || self.only.contains(&part);
        let mut report = run.empty_report(date)?;
        if wanted(Part::Generator) {
            report.generator = run.generator().await?;
        }
        if wanted(Part::Costs) {
            report.costs = run.costs().await?;
        }
        if wanted(Part::Memory) {
            report.memory = run.memory().await?;
        }
        if wanted(Part::Starts) {
            report.starts = run.starts()?;
        }
        if wanted(Part::EqualLoad) {
            report.equal_load = run.equal_load().await?;
        }
        if wanted(Part::Cores) {
            report.cores = run.cores().await?;
        }
        if wanted(Part::SlowSigner) {
            report.slow_signer = Some(run.slow_signer().await?);
        }
        if wanted(Part::Logs) {
            report.logs = run.logs().await?;
        }
        report.took_seconds = begun.elapsed().as_secs();
        if let Some(folder) = self.result.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&self.result, serde_json::to_vec_pretty(&report)?)
            .with_context(|| self.result.display().to_string())?;
        println!("{}", page::tables(&report));
        println!("{}", self.result.display());
        if self.only.is_empty() && !self.no_page && !self.quick {
            page::write(&report, &self.page)?;
            println!("{}", self.page.display());
        }
        Ok(())
    }
}

/// One run, with its length.
struct Run {
    rounds: usize,
    seconds: f64,
    scene: Scene,
}

/// Connections of a closed loop, as in the figures that the project began with.
const CONNECTIONS: usize = 16;

/// Those of an open loop: more than are ever busy while the server keeps up.
const MANY_CONNECTIONS: usize = 128;

impl Run {
    fn empty_report(&self, date: SystemTime) -> Result<Report> {
        Ok(Report {
            date: humantime::format_rfc3339_seconds(date).to_string(),
            took_seconds: 0,
            machine: machine()?,
            versions: versions(&self.scene.programs)?,
            connections: CONNECTIONS,
            floor: Floor::measure()?,
            generator: Vec::new(),
            costs: Vec::new(),
            memory: Vec::new(),
            starts: Vec::new(),
            equal_load: Vec::new(),
            cores: Vec::new(),
            slow_signer: None,
            logs: Vec::new(),
        })
    }

    fn closed(&self, connections: usize) -> Load {
        Load {
            connections,
            rate: None,
            warm_up: Duration::from_millis(500),
            span: Duration::from_secs_f64(self.seconds),
            checked: true,
        }
    }

    fn open(&self, rate: f64) -> Load {
        Load {
            rate: Some(rate),
            ..self.closed(MANY_CONNECTIONS)
        }
    }

    /// The generator before a server that does nothing, to show that it is not what is measured.
    async fn generator(&self) -> Result<Vec<Generator>> {
        let body = self.scene.folder.path().join("canned");
        let certificate = "-----BEGIN CERTIFICATE-----\\n".to_owned();
        fs::write(&body, certificate + &"a".repeat(2_600))?;
        let mut rows = Vec::new();
        for (what, api) in [("HTTP", Api::V2), ("gRPC", Api::Grpc)] {
            tell(&format!("the generator, {what}"));
            let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
            let arguments = [
                "canned".to_owned(),
                format!("--address={address}"),
                format!("--body={}", body.display()),
            ];
            let mut server = self.own(&arguments)?;
            wait(&mut server, || get(address, "/").is_ok())?;
            let target = Target {
                address,
                server: vec![server.id()],
                with_log: vec![server.id()],
            };
            let case = Case {
                api,
                ..Case::new(Curve::P256)
            };
            let load = Load {
                checked: false,
                ..self.closed(CONNECTIONS)
            };
            let mut rounds = Vec::new();
            for _ in 0..self.rounds {
                rounds.push(load.run(case, &self.scene.crowd, &target).await?);
            }
            rows.push(Generator {
                what: what.to_owned(),
                rounds,
            });
        }
        Ok(rows)
    }

    /// This program again, as a server.
    fn own(&self, arguments: &[String]) -> Result<Process> {
        let program = std::env::current_exe()?;
        let output = self.scene.folder.path().join("own.output");
        Process::start(&program, arguments, output, None)
    }

    async fn costs(&self) -> Result<Vec<Cost>> {
        let (p256, p384) = (Case::new(Curve::P256), Case::new(Curve::P384));
        let with = |case: Case, log| Case { log, ..case };
        let over = |case: Case, api| Case { api, ..case };
        let csr = |case: Case| Case {
            proof: ProofKind::Csr,
            ..case
        };
        let es256 = Case {
            token: TokenKind::Es256,
            ..p256
        };
        let mut costs = Vec::new();
        for (case, reach) in [
            (p256, Some(0.20)),
            (over(p256, Api::Grpc), Some(0.22)),
            (p384, Some(0.15)),
            (over(p384, Api::Grpc), None),
            (with(p384, Log::External), Some(0.15)),
            (with(p384, Log::Embedded), Some(0.15)),
            (over(p256, Api::V1), Some(0.20)),
            (csr(p256), Some(0.20)),
            (csr(over(p256, Api::V1)), Some(0.20)),
            (es256, None),
        ] {
            tell(&case.to_string());
            let mut servers = self.scene.pair(case, None)?;
            self.warm_up(case, &mut servers).await?;
            let load = self.closed(CONNECTIONS);
            let rounds = self
                .scene
                .rounds(load, case, &mut servers, self.rounds)
                .await?;
            let cost = Cost {
                case,
                reach,
                rounds,
            };
            if let Some((ours, fulcio, ratio)) = cost.micros() {
                tell(&format!(
                    "    {:.0} µs, Fulcio {:.0} µs, ratio {:.3}",
                    ours.median, fulcio.median, ratio.median
                ));
            }
            costs.push(cost);
        }
        Ok(costs)
    }

    /// A second that is thrown away: caches fill, Go's heap grows, keys are fetched.
    async fn warm_up(&self, case: Case, servers: &mut Pair<Server>) -> Result<()> {
        let load = Load {
            span: Duration::from_secs(1),
            ..self.closed(CONNECTIONS)
        };
        self.scene.rounds(load, case, servers, 1).await?;
        Ok(())
    }

    async fn memory(&self) -> Result<Vec<Footprint>> {
        let mut footprints = Vec::new();
        for round in 1..=self.rounds {
            tell(&format!("memory, round {round}"));
            let ours = self.footprint(Kind::Ours).await?;
            let fulcio = self.footprint(Kind::Fulcio).await?;
            let pair = |index: usize| Pair {
                ours: ours[index],
                fulcio: fulcio[index],
            };
            footprints.push(Footprint {
                idle: pair(0),
                connected: pair(1),
                peak: pair(2),
            });
        }
        Ok(footprints)
    }

    /// MiB of a fresh process: idle, with 1,000 connections, the peak.
    async fn footprint(&self, kind: Kind) -> Result<[f64; 3]> {
        let case = Case::new(Curve::P256);
        let server = self.scene.server(kind, case, None)?;
        let settle = tokio::time::sleep(Duration::from_secs(2));
        settle.await;
        let idle = clock::memory(&[server.id()])?;
        let address = server.address(case.api);
        let requests = prepare(&self.scene.crowd, case, address)?;
        let mut connections = Vec::new();
        for number in 0..1_000 {
            let mut connection = Connection::open(address, case.api).await?;
            let request = requests[number % requests.len()].clone();
            let answer = connection.ask(request).await?;
            ensure!(answer.failure.is_none(), "{:?}", answer.failure);
            connections.push(connection);
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        let connected = clock::memory(&[server.id()])?;
        drop(connections);
        Ok([idle.resident, connected.resident, connected.peak].map(|kib| kib as f64 / 1024.0))
    }

    /// Milliseconds from the start to the first 200 on `/healthz`.
    fn starts(&self) -> Result<Vec<Pair<f64>>> {
        tell("starts");
        let case = Case::new(Curve::P256);
        let millis = |server: Server| server.started_in.as_secs_f64() * 1e3;
        (0..self.rounds * 4)
            .map(|_| {
                Ok(Pair {
                    ours: millis(self.scene.server(Kind::Ours, case, None)?),
                    fulcio: millis(self.scene.server(Kind::Fulcio, case, None)?),
                })
            })
            .collect()
    }

    async fn equal_load(&self) -> Result<Vec<EqualLoad>> {
        let (p256, p384) = (Case::new(Curve::P256), Case::new(Curve::P384));
        let grpc = Case {
            api: Api::Grpc,
            ..p256
        };
        let external = Case {
            log: Log::External,
            ..p384
        };
        let mut rows = Vec::new();
        for case in [p256, grpc, external] {
            let mut servers = self.scene.pair(case, None)?;
            self.warm_up(case, &mut servers).await?;
            let load = self.closed(CONNECTIONS);
            let held = self.scene.load(load, case, &mut servers.fulcio).await?;
            // A rate that both hold: well below what the slower one can do.
            let rate = (held.per_second * 0.5 / 10.0).floor().max(1.0) * 10.0;
            tell(&format!("{case}, {rate} requests a second"));
            let load = self.open(rate);
            let rounds = self
                .scene
                .rounds(load, case, &mut servers, self.rounds)
                .await?;
            rows.push(EqualLoad { case, rate, rounds });
        }
        Ok(rows)
    }

    async fn cores(&self) -> Result<Vec<Cores>> {
        let all = cores()?;
        ensure!(all >= 2, "this needs two cores");
        // Where there are more than two, the load is made on the third.
        let others = if all > 2 { "2" } else { "0,1" };
        let mut rows = Vec::new();
        for case in [Case::new(Curve::P256), Case::new(Curve::P384)] {
            tell(&format!("{case}, one core"));
            pin(if all > 2 { "2" } else { "1" })?;
            let one = self.on_cores(case, "0").await?;
            tell(&format!("{case}, two cores"));
            pin(others)?;
            let two = self.on_cores(case, "0,1").await?;
            rows.push(Cores { case, one, two });
        }
        pin(&format!("0-{}", all - 1))?;
        Ok(rows)
    }

    async fn on_cores(&self, case: Case, cores: &str) -> Result<Vec<Pair<Sample>>> {
        let mut servers = self.scene.pair(case, Some(cores))?;
        self.warm_up(case, &mut servers).await?;
        let load = self.closed(CONNECTIONS * 2);
        let rounds = self.rounds.min(3);
        self.scene.rounds(load, case, &mut servers, rounds).await
    }

    async fn slow_signer(&self) -> Result<SlowKey> {
        const MILLIS: u64 = 50;
        const CALLERS: usize = 2_000;
        tell("a key that takes 50 ms");
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let metrics = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let arguments = [
            "slow-signer".to_owned(),
            format!("--address={address}"),
            format!("--metrics={metrics}"),
            format!("--config={}", self.scene.config.display()),
            format!("--millis={MILLIS}"),
        ];
        let mut server = self.own(&arguments)?;
        wait(&mut server, || get(address, "/healthz").is_ok())?;
        let target = Target {
            address,
            server: vec![server.id()],
            with_log: vec![server.id()],
        };
        let load = Load {
            warm_up: Duration::from_secs(2),
            ..self.closed(CALLERS)
        };
        let (mut in_flight, mut threads) = (0.0_f64, 0);
        let watch = async {
            loop {
                tokio::time::sleep(Duration::from_millis(200)).await;
                threads = clock::memory(&[target.server[0]])?.threads.max(threads);
                let page = tokio::task::spawn_blocking(move || get(metrics, "/metrics")).await??;
                let now = page
                    .lines()
                    .find_map(|line| line.strip_prefix("fulcio_requests_in_flight "));
                let now = now.context("the metric of requests in flight")?;
                in_flight = now.parse::<f64>()?.max(in_flight);
            }
        };
        let sample = tokio::select! {
            sample = load.run(Case::new(Curve::P256), &self.scene.crowd, &target) => sample,
            failed = watch => failed,
        }?;
        server.assert_running()?;
        Ok(SlowKey {
            millis: MILLIS,
            connections: CALLERS,
            in_flight,
            threads,
            sample,
        })
    }

    async fn logs(&self) -> Result<Vec<LogRow>> {
        let with = |log| Case {
            log,
            ..Case::new(Curve::P384)
        };
        let fast = self.closed(MANY_CONNECTIONS);
        let mut rows = Vec::new();
        for (what, kind, case, load) in [
            ("ours, embedded log", Kind::Ours, with(Log::Embedded), fast),
            ("ours, CTFE", Kind::Ours, with(Log::External), fast),
            ("Fulcio, CTFE", Kind::Fulcio, with(Log::External), fast),
            (
                "ours, embedded log",
                Kind::Ours,
                with(Log::Embedded),
                self.open(2_000.0),
            ),
        ] {
            tell(&format!("logs: {what}"));
            let mut server = self.scene.server(kind, case, None)?;
            let mut rounds = Vec::new();
            for _ in 0..self.rounds.min(3) {
                rounds.push(self.scene.load(load, case, &mut server).await?);
            }
            rows.push(LogRow {
                what: what.to_owned(),
                rate: load.rate,
                connections: load.connections,
                rounds,
            });
        }
        Ok(rows)
    }
}

impl Cost {
    /// Ours, Fulcio's and the ratio of each pair. Where our log is embedded, Fulcio's log process counts,
    /// because ours does.
    pub(crate) fn micros(&self) -> Option<(Spread, Spread, Spread)> {
        let micros = |sample: &Sample| match self.case.log {
            Log::Embedded => sample.with_log_micros,
            Log::External | Log::None => sample.server_micros,
        };
        let rounds = || self.rounds.iter();
        Some((
            Spread::of(rounds().map(|round| micros(&round.ours)))?,
            Spread::of(rounds().map(|round| micros(&round.fulcio)))?,
            Spread::of(rounds().map(|round| micros(&round.ours) / micros(&round.fulcio)))?,
        ))
    }
}

fn tell(what: &str) {
    eprintln!("{what}");
}

/// Lets this process, which makes the load, run on these cores only.
fn pin(cores: &str) -> Result<()> {
    let id = std::process::id().to_string();
    let done = Command::new("taskset")
        .args(["-acp", cores, &id])
        .output()?;
    ensure!(
        done.status.success(),
        "taskset: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    Ok(())
}

fn cores() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get())
}

fn machine() -> Result<Machine> {
    use procfs::Current as _;
    let processor = procfs::CpuInfo::current()?;
    let memory = procfs::Meminfo::current()?;
    Ok(Machine {
        processor: processor.model_name(0).unwrap_or("unknown").to_owned(),
        cores: cores()?,
        memory_mib: memory.mem_total >> 20,
        kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?
            .trim()
            .to_owned(),
    })
}

fn versions(programs: &Programs) -> Result<Vec<Version>> {
    let mut versions = Vec::new();
    // What follows `field` in what a program prints.
    let mut add = |of: &str, program: &str, arguments: &[&str], field: &str| {
        let done = Command::new(program).args(arguments).output();
        let done = done.with_context(|| program.to_owned())?;
        let text = String::from_utf8_lossy(&done.stdout);
        let is = text.split_once(field).map(|(_, rest)| rest);
        let is = is.and_then(|rest| rest.split_whitespace().next());
        versions.push(Version {
            of: of.to_owned(),
            is: is.unwrap_or("unknown").to_owned(),
        });
        anyhow::Ok(())
    };
    let server = programs.server.display().to_string();
    add("fulcio-server", &server, &["--version"], "fulcio-server ")?;
    add("of commit", "git", &["describe", "--always", "--dirty"], "")?;
    add("Rust", "rustc", &["--version"], "rustc ")?;
    if let Some(fulcio) = &programs.fulcio {
        let fulcio = fulcio.display().to_string();
        let about = ["version", "-m", &fulcio];
        add(
            "Fulcio",
            "go",
            &about,
            "\tmod\tgithub.com/sigstore/fulcio\t",
        )?;
        add("Go", "go", &about, ": go")?;
    }
    if let Some(ctlog) = &programs.ctlog {
        let ctlog = ctlog.display().to_string();
        let about = ["version", "-m", &ctlog];
        let field = "\tdep\tgithub.com/google/certificate-transparency-go\t";
        add("CTFE", "go", &about, field)?;
    }
    Ok(versions)
}
