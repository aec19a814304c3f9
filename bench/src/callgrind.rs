//! What callgrind has counted, read from its file.

use std::collections::HashMap;

/// Instructions by what ran them, and allocations.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// In functions of the cryptographic library.
    pub(crate) cryptography: u64,
    /// In the allocator and in the routines that copy and compare memory.
    pub(crate) memory: u64,
    /// In all others: our own, and those of the other libraries.
    pub(crate) own: u64,
    /// Calls of the allocator for new or larger memory.
    pub(crate) allocations: u64,
}

impl Counts {
    /// Adds up the file of one run. The name of a function or a file is written once, with a number that stands for it
    /// afterwards; a line that begins with a number is the place and the cost of some instructions, which
    /// belong to the function named last, except behind `calls=`, where they are those of the function called.
    pub(crate) fn read(text: &str) -> Self {
        let (mut names, mut files) = (HashMap::new(), HashMap::new());
        let mut counts = Self::default();
        let (mut file, mut function, mut called) = (String::new(), String::new(), String::new());
        let mut inclusive = false;
        for line in text.lines() {
            let other_file = ["fi=", "fe=", "cfi=", "cfl="];
            let other_file = other_file.iter().find_map(|mark| line.strip_prefix(mark));
            if let Some(name) = line.strip_prefix("fl=") {
                file = name_of(name, &mut files);
            } else if let Some(name) = other_file {
                // It may give a number to a file; that of inlined code changes nothing.
                name_of(name, &mut files);
            } else if let Some(name) = line.strip_prefix("fn=") {
                function = name_of(name, &mut names);
            } else if let Some(name) = line.strip_prefix("cfn=") {
                called = name_of(name, &mut names);
            } else if let Some(calls) = line.strip_prefix("calls=") {
                let calls = calls.split(' ').next().and_then(|calls| calls.parse().ok());
                if ALLOCATING.contains(&plain(&called)) {
                    counts.allocations += calls.unwrap_or(0);
                }
                inclusive = true;
            } else if line
                .starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first))
            {
                let cost = line.split(' ').nth(1).and_then(|cost| cost.parse().ok());
                let cost: u64 = cost.unwrap_or(0);
                if !core::mem::take(&mut inclusive) {
                    *counts.of(&file, &function) += cost;
                }
            }
        }
        counts
    }

    fn of(&mut self, file: &str, function: &str) -> &mut u64 {
        let name = plain(function);
        if file.contains("/aws-lc/") || name.contains("aws_lc") {
            &mut self.cryptography
        } else if MEMORY.iter().any(|part| name.contains(part)) {
            &mut self.memory
        } else {
            &mut self.own
        }
    }
}

/// `(12) name` names the number, `(12)` means what it was given.
fn name_of(text: &str, names: &mut HashMap<String, String>) -> String {
    let (number, name) = text.split_once(' ').unwrap_or((text, ""));
    if name.is_empty() {
        return names.get(number).cloned().unwrap_or_default();
    }
    names.insert(number.to_owned(), name.to_owned());
    name.to_owned()
}

/// A function without the mark of a recursion.
fn plain(name: &str) -> &str {
    name.split('\'').next().unwrap_or(name)
}

/// What the allocator is asked by; each is called by nobody but the wrappers of Rust and of C.
const ALLOCATING: [&str; 4] = ["malloc", "calloc", "realloc", "posix_memalign"];

const MEMORY: [&str; 12] = [
    "malloc",
    "calloc",
    "realloc",
    "free",
    "memalign",
    "_int_",
    "unlink_chunk",
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "bcmp",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// What callgrind writes, shortened.
    const FILE: &str = "\
# callgrind format
events: Ir
fl=(1) crates/issuance/src/pipeline.rs
fn=(1) fulcio_issuance::pipeline::issue
12 100
+3 20
cfn=(2) malloc
calls=3 0
16 45
cfn=(3) aws_lc_0_44_ECDSA_sign
calls=1 0
* 9000
fn=(2)
0 45
fn=(3)
0 8990
cfi=(2) /aws-lc/generated-src/sha256-x86_64.S
cfn=(4) sha256_block_data_order_avx
calls=1 0
0 10
fl=(2)
fn=(4)
0 10
";

    #[test]
    fn instructions_count_where_they_ran_and_not_again_where_they_were_called_from() {
        let counts = Counts::read(FILE);
        assert_eq!(counts.own, 120);
        assert_eq!(counts.memory, 45);
        assert_eq!(counts.cryptography, 9_000);
    }

    #[test]
    fn every_call_of_the_allocator_is_an_allocation() {
        assert_eq!(Counts::read(FILE).allocations, 3);
    }
}
