use std::{
    io::{self, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

/// Where log lines are put, for a thread to write them.
///
/// Whoever logs copies a line and goes on, and one write takes what came within [`TOGETHER`]. No line is lost: while
/// more than [`ROOM`] wait for a reader that is slow, whoever logs waits as well; [`Writing`] writes the rest when it is
/// dropped, and after that each line is written at once.
#[derive(Clone)]
pub(crate) struct LogWriter(Arc<Shared>);

/// The thread that writes, until this is dropped.
#[must_use]
pub(crate) struct Writing {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    sink: Sink,
    waiting: Mutex<Waiting>,
    /// There is something to write, or nothing will follow.
    filled: Condvar,
    /// There is room again.
    taken: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    is_last: bool,
}

/// Opens what lines are written to.
type Sink = Box<dyn Fn() -> Box<dyn Write> + Send + Sync>;

/// How long a line waits for others at most.
const TOGETHER: Duration = Duration::from_millis(5);

/// How many bytes may wait.
const ROOM: usize = 1 << 20;

impl LogWriter {
    /// Starts to write to `sink`.
    pub(crate) fn start<W: Write + 'static>(
        sink: impl Fn() -> W + Send + Sync + 'static,
    ) -> io::Result<(Self, Writing)> {
        let shared = Arc::new(Shared {
            sink: Box::new(move || Box::new(sink())),
            waiting: Mutex::default(),
            filled: Condvar::new(),
            taken: Condvar::new(),
        });
        let lines = Arc::clone(&shared);
        let thread = thread::Builder::new().name("log".to_owned());
        let thread = thread.spawn(move || {
            let mut batch = Vec::new();
            while lines.take(&mut batch) {
                lines.write(&batch);
                batch.clear();
            }
        })?;
        let writing = Writing {
            shared: Arc::clone(&shared),
            thread: Some(thread),
        };
        Ok((Self(shared), writing))
    }
}

impl Shared {
    /// Swaps what waits for `batch`; false when nothing does and nothing will follow.
    fn take(&self, batch: &mut Vec<u8>) -> bool {
        let idle = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.is_last;
        let waiting = self.filled.wait_while(self.waiting(), idle);
        let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        let hurry = |waiting: &mut Waiting| waiting.lines.len() < ROOM && !waiting.is_last;
        let waiting = self.filled.wait_timeout_while(waiting, TOGETHER, hurry);
        let (mut waiting, _timeout) = waiting.unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut waiting.lines, batch);
        self.taken.notify_all();
        !batch.is_empty() || !waiting.is_last
    }

    fn put(&self, line: &[u8]) {
        let full = |waiting: &mut Waiting| waiting.lines.len() >= ROOM && !waiting.is_last;
        let waiting = self.taken.wait_while(self.waiting(), full);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        if waiting.is_last {
            drop(waiting);
            return self.write(line);
        }
        let was_empty = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        let is_full = waiting.lines.len() >= ROOM;
        drop(waiting);
        if was_empty || is_full {
            self.filled.notify_one();
        }
    }

    fn write(&self, lines: &[u8]) {
        let mut sink = (self.sink)();
        // Nobody is there to hear that nothing can be logged.
        let _written = sink.write_all(lines).and_then(|()| sink.flush());
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // A panic while it was held cannot leave half a line.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.put(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.shared.waiting().is_last = true;
        self.shared.filled.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};

    use super::*;

    /// Hands on what is written, and waits for leave before each write.
    struct Slow {
        written: Sender<Vec<u8>>,
        leave: Arc<Mutex<Receiver<()>>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // When nobody gives leave any more, it is given.
            let _leave = self.leave.lock().unwrap().recv();
            self.written.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (LogWriter, Writing, Sender<()>, Receiver<Vec<u8>>) {
        let (written, read) = mpsc::channel();
        let (leave, given) = mpsc::channel();
        let given = Arc::new(Mutex::new(given));
        let sink = move || Slow {
            written: written.clone(),
            leave: Arc::clone(&given),
        };
        let (writer, writing) = LogWriter::start(sink).unwrap();
        (writer, writing, leave, read)
    }

    #[test]
    fn every_line_is_written_once_and_those_of_one_thread_in_order() {
        let (writer, writing, leave, read) = slow();
        drop(leave);
        thread::scope(|threads| {
            for name in 0..4 {
                let mut writer = writer.clone();
                threads.spawn(move || {
                    for line in 0..500 {
                        writer
                            .write_all(format!("{name} {line:03}\n").as_bytes())
                            .unwrap();
                    }
                });
            }
        });
        drop((writing, writer));
        let text = String::from_utf8(read.iter().flatten().collect()).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 2000);
        for name in 0..4 {
            let own = lines
                .iter()
                .filter(|line| line.starts_with(&name.to_string()));
            assert!(own.is_sorted_by(|one, next| one < next), "{name}");
        }
    }

    #[test]
    fn who_logs_waits_for_a_slow_reader_and_loses_nothing() {
        let (mut writer, writing, leave, read) = slow();
        let block = vec![b'x'; ROOM / 2];
        let ended = thread::spawn(move || {
            for _ in 0..8 {
                writer.write_all(&block).unwrap();
            }
        });
        // Half of it is taken at most, and half fits; the thread cannot end before there is leave.
        thread::sleep(Duration::from_millis(50));
        assert!(!ended.is_finished());
        drop(leave);
        ended.join().unwrap();
        drop(writing);
        assert_eq!(
            read.iter().map(|batch| batch.len()).sum::<usize>(),
            4 * ROOM
        );
    }

    #[test]
    fn after_the_end_lines_are_written_at_once() {
        let (mut writer, writing, leave, read) = slow();
        drop((leave, writing));
        writer.write_all(b"late").unwrap();
        assert_eq!(read.try_recv().unwrap(), b"late");
    }
}
