//! Every link from one Markdown file of this repository to another leads somewhere, every page
//! that the book includes exists, and every page of the book is in its table of contents.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the repository is shown: such an address is a file of ours, and is followed.
const SHOWN: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/");

/// What a page points to.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    /// Relative to the page.
    Link(String),
    /// Relative to the page, and becomes part of it.
    Include(String),
    /// Relative to the repository, by its address.
    Shown(String),
}

/// How many targets were followed, and what is wrong with the others.
pub(crate) fn check(root: &Path) -> Result<(usize, Vec<String>), String> {
    let root = root.canonicalize().map_err(|error| error.to_string())?;
    let book = root.join("docs/src");
    let mut pages = entries(&root)?;
    pages.retain(|path| is_page(path));
    for folder in ["docs", "crates", "examples", "tests", "benches"] {
        find_pages(&root.join(folder), &mut pages)?;
    }

    let (mut seen, mut wrong) = (0, Vec::new());
    for page in &pages {
        let text = read(page)?;
        for target in targets(&text) {
            seen += 1;
            if let Some(why) = fault(&target, page, &root, &book) {
                wrong.push(format!(
                    "{}: {why}",
                    page.strip_prefix(&root).unwrap_or(page).display()
                ));
            }
        }
    }
    wrong.extend(unlisted(&book, &pages)?);
    Ok((seen, wrong))
}

fn fault(target: &Target, page: &Path, root: &Path, book: &Path) -> Option<String> {
    let folder = page.parent().unwrap_or(root);
    let (to, from) = match target {
        Target::Link(to) | Target::Include(to) => (to, folder),
        Target::Shown(to) => (to, root),
    };
    let Ok(found) = from.join(to).canonicalize() else {
        return Some(format!("`{to}` does not exist"));
    };
    let leaves = page.starts_with(book) && !found.starts_with(book);
    let leaves = leaves && matches!(target, Target::Link(_));
    // mdBook copies its own folder only: the link would work here and break in the book.
    leaves.then(|| format!("`{to}` leaves the book: begin it with {SHOWN}"))
}

/// Pages of the book that `SUMMARY.md` does not name, which mdBook would leave out in silence.
fn unlisted(book: &Path, pages: &[PathBuf]) -> Result<Vec<String>, String> {
    let summary = book.join("SUMMARY.md");
    let text = read(&summary)?;
    let listed: Vec<Target> = targets(&text).collect();
    let missing = pages.iter().filter_map(|page| page.strip_prefix(book).ok());
    let missing = missing.map(|page| page.to_string_lossy().replace('\\', "/"));
    let missing = missing.filter(|page| page != "SUMMARY.md");
    let missing = missing.filter(|page| !listed.contains(&Target::Link(page.clone())));
    Ok(missing
        .map(|page| format!("SUMMARY.md does not list {page}"))
        .collect())
}

fn find_pages(folder: &Path, pages: &mut Vec<PathBuf>) -> Result<(), String> {
    if !folder.exists() {
        return Ok(());
    }
    for path in entries(folder)? {
        if path.is_dir() && !path.ends_with("target") {
            find_pages(&path, pages)?;
        } else if is_page(&path) {
            pages.push(path);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

fn is_page(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "md")
}

fn read(page: &Path) -> Result<String, String> {
    fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))
}

/// What `text` points to in this repository: no anchors, no code, no addresses elsewhere.
fn targets(text: &str) -> impl Iterator<Item = Target> + use<> {
    let prose = prose(text);
    let links = prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ', '\n']).next());
    let includes = prose
        .split("{{#include ")
        .skip(1)
        .filter_map(|rest| rest.split("}}").next());
    let mut targets: Vec<Target> = links.filter_map(link).collect();
    targets.extend(includes.map(|path| Target::Include(path.trim().to_owned())));
    targets.into_iter()
}

fn link(address: &str) -> Option<Target> {
    let path = address.split('#').next().filter(|path| !path.is_empty())?;
    if let Some(path) = path.strip_prefix(SHOWN) {
        return Some(Target::Shown(path.to_owned()));
    }
    // `crate::Session` is for rustdoc, which checks it itself.
    let elsewhere = path.contains("://") || path.contains("::") || path.starts_with("mailto:");
    (!elsewhere).then(|| Target::Link(path.to_owned()))
}

/// The text without fenced blocks and without code in backticks, where brackets are no links.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            line.split('`')
                .step_by(2)
                .for_each(|part| prose.push_str(part));
            prose.push('\n');
        }
    }
    prose
}

#[cfg(test)]
mod tests {
    use super::{SHOWN, Target, targets};

    #[track_caller]
    fn links_to(text: &str, expected: &[&str]) {
        let expected: Vec<_> = expected
            .iter()
            .map(|to| Target::Link((*to).to_owned()))
            .collect();
        assert_eq!(targets(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn relative_links_are_found_without_their_anchors() {
        links_to(
            "see [a](b.md#top), ![c](d.png \"e\") and [`code`](g.md)",
            &["b.md", "d.png", "g.md"],
        );
    }

    #[test]
    fn includes_and_addresses_of_the_repository_are_followed() {
        let text = format!("{{{{#include ../f.md}}}} [s]({SHOWN}SECURITY.md)");
        let found: Vec<_> = targets(&text).collect();
        assert_eq!(
            found,
            [
                Target::Shown("SECURITY.md".to_owned()),
                Target::Include("../f.md".to_owned())
            ]
        );
    }

    #[test]
    fn addresses_anchors_items_and_code_are_not_files() {
        links_to("[a](https://b.example/c) [d](#e) [f](mailto:g@h)", &[]);
        links_to(
            "[Session](crate::Session)\n```rust\nx[0](y)\n```\n`z](w)`",
            &[],
        );
    }
}
