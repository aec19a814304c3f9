//! What the log does, step by step, on a disk whose power fails during one of the steps.
//!
//! One thread takes the steps of the log's two in an order that a seed chooses, so that a seed
//! repeats its schedule.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

use fulcio_ct_client::{Entry, Submission};
use pki_types::CertificateDer;
use tokio::sync::oneshot;

use super::ORIGIN;
use crate::{
    Options, Severity,
    backlog::{Backlog, Taken},
    check::check_on,
    creation::open_or_create,
    disk::{Disk, ReadDisk},
    error::Error,
    frontier::Frontier,
    identity::Identity,
    leaf::{TileLeaf, extensions_for, leaf_hash},
    options::millis,
    publisher::{Published, Publisher, public},
    reader::Checkpoint,
    recovery::{recover, remember},
    sequencer::{BatchLimits, Sequencer},
    sim_disk::{Chance, Lie, SimDisk},
    submission::Waiting,
    tile::{TileKind, TileName, WIDTH},
};

/// Entries that a retry must find.
const REMEMBERED: usize = 64;

/// What a timestamp that was given out says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Promise {
    number: u64,
    index: u64,
    timestamp: u64,
}

/// A log between its opening and a power cut.
struct Life {
    identity: Identity,
    sequencer: Sequencer,
    publisher: Publisher,
    backlog: Arc<Backlog>,
}

impl Life {
    fn open(disk: &SimDisk, seconds: &Arc<AtomicU64>) -> Result<(Self, Published), Error> {
        let time = Arc::clone(seconds);
        let clock = move || UNIX_EPOCH + Duration::from_secs(time.load(Ordering::Relaxed));
        let options = Options::new(clock).with_origin(ORIGIN);
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let identity = open_or_create(&disk, &options)?;
        let (journal, mut publisher) = recover(&disk, &identity)?;
        let newest = publisher.newest();
        let published = publisher.publish(millis(options.clock.now()))?;
        let recent = remember(&*disk, &published.checkpoint, REMEMBERED, 1);
        let backlog = Arc::new(Backlog::new(usize::MAX));
        let sequencer = Sequencer {
            disk,
            journal,
            clock: options.clock,
            newest,
            batch: BatchLimits {
                entries: options.batch,
                delay: Duration::ZERO,
            },
            backlog: Arc::clone(&backlog),
            recent,
            issuers: HashSet::new(),
        };
        let life = Self {
            identity,
            sequencer,
            publisher,
            backlog,
        };
        Ok((life, published))
    }

    /// Submits a batch; gives the promises that were made.
    fn submit(&mut self, numbers: impl Iterator<Item = u64>) -> (Vec<Promise>, Result<(), Error>) {
        let (mut batch, mut answers) = (Vec::new(), Vec::new());
        for number in numbers {
            let (reply, answer) = oneshot::channel();
            let certificate = CertificateDer::from(number.to_be_bytes().to_vec());
            let issuer = CertificateDer::from(vec![0x30, (number % 3) as u8]);
            let submission = Submission {
                entry: Entry::Certificate(&certificate),
                certificate: &certificate,
                issuers: &[issuer],
            };
            batch.push(Waiting::new(&submission, reply).expect("small"));
            answers.push((number, answer));
        }
        let done = self.sequencer.sequence(&mut batch).map(drop);
        let answered = answers.into_iter().filter_map(|(number, mut answer)| {
            let placed = answer.try_recv().ok()?;
            Some(Promise {
                number,
                index: placed.index,
                timestamp: placed.timestamp,
            })
        });
        (answered.collect(), done)
    }

    /// Lets the publisher take a batch, if there is one.
    fn take(&mut self) -> Result<(), Error> {
        match self.backlog.take(Instant::now()) {
            Taken::Frame(frame) => self.publisher.apply(&frame),
            Taken::Nothing | Taken::Closed => Ok(()),
        }
    }
}

/// What has been given out, and what came of it.
#[derive(Default)]
struct World {
    seconds: Arc<AtomicU64>,
    next: u64,
    promises: Vec<Promise>,
    /// Checkpoints that somebody may have seen.
    notes: Vec<Vec<u8>>,
    cuts: u64,
    looked_at: u64,
}

impl World {
    /// Lets a log work until the power fails.
    fn live(&mut self, disk: &SimDisk, chance: &mut Chance) -> Result<(), String> {
        let unless_failed = |error: Error| match disk.failed() {
            true => Ok(()),
            false => Err(format!("a healthy disk: {error}")),
        };
        let mut life = match Life::open(disk, &self.seconds) {
            Ok((life, published)) => {
                self.notes.push(published.note.into_bytes());
                life
            }
            Err(error) => return unless_failed(error),
        };
        while !disk.failed() {
            match chance.below(5) {
                0 => self.seconds.fetch_add(7, Ordering::Relaxed),
                1 => self.seconds.fetch_sub(5, Ordering::Relaxed),
                _ => 0,
            };
            let done = match chance.below(8) {
                0..4 => self.submit(&mut life, chance)?,
                4..6 => life.take(),
                _ => life.publisher.publish(self.now()).map(|published| {
                    self.notes.push(published.note.into_bytes());
                }),
            };
            if let Err(error) = done {
                unless_failed(error)?;
            }
        }
        Ok(())
    }

    /// Submits some entries, often with a retry among them.
    fn submit(
        &mut self,
        life: &mut Life,
        chance: &mut Chance,
    ) -> Result<Result<(), Error>, String> {
        let entries = if chance.below(50) == 0 {
            200
        } else {
            1 + chance.below(6)
        };
        let newest = self
            .promises
            .iter()
            .max_by_key(|promise| promise.index)
            .copied();
        let retry = newest.filter(|_| chance.below(3) == 0);
        let numbers = self.next..self.next + entries;
        self.next += entries;
        let (promises, done) = life.submit(retry.iter().map(|retry| retry.number).chain(numbers));
        if let (Some(retry), Some(again)) = (retry, promises.first())
            && retry != *again
        {
            return Err(format!(
                "{retry:?} was answered with {again:?} when retried"
            ));
        }
        self.promises.extend(promises);
        Ok(done)
    }

    /// Checks that a disk holds what was promised, and a tree that grew from every tree seen.
    fn verify(&mut self, disk: &SimDisk) -> Result<(), String> {
        if !self.promises.is_empty() {
            let report = check_on(disk, None).map_err(|error| error.to_string())?;
            if report.severity() >= Some(Severity::Damage) {
                return Err(format!("before opening: {:?}", report.findings));
            }
        }
        let (life, published) =
            Life::open(disk, &self.seconds).map_err(|error| format!("opening: {error}"))?;
        let report = check_on(disk, None).map_err(|error| error.to_string())?;
        if !report.is_sound() {
            return Err(format!("after opening: {:?}", report.findings));
        }
        let size = published.checkpoint.size();
        let mut seen = Vec::new();
        for note in &self.notes {
            let verified = Checkpoint::verify(note, ORIGIN, life.identity.key.public());
            seen.push(verified.map_err(|error| error.to_string())?);
        }
        let mut frontier = Frontier::default();
        let mut roots = HashMap::from([(0, frontier.root())]);
        let mut leaves = Vec::new();
        for index in 0..size.div_ceil(WIDTH) {
            let name = TileName::holding(TileKind::Data, index * WIDTH, size).expect("inside");
            let tile = disk.read(&public(&name.to_string())).expect("healthy");
            let tile = tile.ok_or_else(|| format!("no {name}"))?;
            let mut rest = tile.as_slice();
            while let Some((leaf, after)) = TileLeaf::parse(rest) {
                leaves.push(leaf.hash());
                frontier.push(&leaf, &rest[..rest.len() - after.len()], &mut |_, _| {});
                let size = frontier.size();
                if seen.iter().any(|seen| seen.size() == size) {
                    roots.insert(size, frontier.root());
                }
                rest = after;
            }
        }
        for promise in &self.promises {
            let certificate = promise.number.to_be_bytes();
            let extensions = extensions_for(promise.index);
            let entry = Entry::Certificate(&certificate);
            let promised = leaf_hash(entry, promise.timestamp, &extensions);
            if leaves.get(promise.index as usize) != Some(&promised) {
                return Err(format!("{promise:?} was lost, of {size} entries"));
            }
        }
        for seen in &seen {
            if roots.get(&seen.size()) != Some(&seen.root()) {
                return Err(format!("the tree of {} entries was forked", seen.size()));
            }
            if seen.timestamp() > published.checkpoint.timestamp() {
                return Err("a checkpoint is older than one before".to_owned());
            }
        }
        self.looked_at += self.promises.len() as u64;
        Ok(())
    }

    fn now(&self) -> u64 {
        self.seconds.load(Ordering::Relaxed) * 1000
    }
}

/// Up to three lives of a log, each ended by a power cut.
fn run(seed: u64, lie: Option<Lie>) -> Result<World, String> {
    let mut chance = Chance::new(seed);
    let mut world = World::default();
    world.seconds.store(1_800_000_000, Ordering::Relaxed);
    let mut disk = SimDisk::default();
    if let Some(lie) = lie {
        disk.tell(lie);
    }
    for _ in 0..1 + chance.below(3) {
        let changes = if chance.below(8) == 0 { 400 } else { 70 };
        disk.fail_after(1 + chance.below(changes), chance.below(u64::MAX));
        world.live(&disk, &mut chance)?;
        // Nobody may have seen a checkpoint of a log that was not made before the power failed.
        if !world.notes.is_empty() {
            world.notes.extend(disk.peek(&public("checkpoint")));
        }
        disk = disk.after_power_cut(chance.below(u64::MAX));
        world.cuts += 1;
        // Only what is kept on the disk goes on; looking at it does not mend it.
        world.verify(&disk.copy())?;
    }
    Ok(world)
}

#[test]
fn no_promise_is_lost_in_any_schedule() {
    let schedules: u64 = if full() { 10_000 } else { 2_000 };
    let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
    let started = Instant::now();
    let run_share = |first: u64| {
        let (mut sum, mut last) = ([0; 4], Ok(()));
        for seed in (first..schedules).step_by(threads as usize) {
            match run(seed, None) {
                Ok(world) => {
                    let promises = world.promises.len() as u64;
                    let notes = world.notes.len() as u64;
                    for (sum, more) in
                        sum.iter_mut()
                            .zip([world.cuts, promises, world.looked_at, notes])
                    {
                        *sum += more;
                    }
                }
                Err(violation) => {
                    last = Err(format!("seed {seed}: {violation}"));
                    break;
                }
            }
        }
        last.map(|()| sum)
    };
    let sums = thread::scope(|scope| {
        let shares: Vec<_> = (0..threads)
            .map(|first| scope.spawn(move || run_share(first)))
            .collect();
        let joined = shares
            .into_iter()
            .map(|share| share.join().expect("no panic"));
        joined.collect::<Result<Vec<_>, _>>()
    });
    let sums = sums.unwrap_or_else(|violation| panic!("{violation}"));
    let sum = |at: usize| sums.iter().map(|sum| sum[at]).sum::<u64>();
    println!(
        "{schedules} schedules (seeds 0 to {}), {} power cuts, {} timestamps given out and looked \
         for {} times, {} checkpoints seen: none lost, {:.1} s",
        schedules - 1,
        sum(0),
        sum(1),
        sum(2),
        sum(3),
        started.elapsed().as_secs_f64(),
    );
    assert!(sum(1) > schedules, "the schedules hardly do anything");
}

#[test]
fn a_disk_that_does_not_sync_is_caught() {
    for lie in [Lie::Append, Lie::AppendOnce, Lie::Write, Lie::Folder] {
        let caught = (0..1000).find_map(|seed| Some((seed, run(seed, Some(lie)).err()?)));
        let (seed, violation) = caught.unwrap_or_else(|| panic!("{lie:?} was not noticed"));
        println!("{lie:?}: seed {seed}: {violation}");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test command says how much is tested"
)]
fn full() -> bool {
    std::env::var_os("FULCIO_TEST_FULL").is_some()
}
