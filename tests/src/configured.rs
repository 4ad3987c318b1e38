//! A testbed whose configuration is a file.

use std::fs;
use std::ops::Deref;
use std::path::Path;

use crate::{Folder, KEY, Server};

/// A key that signs tokens with `HS256`.
pub const SIGNING_KEY: &str = "EBESExQVFhcYGRobHB0eHwABAgMEBQYHCAkKCwwNDg8";
/// A key that seals tokens.
pub const SEALING_KEY: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";

/// A testbed that was started with `--config`. Its file, and those that the file names, end with
/// it.
#[derive(Debug)]
pub struct Configured {
    server: Server,
    folder: Folder,
}

impl Configured {
    /// Starts a testbed with this configuration, in which `{folder}` stands for a folder of its
    /// own. In there are `signing.key` and `sealing.key`, for tokens.
    pub fn start(config: &str) -> Configured {
        let folder = Folder::new("configured");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("signing.key", SIGNING_KEY);
        write("sealing.key", SEALING_KEY);
        let config = config.replace("{folder}", folder.path().to_str().unwrap());
        write("sessile.toml", &config);
        let file = folder.path().join("sessile.toml");
        let server = Server::with("testbed", &["--config", file.to_str().unwrap()], KEY);
        Configured { server, folder }
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Deref for Configured {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}
