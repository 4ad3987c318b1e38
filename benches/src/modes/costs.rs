//! A figure for every contestant and workload.

use crate::{
    contestants::{ALL, Entry, Role},
    table,
    workload::Workload,
};

/// One figure per contestant and workload, and how to show it.
pub struct Costs<T> {
    title: &'static str,
    cells: Vec<(&'static str, Workload, T)>,
}

impl<T: Copy> Costs<T> {
    pub fn new(title: &'static str) -> Self {
        Self {
            title,
            cells: Vec::new(),
        }
    }

    pub fn add(&mut self, entry: &Entry, workload: Workload, value: T) {
        self.cells.push((entry.name, workload, value));
    }

    pub fn get(&self, name: &str, workload: Workload) -> T {
        self.cells
            .iter()
            .find(|(n, w, _)| *n == name && *w == workload)
            .map(|(_, _, value)| *value)
            .expect("measured")
    }

    /// A line per contestant in the list's order, a column per workload.
    pub fn print_with(&self, show: impl Fn(T) -> String) {
        let mut header = vec!["over the bare framework"];
        header.extend(Workload::ALL.map(Workload::name));
        let measured = |entry: &&Entry| self.cells.iter().any(|(name, _, _)| *name == entry.name);
        let rows: Vec<Vec<String>> = ALL
            .iter()
            .filter(measured)
            .map(|entry| {
                let label = match entry.role {
                    Role::Bare => format!("{} (absolute)", entry.name),
                    Role::Floor | Role::Ours | Role::Peer => entry.name.to_owned(),
                };
                let cells = Workload::ALL.map(|workload| show(self.get(entry.name, workload)));
                [label].into_iter().chain(cells).collect()
            })
            .collect();
        table::print(self.title, &header, &rows);
    }
}
