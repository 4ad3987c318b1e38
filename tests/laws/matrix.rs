//! Every law on every store as one table: in the output of the tests, and in the book.

use std::{env, fs};

use sessile_conformance::{Depth, Matrix};

use crate::beds::Bed;

/// The page of the book that shows the table.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/src/laws.md");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_book_shows_which_laws_hold_for_which_store() {
    let mut matrix = Matrix::new();
    for (name, bed) in [
        ("memory", Bed::memory()),
        ("Redis", Bed::redis()),
        ("Redis Cluster", Bed::redis_cluster()),
        ("PostgreSQL", Bed::postgres()),
        ("MariaDB", Bed::mariadb()),
        ("SQLite", Bed::sqlite()),
    ] {
        matrix.run_at(name, &bed, Depth::Quick).await;
    }
    let table = matrix.to_string();
    println!("{table}");
    // Not on the page, which is the same on every machine.
    let mut elsewhere = Matrix::new();
    match Bed::valkey() {
        Some(bed) => elsewhere.run_at("Valkey", &bed, Depth::Quick).await,
        None => elsewhere.not_run("Valkey", "there is no valkey-server on the PATH"),
    }
    println!("{elsewhere}");
    let broken = matrix.broken().chain(elsewhere.broken());
    assert_eq!(broken.count(), 0);
    let page = fs::read_to_string(PAGE).unwrap();
    let (head, _) = page.split_once("| law |").unwrap();
    let page_now = format!("{head}{table}");
    if env::var_os("WRITE_PAGES").is_some() {
        fs::write(PAGE, &page_now).unwrap();
    }
    assert_eq!(page, page_now, "to write the page anew: WRITE_PAGES=1");
}
