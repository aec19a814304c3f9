use core::{net::SocketAddr, time::Duration};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{
    authority::Authority,
    case::{Api, Log},
    process::{Process, free_port},
};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Fulcio,
    Ours,
}

/// Where the programs are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Programs {
    /// Our server.
    #[arg(
        long,
        value_name = "PROGRAM",
        default_value = "target/release/fulcio-server"
    )]
    pub(crate) server: PathBuf,
    /// Fulcio.
    #[arg(
        long,
        value_name = "PROGRAM",
        env = "FULCIO_REFERENCE",
        hide_env_values = true
    )]
    pub(crate) fulcio: Option<PathBuf>,
    /// The RFC 6962 log.
    #[arg(
        long,
        value_name = "PROGRAM",
        env = "FULCIO_CTLOG",
        hide_env_values = true
    )]
    pub(crate) ctlog: Option<PathBuf>,
}

/// What a server is started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup<'a> {
    pub(crate) programs: &'a Programs,
    pub(crate) authority: &'a Authority,
    /// The issuer configuration.
    pub(crate) config: &'a Path,
    pub(crate) log: Log,
    /// The cores that it may use, as for `taskset -c`.
    pub(crate) cores: Option<&'a str>,
    /// Where it may write.
    pub(crate) folder: &'a Path,
}

/// A running server, with its log where it has one.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    log: Option<Process>,
    http: SocketAddr,
    grpc: SocketAddr,
    /// From its start to the first 200 on `/healthz`.
    pub(crate) started_in: Duration,
}

impl Server {
    pub(crate) fn start(kind: Kind, setup: Setup<'_>) -> Result<Self> {
        let name = match kind {
            Kind::Fulcio => "fulcio",
            Kind::Ours => "ours",
        };
        let ports = Ports::free()?;
        let place = ports.http.port();
        let file = |what: &str| setup.folder.join(format!("{name}-{place}.{what}"));
        let mut arguments = ports.serve();
        arguments.extend([
            "--ca=fileca".to_owned(),
            // The key has none; the flag is mandatory.
            "--fileca-key-passwd=none".to_owned(),
            flag("fileca-cert", &setup.authority.chain),
            flag("fileca-key", &setup.authority.key),
            flag("config-path", setup.config),
        ]);
        let program = match kind {
            Kind::Fulcio => {
                arguments.push(flag("legacy-unix-domain-socket", &file("socket")));
                setup.programs.fulcio.as_deref()
            }
            Kind::Ours => Some(setup.programs.server.as_path()),
        };
        let program = program.context("FULCIO_REFERENCE is not set")?;
        let mut log = None;
        match (setup.log, kind) {
            (Log::None, _) => arguments.push("--ct-log-url=".to_owned()),
            (Log::Embedded, Kind::Ours) => {
                arguments.push(format!("--ct-log-url=embedded:{}", file("log.d").display()));
                arguments.push("--ct-log-origin=log.example.com/bench".to_owned());
            }
            (Log::Embedded | Log::External, _) => {
                let program = setup.programs.ctlog.as_deref();
                let program = program.context("FULCIO_CTLOG is not set")?;
                let (started, address) =
                    start_log(program, setup.authority, file("log"), setup.cores)?;
                log = Some(started);
                let key = &setup.authority.log_public_key;
                arguments.push(format!("--ct-log-url=http://{address}/test"));
                arguments.push(flag("ct-log-public-key-path", key));
            }
        }
        let begun = Instant::now();
        let mut process = Process::start(program, &arguments, file("output"), setup.cores)?;
        wait(&mut process, || is_healthy(ports.http))?;
        Ok(Self {
            started_in: begun.elapsed(),
            process,
            log,
            http: ports.http,
            grpc: ports.grpc,
        })
    }

    /// Where this API is served.
    pub(crate) fn address(&self, api: Api) -> SocketAddr {
        match api {
            Api::Grpc => self.grpc,
            Api::V1 | Api::V2 => self.http,
        }
    }

    /// The process of the server.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The processes of the server and of its log.
    pub(crate) fn with_log(&self) -> Vec<u32> {
        let log = self.log.iter().map(Process::id);
        [self.id()].into_iter().chain(log).collect()
    }

    /// Fails when one of its processes has ended.
    pub(crate) fn assert_running(&mut self) -> Result<()> {
        self.process.assert_running()?;
        self.log.as_mut().map_or(Ok(()), Process::assert_running)
    }
}

/// Where a server listens on the loopback device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ports {
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) metrics: SocketAddr,
}

impl Ports {
    pub(crate) fn free() -> Result<Self> {
        let [http, grpc, metrics] = [free_port()?, free_port()?, free_port()?]
            .map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        Ok(Self {
            http,
            grpc,
            metrics,
        })
    }

    /// The command `serve` for them, with log lines in JSON.
    pub(crate) fn serve(&self) -> Vec<String> {
        vec![
            "serve".to_owned(),
            "--host=127.0.0.1".to_owned(),
            "--grpc-host=127.0.0.1".to_owned(),
            format!("--port={}", self.http.port()),
            format!("--grpc-port={}", self.grpc.port()),
            format!("--metrics-port={}", self.metrics.port()),
            "--log_type=prod".to_owned(),
        ]
    }
}

/// A flag that names a file.
pub(crate) fn flag(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

/// The RFC 6962 log, listening, and where.
pub(crate) fn start_log(
    program: &Path,
    authority: &Authority,
    output: PathBuf,
    cores: Option<&str>,
) -> Result<(Process, SocketAddr)> {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
    let arguments = [
        format!("-addr={address}"),
        format!("-key={}", authority.log_key.display()),
        format!("-roots={}", authority.root.display()),
    ];
    let mut log = Process::start(program, &arguments, output, cores)?;
    wait(&mut log, || TcpStream::connect(address).is_ok())?;
    Ok((log, address))
}

/// Waits until a program is ready, and fails when it ends instead.
pub(crate) fn wait(process: &mut Process, mut ready: impl FnMut() -> bool) -> Result<()> {
    let begun = Instant::now();
    while !ready() {
        process.assert_running()?;
        if begun.elapsed() > PATIENCE {
            bail!("a program does not answer");
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    Ok(())
}

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn is_healthy(address: SocketAddr) -> bool {
    get(address, "/healthz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 "))
}

/// Head and body of what is answered to a GET.
pub(crate) fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
