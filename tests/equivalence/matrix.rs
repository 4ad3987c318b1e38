//! Every law on every bed as one table: in the output of the tests, and in the book.

use std::fmt::Write as _;
use std::{env, fs, thread};

use crate::beds::{ALL as BEDS, Bed};
use crate::law::{Law, Verdict};
use crate::laws::ALL as LAWS;

/// The page of the book that shows the table.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/src/equivalence.md");
/// Where the table begins.
const MARK: &str = "|  | ";

struct Column {
    name: &'static str,
    shown: [String; 5],
    verdicts: Vec<Verdict>,
}

#[test]
fn every_strategy_keeps_every_law_that_its_guarantees_do_not_exclude() {
    let columns: Vec<Column> = thread::scope(|scope| {
        let columns: Vec<_> = BEDS
            .iter()
            .map(|(name, make)| scope.spawn(|| column(&Bed::start(name, *make))))
            .collect();
        columns.into_iter().map(|bed| bed.join().unwrap()).collect()
    });
    let table = table(&columns);
    println!("{table}");
    let broken: Vec<_> = columns.iter().flat_map(broken).collect();
    assert!(broken.is_empty(), "{}", broken.join("\n"));

    let page = fs::read_to_string(PAGE).unwrap();
    let (head, _) = page.split_once(MARK).unwrap();
    let page_now = format!("{head}{table}");
    if env::var_os("WRITE_PAGES").is_some() {
        fs::write(PAGE, &page_now).unwrap();
    }
    assert_eq!(page, page_now, "to write the page anew: WRITE_PAGES=1");
}

/// Laws that wait for time to pass go beside those that do not.
fn column(bed: &Bed) -> Column {
    let verdicts = thread::scope(|scope| {
        let put = |law: &'static Law| match law.waits() {
            true => Put::Waits(scope.spawn(|| law.put_to(bed))),
            false => Put::Is(law),
        };
        let begun: Vec<_> = LAWS.iter().map(put).collect();
        // Those that do not wait are put one after the other, by now.
        let done = begun.into_iter().map(|put| match put {
            Put::Waits(late) => Err(late),
            Put::Is(law) => Ok(law.put_to(bed)),
        });
        let done: Vec<_> = done.collect();
        let verdict = |done: Result<Verdict, thread::ScopedJoinHandle<'_, Verdict>>| {
            done.unwrap_or_else(|late| late.join().unwrap())
        };
        done.into_iter().map(verdict).collect()
    });
    Column {
        name: bed.name,
        shown: bed.promised.shown.clone(),
        verdicts,
    }
}

enum Put<'scope> {
    Waits(thread::ScopedJoinHandle<'scope, Verdict>),
    Is(&'static Law),
}

fn broken(column: &Column) -> Vec<String> {
    let of_law = LAWS.iter().zip(&column.verdicts);
    of_law
        .filter_map(|(law, verdict)| match verdict {
            Verdict::Broken(why) => Some(format!("{} breaks {}: {why}", column.name, law.name)),
            Verdict::Held | Verdict::Skipped(_) => None,
        })
        .collect()
}

fn table(columns: &[Column]) -> String {
    let mut table = String::from("|");
    let mut row = |first: &str, cells: Vec<String>| {
        writeln!(table, " {first} | {} |", cells.join(" | ")).unwrap();
        table.push('|');
    };
    row(
        "",
        columns
            .iter()
            .map(|column| column.name.to_owned())
            .collect(),
    );
    row("---", columns.iter().map(|_| "---".to_owned()).collect());
    let fields = ["revocation", "writes", "scope", "durability", "any node"];
    for (at, field) in fields.iter().enumerate() {
        let shown = columns.iter().map(|column| column.shown[at].clone());
        row(&format!("*{field}*"), shown.collect());
    }
    for (at, law) in LAWS.iter().enumerate() {
        let cell = |column: &Column| match &column.verdicts[at] {
            Verdict::Held => "held".to_owned(),
            Verdict::Skipped(need) => format!("*{}*", need.field()),
            Verdict::Broken(_) => "**broken**".to_owned(),
        };
        row(
            &format!("`{}`", law.name),
            columns.iter().map(cell).collect(),
        );
    }
    table.pop();
    table
}
