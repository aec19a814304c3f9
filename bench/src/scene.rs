use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::{
    authority::Authority,
    case::{Case, Curve},
    load::{Load, Sample, Target},
    material::Subject,
    provider::Provider,
    report::Pair,
    server::{Kind, Programs, Server, Setup},
};

/// What every server is started with, and who asks.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) programs: Programs,
    pub(crate) crowd: Vec<Subject>,
    /// The issuer configuration.
    pub(crate) config: PathBuf,
    pub(crate) folder: TempDir,
    _provider: Provider,
    p256: Authority,
    p384: Authority,
}

impl Scene {
    /// So many subjects; files on the disk of the build, which is a real one more often than that for
    /// temporary files.
    pub(crate) fn set(programs: Programs, subjects: usize) -> Result<Self> {
        let place = "target/bench";
        fs::create_dir_all(place).context(place)?;
        // Servers run elsewhere, so the path must say all.
        let folder = TempDir::new_in(fs::canonicalize(place)?)?;
        let provider = Provider::start()?;
        let config = folder.path().join("config.yaml");
        fs::write(&config, provider.config())?;
        let authority = |name: &str, curve| {
            let place = folder.path().join(name);
            fs::create_dir(&place)?;
            Authority::create(&place, curve)
        };
        Ok(Self {
            programs,
            crowd: Subject::crowd(&provider, subjects)?,
            config,
            p256: authority("p256", Curve::P256)?,
            p384: authority("p384", Curve::P384)?,
            _provider: provider,
            folder,
        })
    }

    /// A running server.
    pub(crate) fn server(&self, kind: Kind, case: Case, cores: Option<&str>) -> Result<Server> {
        let setup = Setup {
            programs: &self.programs,
            authority: match case.curve {
                Curve::P256 => &self.p256,
                Curve::P384 => &self.p384,
            },
            config: &self.config,
            log: case.log,
            cores,
            folder: self.folder.path(),
        };
        Server::start(kind, setup)
    }

    /// Both servers, running.
    pub(crate) fn pair(&self, case: Case, cores: Option<&str>) -> Result<Pair<Server>> {
        Ok(Pair {
            ours: self.server(Kind::Ours, case, cores)?,
            fulcio: self.server(Kind::Fulcio, case, cores)?,
        })
    }

    /// Puts this load on a server.
    pub(crate) async fn load(&self, load: Load, case: Case, server: &mut Server) -> Result<Sample> {
        let sample = load.run(case, &self.crowd, &Target::of(server, case)).await;
        server.assert_running()?;
        sample
    }

    /// Puts this load on one server and then on the other, so many times.
    pub(crate) async fn rounds(
        &self,
        load: Load,
        case: Case,
        servers: &mut Pair<Server>,
        rounds: usize,
    ) -> Result<Vec<Pair<Sample>>> {
        let mut samples = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let ours = self.load(load, case, &mut servers.ours).await?;
            let fulcio = self.load(load, case, &mut servers.fulcio).await?;
            samples.push(Pair { ours, fulcio });
        }
        Ok(samples)
    }
}
