use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use crate::{
    Digest, Error, Finding, Head, Outcome, Problem,
    files::FileLine,
    line::{BadLine, Line},
    notice::FORMAT,
};

/// What is known of a chain from elsewhere.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Expectation {
    /// The head before the first line that is looked at, where earlier files were taken away.
    pub after: Option<Head>,
    /// The hashes of lines by sequence number, as they were kept elsewhere.
    pub heads: BTreeMap<u64, Digest>,
}

/// What came of verifying the files of one node.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Verification {
    /// The node in the first line.
    pub node: Option<String>,
    /// The sequence number of the first line.
    pub first: Option<u64>,
    /// The head after the last good line.
    pub head: Option<Head>,
    /// The time of the first line and of the last.
    pub times: Option<(String, String)>,
    /// Lines that were looked at.
    pub lines: u64,
    /// How many lines of each outcome there are, in the order of [`Outcome::ALL`].
    pub counts: [u64; Outcome::ALL.len()],
    /// Records that the trail says that could not be kept.
    pub lost: u64,
    /// Whether the last line says that the server ended as it should. Otherwise it runs, was killed,
    /// or lines are missing at the end.
    pub is_stopped: bool,
    /// What is wrong, in the order of the files.
    pub findings: Vec<Finding>,
    /// Further findings, which are not listed.
    pub omitted: u64,
}

/// Verifies the files of one node, which are in the order of its chain; [`by_node`](crate::by_node) sorts
/// them.
///
/// Lines that are missing at the end are found only where [`Expectation::heads`] has one of them.
///
/// # Errors
/// A file cannot be read.
pub fn verify(files: &[PathBuf], expectation: &Expectation) -> Result<Verification, Error> {
    let mut verifier = Verifier {
        expectation,
        found: Verification::default(),
    };
    for path in files {
        verifier.read(path)?;
    }
    Ok(verifier.finish())
}

struct Verifier<'a> {
    expectation: &'a Expectation,
    found: Verification,
}

impl Verifier<'_> {
    fn read(&mut self, path: &Path) -> Result<(), Error> {
        let file = File::open(path).map_err(Error::io("open", path))?;
        let mut reader = BufReader::new(file);
        let (mut number, mut bytes) = (0, Vec::new());
        loop {
            bytes.clear();
            let length = reader
                .read_until(b'\n', &mut bytes)
                .map_err(Error::io("read", path))?;
            if length == 0 {
                return Ok(());
            }
            number += 1;
            match bytes.strip_suffix(b"\n") {
                Some(line) => self.line(path, number, line),
                None => self.find(
                    path,
                    number,
                    Problem::Torn {
                        bytes: length as u64,
                    },
                ),
            }
        }
    }

    fn line(&mut self, path: &Path, number: u64, bytes: &[u8]) {
        self.found.lines += 1;
        self.found.is_stopped = false;
        let line = match Line::read(bytes) {
            Ok(line) => line,
            Err(bad) => {
                let problem = match bad {
                    BadLine::Changed => Problem::Changed,
                    BadLine::Malformed => Problem::Malformed,
                };
                // It counts as the line that belongs there, so that those after it are not blamed.
                if let Some(head) = &mut self.found.head {
                    head.next += 1;
                    head.hash = said_hash(bytes).unwrap_or(Digest::ZERO);
                }
                return self.find(path, number, problem);
            }
        };
        self.link(path, number, &line);
        self.first_of_file(path, number, &line, bytes);
        if let Some(expected) = self.expectation.heads.get(&line.seq)
            && *expected != line.hash
        {
            let (seq, hash) = (line.seq, line.hash);
            self.find(path, number, Problem::OtherHead { seq, hash });
        }
        self.count(&line, bytes);
        self.found.head = Some(line.head());
    }

    /// Compares the line with the end of the chain before it.
    fn link(&mut self, path: &Path, number: u64, line: &Line<'_>) {
        let expected = match self.found.head {
            Some(head) => head,
            None => {
                self.found.first = Some(line.seq);
                match self.expectation.after {
                    Some(after) => after,
                    None if line.seq == 0 => Head::START,
                    None => {
                        let seq = line.seq;
                        return self.find(path, number, Problem::Beginning { seq });
                    }
                }
            }
        };
        if line.seq > expected.next {
            let (from, to) = (expected.next, line.seq - 1);
            self.find(path, number, Problem::Missing { from, to });
        } else if line.seq < expected.next {
            let (seq, expected) = (line.seq, expected.next);
            self.find(path, number, Problem::Order { seq, expected });
        } else if line.previous != expected.hash {
            self.find(path, number, Problem::Unlinked);
        }
    }

    fn first_of_file(&mut self, path: &Path, number: u64, line: &Line<'_>, bytes: &[u8]) {
        let first = (line.kind == "file")
            .then(|| FileLine::read(bytes))
            .flatten();
        match first.filter(|first| first.format == FORMAT) {
            Some(first) if number == 1 => match &self.found.node {
                None => self.found.node = Some(first.node),
                Some(node) if *node == first.node => {}
                Some(_) => self.find(path, number, Problem::Node { node: first.node }),
            },
            None if number > 1 && line.kind != "file" => {}
            _ => self.find(path, number, Problem::FileLine),
        }
    }

    fn count(&mut self, line: &Line<'_>, bytes: &[u8]) {
        for outcome in Outcome::ALL {
            if line.kind == outcome.as_str() {
                self.found.counts[outcome as usize] += 1;
            }
        }
        if line.kind == "lost"
            && let Ok(lost) = serde_json::from_slice::<Lost>(bytes)
        {
            self.found.lost += lost.abandoned + lost.issued + lost.refused;
        }
        self.found.is_stopped = line.kind == "stopped";
        match &mut self.found.times {
            Some((_, last)) => line.time.clone_into(last),
            times @ None => *times = Some((line.time.to_owned(), line.time.to_owned())),
        }
    }

    fn find(&mut self, path: &Path, line: u64, problem: Problem) {
        self.found.add(Finding {
            file: Some(path.to_owned()),
            line: Some(line),
            problem,
        });
    }

    fn finish(mut self) -> Verification {
        let general = |problem| Finding {
            file: None,
            line: None,
            problem,
        };
        if self.found.lines == 0 && self.found.findings.is_empty() {
            self.found.add(general(Problem::Empty));
        }
        let next = self.found.head.map_or(0, |head| head.next);
        let unreached = self.expectation.heads.range(next..);
        for (seq, _) in unreached {
            self.found.add(general(Problem::Unreached { seq: *seq }));
        }
        self.found
    }
}

impl Verification {
    fn add(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.omitted += 1;
        }
    }
}

/// The hash at the end of a line that is not good.
fn said_hash(line: &[u8]) -> Option<Digest> {
    let end = line.strip_suffix(b"\"}")?;
    let hash = end.get(end.len().checked_sub(64)?..)?;
    core::str::from_utf8(hash).ok()?.parse().ok()
}

#[derive(serde::Deserialize)]
struct Lost {
    abandoned: u64,
    issued: u64,
    refused: u64,
}

/// Findings that are listed.
const MAX_FINDINGS: usize = 100;
