//! Half of what the servers can do, for half an hour, while what they depend on fails and comes back.

mod disk;
mod door;
mod fault;
mod flatness;
mod judge;
mod ledger;
mod noise;
mod people;
mod report;
mod scene;
mod schedule;
mod services;
mod traffic;
mod trail;
mod trouble;
mod watch;
mod window;

use core::{
    cell::{Cell, RefCell},
    time::Duration,
};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use anyhow::{Result, bail, ensure};
use clap::Args;
use fulcio_issuance::{Clock as _, SystemClock};
use tokio::{
    task::JoinSet,
    time::{sleep, sleep_until},
};

use self::{
    fault::{Fault, Need},
    flatness::Flatness,
    judge::{Judge, Second, Side},
    noise::Misuse,
    people::{People, case},
    report::{Report, SideReport},
    scene::{Programs, Scene, Server},
    schedule::{LONG, Plan, Rest},
    traffic::Traffic,
    trail::{Client, Compared},
    trouble::Trouble,
    watch::Watch,
};
use crate::{case::Api, load::Load, open_loop::Pacer};

/// Offer two servers half of what they can do, switch faults on and off meanwhile, and fail when a
/// request fails that no fault explains, when memory grows, or when a certificate is not in its log and
/// in the audit log.
#[derive(Debug, Args)]
pub(crate) struct Soak {
    #[command(flatten)]
    programs: Programs,
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// Try only these faults; may be repeated.
    #[arg(long, value_enum)]
    only: Vec<Fault>,
    /// Seconds in which each server's capacity is measured.
    #[arg(long, default_value_t = 8.0)]
    capacity_seconds: f64,
    /// The share of its capacity that each of the two is offered.
    #[arg(long, default_value_t = 0.25)]
    share: f64,
    /// Write the figures into the page even when the run is short.
    #[arg(long)]
    write: bool,
    #[arg(long, default_value = "docs/reliability.md")]
    page: PathBuf,
    /// Keep the files of the servers.
    #[arg(long)]
    keep: bool,
}

/// What everything has in hand while it runs.
struct Run {
    begun: Instant,
    plan: Plan,
    judge: Rc<RefCell<Judge>>,
    traffic: [Rc<Traffic>; 2],
    watches: [Rc<Watch>; 2],
    generation: Rc<Cell<usize>>,
}

impl Soak {
    pub(crate) async fn run(self) -> Result<()> {
        ensure!(
            self.minutes > 0.0 && self.share > 0.0,
            "nothing is asked for"
        );
        let work = Duration::from_secs_f64(self.minutes * 60.0);
        let plan = Plan::new(work, &self.only);
        let rotations = plan.rows.iter().flatten();
        let rotations = rotations
            .filter(|one| one.fault.need() == Need::Provider)
            .count();
        println!("making keys, tokens and proofs");
        let mut scene = Scene::set(&self.programs, rotations)?;
        let around = &scene.surroundings;
        let people = People::new(&around.troubled, &around.others, &around.guests, PEOPLE)?;
        let capacities = [
            self.capacity(&scene.servers[0], &people).await?,
            self.capacity(&scene.servers[1], &people).await?,
        ];
        let rates = capacities.map(|capacity| capacity * self.share);
        println!("certificates/s {capacities:.0?}; requests/s offered {rates:.0?}");

        let run = Run::new(plan, &scene, &people)?;
        run.soak(&scene, rates).await?;
        run.drain().await?;
        scene.surroundings.calm()?;
        let compared = run.conclude(&self.programs.client, &mut scene).await;
        let report = run.report(work, capacities, rates, compared);
        self.finish(&report, scene, &run)
    }

    /// How many certificates a second one server alone makes.
    async fn capacity(&self, server: &Server, people: &People) -> Result<f64> {
        let load = Load {
            connections: 16,
            rate: None,
            warm_up: Duration::from_secs(2),
            span: Duration::from_secs_f64(self.capacity_seconds),
            checked: true,
        };
        let target = server.target(Api::V2);
        let sample = load.run(case(Api::V2), &people.others[0], &target).await?;
        if !sample.failures.is_empty() {
            bail!("before any fault: {:?}", sample.failures);
        }
        Ok(sample.per_second)
    }

    fn finish(&self, report: &Report, scene: Scene, run: &Run) -> Result<()> {
        println!("\n{}", report.markdown());
        let judge = run.judge.borrow();
        let seconds = serde_json::to_string(&judge.seconds)?;
        let path = Path::new("target/bench/soak-seconds.json");
        fs::write(path, seconds)?;
        println!("what happened in each second is in {}", path.display());
        if self.keep {
            println!(
                "the servers' files are in {}",
                scene.folder.keep().display()
            );
        }
        if report.complaints > 0 {
            for line in &judge.complaints.first {
                eprintln!("  {line}");
            }
            bail!("{} complaints", report.complaints);
        }
        if self.write || report.length >= LONG {
            report.write(&self.page)?;
            println!("{} has the figures", self.page.display());
        }
        Ok(())
    }
}

impl Run {
    fn new(plan: Plan, scene: &Scene, people: &People) -> Result<Self> {
        let begun = Instant::now();
        let (judge, generation) = (
            Rc::<RefCell<Judge>>::default(),
            Rc::<Cell<usize>>::default(),
        );
        judge.borrow_mut().log_faults = Arc::clone(&scene.surroundings.log_faults);
        let traffic = |server: &Server| {
            let place = (server.side, server.http, server.grpc);
            let traffic = Traffic::new(place, begun, people, &generation, &judge)?;
            anyhow::Ok(Rc::new(traffic))
        };
        let watch = |server: &Server| {
            Rc::new(Watch {
                side: server.side,
                http: server.http,
                process: server.process.id(),
                begun,
                judge: Rc::clone(&judge),
                rests: RefCell::default(),
                least: Cell::default(),
                most_memory: Cell::default(),
            })
        };
        let [remote, local] = &scene.servers;
        Ok(Self {
            begun,
            plan,
            traffic: [traffic(remote)?, traffic(local)?],
            watches: [watch(remote), watch(local)],
            judge,
            generation,
        })
    }

    /// Everything at the same time, until the end.
    async fn soak(&self, scene: &Scene, rates: [f64; 2]) -> Result<()> {
        let mut tasks = JoinSet::new();
        let mut pacers = Vec::new();
        for ((traffic, watch), rate) in self.traffic.iter().zip(&self.watches).zip(rates) {
            let (pacer, tickets) = Pacer::start(rate);
            pacers.push(pacer);
            let following = Rc::clone(traffic).follow(tickets);
            tasks.spawn_local(async move {
                following.await;
                anyhow::Ok(())
            });
            let watch = Rc::clone(watch);
            tasks.spawn_local(noise::forge(Rc::clone(traffic)));
            for misuse in Misuse::ALL {
                let judge = Rc::clone(&self.judge);
                tasks.spawn_local(misuse.go_on(watch.http, self.begun, judge));
            }
            tasks.spawn_local(async move { watch.run().await });
        }
        let probe = File::create(scene.folder.path().join("probe"))?;
        tasks.spawn_local(disk::watch(probe, self.begun, Rc::clone(&self.judge)));
        let trouble = Trouble {
            begun: self.begun,
            around: &scene.surroundings,
            servers: &scene.servers,
            traffic: &self.traffic,
            judge: &self.judge,
            generation: &self.generation,
        };
        let troubled = async {
            let [remote, shared] = &self.plan.rows;
            tokio::try_join!(trouble.make(remote), trouble.make(shared), self.rest())?;
            anyhow::Ok(())
        };
        tokio::select! {
            ended = troubled => ended?,
            // A server that has ended, or a fault of this program.
            Some(failed) = tasks.join_next() => {
                failed??;
                bail!("something has ended before its time");
            }
        }
        // Without its pacers nothing new is asked; what was asked goes on.
        drop(pacers);
        Ok(())
    }

    /// Lets the servers rest when it is planned; the last rest is the end.
    async fn rest(&self) -> Result<()> {
        for Rest { from, to } in &self.plan.rests {
            sleep_until((self.begun + *from).into()).await;
            println!("{:>5.0} s  rest", from.as_secs_f64());
            for (traffic, watch) in self.traffic.iter().zip(&self.watches) {
                traffic.rests.set(true);
                watch.rest_begins();
            }
            sleep_until((self.begun + *to).into()).await;
            for (traffic, watch) in self.traffic.iter().zip(&self.watches) {
                watch.rest_ends()?;
                traffic.rests.set(false);
            }
        }
        Ok(())
    }

    /// Waits until everybody has an answer.
    async fn drain(&self) -> Result<()> {
        let begun = Instant::now();
        let waiting = || {
            self.traffic
                .iter()
                .any(|traffic| traffic.in_flight.get() > 0)
        };
        while waiting() {
            ensure!(
                begun.elapsed() < Duration::from_secs(60),
                "requests are still in flight"
            );
            sleep(Duration::from_millis(20)).await;
        }
        // Logs publish what they have taken.
        sleep(Duration::from_secs(3)).await;
        Ok(())
    }

    /// Everything that can be said only at the end.
    async fn conclude(&self, program: &Path, scene: &mut Scene) -> Vec<Compared> {
        println!("comparing certificates, logs and audit logs");
        self.judge.borrow_mut().conclude();
        let mut all = Vec::new();
        let client = Client {
            program,
            folder: scene.folder.path(),
            runs: RefCell::default(),
        };
        for ((server, traffic), watch) in scene
            .servers
            .iter_mut()
            .zip(&self.traffic)
            .zip(&self.watches)
        {
            let ledger = traffic.ledger.take();
            let (compared, mut wrong) = trail::compare(&client, server, &ledger).await;
            all.push(compared);
            if let Some(flatness) = Flatness::of(&watch.rests.borrow())
                && !flatness.is_flat()
            {
                wrong.push(format!("memory grows: {flatness:?}"));
            }
            let mut judge = self.judge.borrow_mut();
            for what in wrong {
                let what = format!("{:?}: {what}", server.side);
                judge.complaints.add(self.plan.length(), &what);
            }
        }
        all
    }

    fn report(
        &self,
        work: Duration,
        capacities: [f64; 2],
        rates: [f64; 2],
        compared: Vec<Compared>,
    ) -> Report {
        let mut judge = self.judge.borrow_mut();
        let mut sides = Vec::new();
        for (place, (side, compared)) in Side::BOTH.into_iter().zip(compared).enumerate() {
            let seconds = judge.seconds.get(&side).map_or(&[][..], Vec::as_slice);
            let sum = |of: fn(&Second) -> u64| seconds.iter().map(of).sum::<u64>();
            sides.push(SideReport {
                side,
                capacity: capacities[place],
                rate: rates[place],
                requests: sum(|one| one.issued + one.refused + one.broken),
                issued: sum(|one| one.issued),
                most_in_flight: self.traffic[place].most_in_flight.get(),
                flatness: Flatness::of(&self.watches[place].rests.borrow()),
                most_memory: self.watches[place].most_memory.get(),
                compared,
            });
        }
        let date = humantime::format_rfc3339_seconds(SystemClock.now()).to_string();
        Report {
            date: date.split('T').next().unwrap_or_default().to_owned(),
            length: work,
            machine: machine(),
            sides,
            forged: judge.forged,
            by_the_log_itself: judge.by_the_log_itself,
            by_the_disk_itself: judge.by_the_disk_itself,
            complaints: judge.complaints.count,
            windows: core::mem::take(&mut judge.windows),
        }
    }
}

/// The processor, and how many of its cores there are.
fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split_once(": "));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = model.map_or("an unknown processor", |(_, model)| model);
    format!("{cores} cores of {model}, which the load and the log share")
}

/// Of each provider, at each time that it has new keys.
const PEOPLE: usize = 60;
