use core::fmt;

use fulcio_signer::Algorithm;

use super::{Case, Finding};

/// What the suite found out about a signer, case by case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    algorithm: Algorithm,
    cases: Vec<(Case, Verdict)>,
}

/// How a [`Case`] ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "complete: there is no fourth end")]
pub enum Verdict {
    /// What is wrong, in the order in which it was found; never empty.
    Failed(Vec<Finding>),
    /// The case says nothing about this signer, or was not come to; and why.
    NotApplicable(&'static str),
    /// Nothing is wrong.
    Passed,
}

impl Report {
    /// Every case is one that does not apply yet.
    pub(super) fn new(algorithm: Algorithm, why: &'static str) -> Self {
        let not_yet = |case| {
            let why = match case {
                Case::WrongKey | Case::Slow | Case::Failing => NOT_PROVOKED,
                _ => why,
            };
            (case, Verdict::NotApplicable(why))
        };
        Self {
            algorithm,
            cases: Case::ALL.map(not_yet).into(),
        }
    }

    /// Every case, in the order of [`Case::ALL`].
    pub fn cases(&self) -> impl Iterator<Item = (Case, &Verdict)> {
        self.cases.iter().map(|(case, verdict)| (*case, verdict))
    }

    /// Everything that is wrong, in the order of the cases.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.cases
            .iter()
            .flat_map(|(_case, verdict)| match verdict {
                Verdict::Failed(findings) => findings.as_slice(),
                Verdict::NotApplicable(_) | Verdict::Passed => &[],
            })
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn conforms(&self) -> bool {
        self.findings().next().is_none()
    }

    /// Adds what was found out at another time, as about a service that was made to fail: of each
    /// case, the verdict that says more.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for ((_case, ours), (_same, theirs)) in self.cases.iter_mut().zip(other.cases) {
            match (&mut *ours, theirs) {
                (_, Verdict::NotApplicable(_)) | (Verdict::Failed(_), Verdict::Passed) => {}
                (Verdict::Failed(ours), Verdict::Failed(theirs)) => ours.extend(theirs),
                (_, theirs) => *ours = theirs,
            }
        }
        self
    }

    pub(super) fn pass(&mut self, case: Case) {
        let verdict = self.verdict(case);
        if !matches!(verdict, Verdict::Failed(_)) {
            *verdict = Verdict::Passed;
        }
    }

    pub(super) fn fail(&mut self, case: Case, finding: Finding) {
        match self.verdict(case) {
            Verdict::Failed(findings) if findings.last() == Some(&finding) => {}
            Verdict::Failed(findings) => findings.push(finding),
            verdict => *verdict = Verdict::Failed(vec![finding]),
        }
    }

    pub(super) fn does_not_apply(&mut self, case: Case, why: &'static str) {
        *self.verdict(case) = Verdict::NotApplicable(why);
    }

    fn verdict(&mut self, case: Case) -> &mut Verdict {
        // `Case::ALL` has them in the order of their discriminants.
        &mut self.cases[case as usize].1
    }
}

/// One line a case, and one for each thing that is wrong.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conforms = if self.conforms() {
            "conforms"
        } else {
            "does not conform"
        };
        write!(f, "the signer ({}) {conforms}:", self.algorithm)?;
        for (case, verdict) in &self.cases {
            write!(f, "\n  {case:14}  {verdict}")?;
            match verdict {
                Verdict::Failed(findings) => {
                    for finding in findings {
                        write!(f, "\n    - {finding}")?;
                    }
                }
                Verdict::NotApplicable(why) => write!(f, ": {why}")?,
                Verdict::Passed => {}
            }
        }
        Ok(())
    }
}

/// A word for the cell of a table.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Failed(_) => "FAILED",
            Self::NotApplicable(_) => "not applicable",
            Self::Passed => "passed",
        })
    }
}

const NOT_PROVOKED: &str = "it was not provoked";
