//! How many tests ran, read from the `test result:` lines that cargo's test runner prints.

/// A sum of test counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
}

impl Tally {
    /// Adds what `line` counts, if it is a `test result:` line.
    pub(crate) fn read(&mut self, line: &str) {
        let Some((_, counts)) = line.split_once("test result: ") else {
            return;
        };
        for part in counts.split(['.', ';']) {
            match part.trim().split_once(' ') {
                Some((n, "passed")) => self.passed += n.parse().unwrap_or(0),
                Some((n, "failed")) => self.failed += n.parse().unwrap_or(0),
                Some((n, "ignored")) => self.ignored += n.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// Whether any test was executed.
    pub(crate) fn is_empty(self) -> bool {
        self.passed + self.failed == 0
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;

    #[test]
    fn result_lines_are_summed_and_other_lines_are_not() {
        let mut tally = Tally::default();
        tally.read("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out");
        tally.read("test it::passed ... ok");
        tally.read("test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured");
        assert_eq!(
            tally,
            Tally {
                passed: 14,
                failed: 1,
                ignored: 1
            }
        );
    }

    #[test]
    fn a_run_of_nothing_but_ignored_tests_is_empty() {
        let mut tally = Tally::default();
        tally.read("test result: ok. 0 passed; 0 failed; 4 ignored; 0 measured; 0 filtered out");
        assert!(tally.is_empty());
    }
}
