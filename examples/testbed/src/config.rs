//! The layer from a file: it says everything that flags would say, and one word in it where
//! sessions live.

use std::path::Path;
use std::sync::Arc;

use sessile::core::{Error, ErrorKind};
use sessile::{Result, SessionConfig, SessionLayer};
use toml::{Table, Value};

use crate::nodes::Name;

/// The layer that the file describes, and the label of this node. `--insecure-dev` stands for a
/// line of the file.
pub(crate) async fn build(path: &Path, insecure_dev: bool) -> Result<(SessionLayer, Name)> {
    let file = read(path, insecure_dev)?;
    let name = name(&file);
    let layer = SessionConfig::read(file)?.build().await?;
    Ok((layer, name))
}

fn read(path: &Path, insecure_dev: bool) -> Result<Table> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|why| {
        let message = format!("{shown} can't be read: {}", why.kind());
        Error::new(ErrorKind::Invalid, message).with_source(why)
    })?;
    // The message alone: the rest of the error quotes the file, which may hold secrets.
    let mut file: Table = toml::from_str(&text).map_err(|why: toml::de::Error| {
        let message = format!("{shown} is no TOML: {}", why.message());
        Error::new(ErrorKind::Invalid, message)
    })?;
    if insecure_dev {
        let cookie = file.entry("cookie").or_insert_with(|| Table::new().into());
        if let Some(cookie) = cookie.as_table_mut() {
            cookie.insert("insecure_dev".to_owned(), true.into());
        }
    }
    Ok(file)
}

/// The label, if it is in use.
fn name(file: &Table) -> Name {
    let is_sticky = file.get("strategy").and_then(Value::as_str) == Some("sticky");
    let sticky = file.get("sticky").filter(|_| is_sticky);
    let label = sticky.and_then(|sticky| sticky.get("node")?.as_str());
    Name(label.map(Arc::from))
}
