use core::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::{
    case::{Api, Case, Curve, Log, ProofKind, TokenKind},
    clock,
    load::{Load, Sample},
    scene::Scene,
    server::{Kind, Programs},
};

/// Start one server, put load on it, and print what each certificate cost.
#[derive(Debug, Args)]
pub(crate) struct Measure {
    #[command(flatten)]
    programs: Programs,
    /// Measure Fulcio instead of ours.
    #[arg(long = "reference")]
    reference: bool,
    #[arg(long, value_enum, default_value = "p256")]
    curve: Curve,
    #[arg(long, value_enum, default_value = "none")]
    log: Log,
    #[arg(long, value_enum, default_value = "v2")]
    api: Api,
    #[arg(long, value_enum, default_value = "challenge")]
    proof: ProofKind,
    #[arg(long, value_enum, default_value = "rs256")]
    token: TokenKind,
    /// Connections, each with one request at a time.
    #[arg(long, default_value_t = 16)]
    connections: usize,
    /// Requests a second, whatever the server does; as fast as it can without this.
    #[arg(long)]
    rate: Option<f64>,
    /// Seconds that do not count.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// Seconds of each round.
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Cores for the server, as for `taskset -c`.
    #[arg(long)]
    cores: Option<String>,
    /// How many subjects, each with a key and a token, take turns.
    #[arg(long, default_value_t = 1000)]
    subjects: usize,
}

impl Measure {
    pub(crate) async fn run(self) -> Result<()> {
        let case = Case {
            curve: self.curve,
            log: self.log,
            api: self.api,
            proof: self.proof,
            token: self.token,
        };
        let scene = Scene::set(self.programs, self.subjects)?;
        let kind = if self.reference {
            Kind::Fulcio
        } else {
            Kind::Ours
        };
        let mut server = scene.server(kind, case, self.cores.as_deref())?;
        let load = Load {
            connections: self.connections,
            rate: self.rate,
            warm_up: Duration::from_secs_f64(self.warm_up),
            span: Duration::from_secs_f64(self.seconds),
            checked: true,
        };
        println!("{case}; process {}", server.id());
        println!(
            "server µs  with log µs  generator µs  per second  cores    p50 ms    p99 ms    max ms  failures"
        );
        for _ in 0..self.rounds {
            print(&scene.load(load, case, &mut server).await?);
        }
        let memory = clock::memory(&[server.id()])?;
        println!(
            "memory {} KiB, peak {} KiB, {} threads",
            memory.resident, memory.peak, memory.threads
        );
        Ok(())
    }
}

fn print(sample: &Sample) {
    println!(
        "{:>9.1}  {:>11.1}  {:>12.1}  {:>10.0}  {:>5.2}  {:>8.2}  {:>8.2}  {:>8.2}  {:?}",
        sample.server_micros,
        sample.with_log_micros,
        sample.generator_micros,
        sample.per_second,
        sample.busy_cores,
        sample.p50_millis,
        sample.p99_millis,
        sample.max_millis,
        sample.failures,
    );
}
