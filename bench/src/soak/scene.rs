use core::net::SocketAddr;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use super::{
    door::{Door, Mode},
    judge::Side,
    services::{KeyService, Passed, Publisher},
};
use crate::{
    authority::Authority,
    case::{Api, Curve},
    load::Target,
    process::{Process, free_port},
    provider::Issuer,
    server::{Ports, flag, is_healthy, start_log, wait},
};

/// Two servers, and all that they need.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) servers: [Server; 2],
    pub(crate) surroundings: Surroundings,
}

/// A server of ours.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) side: Side,
    pub(crate) process: Process,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
    pub(crate) metrics: SocketAddr,
    pub(crate) chain: PathBuf,
    pub(crate) audit: PathBuf,
    pub(crate) log: ReadLog,
}

/// How the log of a server is read.
#[derive(Debug)]
pub(crate) struct ReadLog {
    pub(crate) url: String,
    pub(crate) key: PathBuf,
    /// What it calls itself; a log of RFC 6962 has no name.
    pub(crate) origin: Option<&'static str>,
    /// Where an embedded log lies.
    pub(crate) folder: Option<PathBuf>,
}

/// What the faults befall.
#[derive(Debug)]
pub(crate) struct Surroundings {
    pub(crate) log: Door,
    /// How often the log behind its door has failed by itself.
    pub(crate) log_faults: Arc<AtomicU64>,
    pub(crate) key: Door,
    pub(crate) provider: Door,
    pub(crate) publisher: Publisher,
    pub(crate) config: Config,
    /// The troubled provider, by the number of times that it has had new keys.
    pub(crate) troubled: Vec<Issuer>,
    pub(crate) others: Vec<Issuer>,
    pub(crate) guests: Issuer,
    _others: Vec<Door>,
    _log: Process,
}

/// The issuer configuration, which both servers read.
#[derive(Debug)]
pub(crate) struct Config {
    path: PathBuf,
    usual: String,
    with_guests: String,
}

impl Config {
    pub(crate) fn usual(&self) -> Result<()> {
        self.replace(&self.usual)
    }

    pub(crate) fn with_guests(&self) -> Result<()> {
        self.replace(&self.with_guests)
    }

    pub(crate) fn bad(&self) -> Result<()> {
        self.replace("oidc-issuers:\n  https://half.example.com:\n    issuer-url: [")
    }

    /// As editors and Kubernetes do it: by renaming a new file over the old one.
    fn replace(&self, text: &str) -> Result<()> {
        let new = self.path.with_extension("new");
        fs::write(&new, text)?;
        fs::rename(&new, &self.path)?;
        Ok(())
    }
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
    /// Our command line, which reads logs and audit logs at the end.
    #[arg(long, value_name = "PROGRAM", default_value = "target/release/fulcio")]
    pub(crate) client: PathBuf,
    /// The RFC 6962 log.
    #[arg(
        long,
        value_name = "PROGRAM",
        env = "FULCIO_CTLOG",
        hide_env_values = true
    )]
    pub(crate) ctlog: PathBuf,
}

impl Scene {
    /// Starts everything; the troubled provider can have new keys so many times.
    pub(crate) fn set(programs: &Programs, rotations: usize) -> Result<Self> {
        for program in [&programs.server, &programs.client, &programs.ctlog] {
            if !program.is_file() {
                bail!("there is no {}", program.display());
            }
        }
        let place = "target/bench";
        fs::create_dir_all(place).context(place)?;
        let folder = TempDir::new_in(fs::canonicalize(place)?)?;
        let authority = |name: &str| {
            let place = folder.path().join(name);
            fs::create_dir(&place)?;
            Authority::create(&place, Curve::P256)
        };
        let (remote, local) = (authority("remote")?, authority("local")?);
        let surroundings = Surroundings::new(programs, folder.path(), &remote, rotations)?;
        let servers = [
            Server::remote(programs, folder.path(), &remote, &surroundings)?,
            Server::local(programs, folder.path(), &local, &surroundings)?,
        ];
        Ok(Self {
            folder,
            servers,
            surroundings,
        })
    }
}

impl Surroundings {
    fn new(
        programs: &Programs,
        folder: &Path,
        authority: &Authority,
        rotations: usize,
    ) -> Result<Self> {
        let output = folder.join("log.output");
        let (process, address) = start_log(&programs.ctlog, authority, output, None)?;
        let log_faults = Arc::<AtomicU64>::default();
        let faults = Arc::clone(&log_faults);
        let log = Door::open(free_port()?, move || Passed::to(address, faults))?;

        let service = KeyService::new(&authority.key)?;
        let key = Door::open(free_port()?, move || service)?;

        let provider = |rotations| {
            let port = free_port()?;
            let url = format!("http://127.0.0.1:{port}");
            let issuers = (0..=rotations).map(|number| Issuer::new(&url, &number.to_string()));
            let issuers = issuers.collect::<Result<Vec<_>>>()?;
            let publisher = Publisher::of(&issuers[0]);
            let published = publisher.clone();
            let door = Door::open(port, move || published)?;
            anyhow::Ok((issuers, publisher, door))
        };
        let (troubled, publisher, troubled_door) = provider(rotations)?;
        let mut doors = Vec::new();
        let mut calm = || {
            let (mut issuers, _publisher, door) = provider(0)?;
            doors.push(door);
            issuers.pop().context("an issuer")
        };
        let (others, guests) = (vec![calm()?, calm()?], calm()?);

        let entries: String = troubled[..1]
            .iter()
            .chain(&others)
            .map(Issuer::entry)
            .collect();
        let config = Config {
            path: folder.join("config.yaml"),
            usual: format!("oidc-issuers:\n{entries}"),
            with_guests: format!("oidc-issuers:\n{entries}{}", guests.entry()),
        };
        config.usual()?;
        Ok(Self {
            log,
            log_faults,
            key,
            provider: troubled_door,
            publisher,
            config,
            troubled,
            others,
            guests,
            _others: doors,
            _log: process,
        })
    }

    /// The log itself, whatever its door does.
    fn log_url(&self) -> String {
        format!("http://{}/test", self.log.address)
    }

    /// Everything is as it should be.
    pub(crate) fn calm(&self) -> Result<()> {
        for door in [&self.log, &self.key, &self.provider] {
            door.set(Mode::Fine);
        }
        self.config.usual()
    }
}

impl Server {
    fn remote(
        programs: &Programs,
        folder: &Path,
        authority: &Authority,
        around: &Surroundings,
    ) -> Result<Self> {
        let log = ReadLog {
            url: around.log_url(),
            key: authority.log_public_key.clone(),
            origin: None,
            folder: None,
        };
        let flags = [
            "--ca=kmsca".to_owned(),
            format!("--kms-resource={}", KeyService::reference()),
            flag("kms-cert-chain-path", &authority.chain),
            format!("--ct-log-url={}", log.url),
            flag("ct-log-public-key-path", &log.key),
            // A minute without it, which is longer than the faults.
            "--signer-test-interval=5s".to_owned(),
        ];
        let variables = KeyService::variables(around.key.address);
        let place = (folder.join("remote"), &*authority.chain, log);
        Self::start(programs, Side::Remote, place, around, &flags, &variables)
    }

    fn local(
        programs: &Programs,
        folder: &Path,
        authority: &Authority,
        around: &Surroundings,
    ) -> Result<Self> {
        let folder = folder.join("local");
        let tree = folder.join("log");
        let flags = [
            "--ca=fileca".to_owned(),
            "--fileca-key-passwd=none".to_owned(),
            flag("fileca-cert", &authority.chain),
            flag("fileca-key", &authority.key),
            format!("--ct-log-url=embedded:{}", tree.display()),
            format!("--ct-log-origin={ORIGIN}"),
            "--audit-log-sync".to_owned(),
        ];
        let log = ReadLog {
            url: String::new(),
            key: tree.join("public-key.pem"),
            origin: Some(ORIGIN),
            folder: Some(tree),
        };
        let place = (folder, &*authority.chain, log);
        Self::start(programs, Side::Local, place, around, &flags, &[])
    }

    fn start(
        programs: &Programs,
        side: Side,
        (folder, chain, mut log): (PathBuf, &Path, ReadLog),
        around: &Surroundings,
        flags: &[String],
        variables: &[(&str, String)],
    ) -> Result<Self> {
        let ports = Ports::free()?;
        let audit = folder.join("audit.jsonl");
        let mut arguments = ports.serve();
        arguments.extend([
            flag("config-path", &around.config.path),
            flag("audit-log", &audit),
            format!("--audit-log-node={side:?}"),
        ]);
        arguments.extend_from_slice(flags);
        let output = folder.join("output");
        let program = &programs.server;
        let mut process = Process::start_with(program, &arguments, output, None, variables)?;
        let Ports {
            http,
            grpc,
            metrics,
        } = ports;
        wait(&mut process, || is_healthy(http))?;
        if log.folder.is_some() {
            log.url = format!("http://{http}/ct-log");
        }
        Ok(Self {
            side,
            process,
            http,
            grpc,
            metrics,
            chain: chain.to_owned(),
            audit,
            log,
        })
    }

    /// Where load for this API goes.
    pub(crate) fn target(&self, api: Api) -> Target {
        let id = vec![self.process.id()];
        Target {
            address: match api {
                Api::Grpc => self.grpc,
                Api::V1 | Api::V2 => self.http,
            },
            server: id.clone(),
            with_log: id,
        }
    }
}

const ORIGIN: &str = "log.example.com/soak";
