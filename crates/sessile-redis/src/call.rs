//! What is sent: a command about one key, or a script.

use std::borrow::Cow;

use redis::Cmd;
use sessile_core::SessionId;

use crate::script::Script;

/// An argument; most are borrowed from a record or a patch.
pub(crate) type Argument<'a> = Cow<'a, [u8]>;

/// Something to be sent to the server that holds a key.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// The first one decides which server it is.
    keys: Vec<String>,
    what: What<'a>,
}

#[derive(Debug)]
enum What<'a> {
    Read(&'static str, &'static [&'static str]),
    Write(&'static Script, Vec<Argument<'a>>),
}

impl<'a> Call<'a> {
    /// A command that reads a key.
    pub(crate) fn read(
        command: &'static str,
        key: String,
        rest: &'static [&'static str],
    ) -> Call<'static> {
        Call {
            keys: vec![key],
            what: What::Read(command, rest),
        }
    }

    /// A script that writes.
    pub(crate) fn write(
        script: &'static Script,
        keys: Vec<String>,
        arguments: Vec<Argument<'a>>,
    ) -> Self {
        Call {
            keys,
            what: What::Write(script, arguments),
        }
    }

    pub(crate) fn key(&self) -> &str {
        self.keys.first().map_or("", String::as_str)
    }

    pub(crate) fn is_write(&self) -> bool {
        matches!(self.what, What::Write(..))
    }

    /// The command; a script by its hash.
    pub(crate) fn command(&self) -> Cmd {
        match &self.what {
            What::Read(command, rest) => {
                let mut cmd = redis::cmd(command);
                cmd.arg(&self.keys).arg(*rest);
                cmd
            }
            What::Write(script, arguments) => self.script("EVALSHA", script.hash(), arguments),
        }
    }

    /// The command with the whole script, for a server that does not know it. It does from then on.
    pub(crate) fn introduction(&self) -> Option<Cmd> {
        match &self.what {
            What::Read(..) => None,
            What::Write(script, arguments) => Some(self.script("EVAL", script.source(), arguments)),
        }
    }

    fn script(&self, command: &str, script: &str, arguments: &[Argument<'_>]) -> Cmd {
        let mut cmd = redis::cmd(command);
        cmd.arg(script).arg(self.keys.len()).arg(&self.keys);
        for argument in arguments {
            cmd.arg(&argument[..]);
        }
        cmd
    }
}

/// A number as an argument.
pub(crate) fn number(number: impl Copy + ToString) -> Argument<'static> {
    Cow::Owned(number.to_string().into_bytes())
}

/// A session's id as an argument.
pub(crate) fn id(sid: &SessionId) -> Argument<'static> {
    number(sid)
}

/// Yes or no as an argument.
pub(crate) fn flag(flag: bool) -> Argument<'static> {
    text(if flag { "1" } else { "0" })
}

/// Text as an argument.
pub(crate) fn text(text: &str) -> Argument<'_> {
    Cow::Borrowed(text.as_bytes())
}
