//! A headless Chromium: pages dumped and drawn from the command line, or driven over the
//! DevTools protocol through a pair of pipes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use sessile_e2e::{on_path, pause};

const FLAGS: &[&str] = &[
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--window-size=900,1200",
];

/// An installed Chromium, and a profile that is thrown away.
pub(crate) struct Chromium {
    program: PathBuf,
    profile: PathBuf,
}

impl Chromium {
    pub(crate) fn find() -> Option<Chromium> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let program = on_path("chromium")?;
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("chromium-{}-{n}", std::process::id());
        let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        Some(Chromium { program, profile })
    }

    /// The page's DOM as HTML.
    pub(crate) fn dump(&self, url: &str) -> String {
        let output = self.command().args(["--dump-dom", url]).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    }

    /// The page as the bytes of a PNG file.
    pub(crate) fn draw(&self, url: &str) -> Vec<u8> {
        let file = self.profile.with_extension("png");
        let argument = format!("--screenshot={}", file.display());
        let output = self.command().args([&argument, url]).output().unwrap();
        assert!(output.status.success());
        std::fs::read(&file).unwrap()
    }

    /// Starts the browser with an empty tab.
    pub(crate) fn open(&self) -> Tab<'_> {
        // The protocol speaks on descriptors 3 and 4: the shell makes them of the two we can give.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(&self.program)
            .args(self.command().get_args())
            .args(["--remote-debugging-pipe", "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut tab = Tab {
            to: child.stdin.take().unwrap(),
            from: messages(child.stdout.take().unwrap()),
            child,
            last: 0,
            session: None,
            _browser: self,
        };
        let target = tab.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        tab.session = Some(tab.call("Target.attachToTarget", &attach)["sessionId"].take());
        tab.call("Page.enable", &json!({}));
        tab
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        let profile = format!("--user-data-dir={}", self.profile.display());
        command.args(FLAGS).arg(profile).stderr(Stdio::null());
        command
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // What is left behind is in the target folder.
        let _ = std::fs::remove_dir_all(&self.profile);
        let _ = std::fs::remove_file(self.profile.with_extension("png"));
    }
}

/// One tab of a running browser.
pub(crate) struct Tab<'a> {
    child: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    last: u64,
    session: Option<Value>,
    _browser: &'a Chromium,
}

impl Tab<'_> {
    /// Goes to a page and waits until it is there.
    pub(crate) fn go(&mut self, url: &str) {
        self.call("Page.navigate", &json!({ "url": url }));
        self.loaded();
    }

    /// Writes into the field that a selector finds, as a keyboard does.
    pub(crate) fn write(&mut self, field: &str, text: &str) {
        self.run(&format!("document.querySelector({field:?}).focus()"));
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// Clicks what a selector finds, which leads to another page.
    pub(crate) fn click(&mut self, button: &str) {
        self.run(&format!("document.querySelector({button:?}).click()"));
        self.loaded();
    }

    /// The text of what a selector finds, as it is shown; empty if there is nothing.
    pub(crate) fn text(&mut self, of: &str) -> String {
        let found = self.run(&format!("document.querySelector({of:?})?.innerText ?? ''"));
        found.as_str().unwrap().to_owned()
    }

    /// What an expression in the page is.
    pub(crate) fn run(&mut self, expression: &str) -> Value {
        let question = json!({ "expression": expression, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", &question);
        assert!(answer["exceptionDetails"].is_null(), "{answer}");
        answer["result"]["value"].take()
    }

    fn loaded(&mut self) {
        while self.next()["method"] != "Page.loadEventFired" {}
    }

    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = session.clone();
        }
        write!(self.to, "{message}\0").unwrap();
        loop {
            let mut answer = self.next();
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }

    fn next(&mut self) -> Value {
        let next = self.from.recv_timeout(Duration::from_secs(30));
        next.expect("the browser answers")
    }
}

impl Drop for Tab<'_> {
    fn drop(&mut self) {
        // Asked, it ends its helpers first, and then nobody writes into the profile any more.
        let _ = write!(
            self.to,
            "{}\0",
            json!({ "id": 0, "method": "Browser.close" })
        );
        for _ in 0..250 {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            pause(20);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn messages(from: impl std::io::Read + Send + 'static) -> Receiver<Value> {
    let (send, receive) = channel();
    thread::spawn(move || {
        for message in BufReader::new(from).split(0).map_while(Result::ok) {
            let message = serde_json::from_slice(&message).unwrap();
            if send.send(message).is_err() {
                return;
            }
        }
    });
    receive
}
