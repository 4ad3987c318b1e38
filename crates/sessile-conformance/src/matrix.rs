//! Which laws hold for which stores, as a table.

use std::fmt;

use crate::{Depth, Factory, Law, Violation, laws};

/// Which laws hold for which stores. `Display` makes a table in Markdown of it, and below it says
/// what was broken and why something was not run.
///
/// ```
/// use sessile_conformance::broken::{BrokenStore, Flaw};
/// use sessile_conformance::{Matrix, ModelStore};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let mut matrix = Matrix::new();
/// matrix.run("model", &|| async { ModelStore::new() }).await;
/// matrix.run("upserting", &|| async { BrokenStore::new(Flaw::Upserts) }).await;
/// matrix.not_run("elsewhere", "no server is installed");
/// println!("{matrix}");
/// assert_eq!(matrix.broken().count(), 1);
/// # });
/// ```
#[derive(Debug, Default)]
pub struct Matrix {
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    store: String,
    results: Results,
}

#[derive(Debug)]
enum Results {
    /// One for each law.
    Run(Vec<Result<(), Violation>>),
    NotRun(String),
}

impl Matrix {
    /// A table without a column.
    pub fn new() -> Self {
        Matrix::default()
    }

    /// Checks every law on the stores that `stores` makes, and adds the column `store`. To the
    /// depth that the environment asks for ([`Depth::from_env`]); needs to run within a runtime of
    /// tokio.
    pub async fn run(&mut self, store: &str, stores: &dyn Factory) {
        self.run_at(store, stores, Depth::from_env()).await;
    }

    /// As [`run`](Self::run), to this depth.
    pub async fn run_at(&mut self, store: &str, stores: &dyn Factory, depth: Depth) {
        let mut results = Vec::new();
        for law in laws() {
            results.push(law.check_at(stores, depth).await);
        }
        self.add(store, Results::Run(results));
    }

    /// Adds the column `store` of one that was not run, with the reason.
    pub fn not_run(&mut self, store: &str, reason: &str) {
        self.add(store, Results::NotRun(reason.to_owned()));
    }

    /// What was broken: the store, the law, and how.
    pub fn broken(&self) -> impl Iterator<Item = (&str, &'static Law, &Violation)> {
        self.columns.iter().flat_map(|column| {
            let results = match &column.results {
                Results::Run(results) => &results[..],
                Results::NotRun(_) => &[],
            };
            let of_law = laws().iter().zip(results);
            of_law.filter_map(|(law, result)| {
                let violation = result.as_ref().err()?;
                Some((column.store.as_str(), law, violation))
            })
        })
    }

    fn add(&mut self, store: &str, results: Results) {
        self.columns.push(Column {
            store: store.to_owned(),
            results,
        });
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("| law |")?;
        for column in &self.columns {
            write!(f, " {} |", column.store)?;
        }
        writeln!(f)?;
        writeln!(f, "| --- |{}", " --- |".repeat(self.columns.len()))?;
        for (at, law) in laws().iter().enumerate() {
            write!(f, "| `{}` |", law.name())?;
            for column in &self.columns {
                f.write_str(match &column.results {
                    Results::Run(results) if results[at].is_ok() => " held |",
                    Results::Run(_) => " **broken** |",
                    Results::NotRun(_) => " not run |",
                })?;
            }
            writeln!(f)?;
        }
        for (store, law, violation) in self.broken() {
            write!(f, "\n- {store} breaks `{}`: {violation}", law.name())?;
        }
        for column in &self.columns {
            if let Results::NotRun(reason) = &column.results {
                write!(f, "\n- {} was not run: {reason}", column.store)?;
            }
        }
        Ok(())
    }
}
