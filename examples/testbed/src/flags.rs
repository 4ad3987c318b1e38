//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::nodes::NodeFlags;

/// What `--help` prints.
pub(crate) const HELP: &str = "\
testbed [--strategy sticky | stored=URL | token] [--idle 30m] [--absolute 12h] [--insecure-dev]
testbed --config FILE [--insecure-dev]

  --config FILE      a session configuration in TOML; `strategy` in it says where sessions live. It
                     takes no other flag but --insecure-dev
  --strategy sticky  sessions live in this process (the default)
  --strategy stored=URL
                     sessions live in a store: redis://, rediss://, redis+cluster://,
                     redis+sentinel://, postgres://, mysql://, sqlite:, memory:
  --strategy token   sessions live in a signed token, in the cookie or as a bearer token
  --idle TIME        how long a session lives without being used: 500ms, 30s, 30m, 12h, 7d
  --absolute TIME    how long a session lives at the most
  --node LABEL       this is one of several nodes, with sticky sessions: 1 to 16 of a-z and 0-9;
                     it needs SESSILE_KEY, the same on all nodes
  --backing URL      the store behind the nodes, as with stored=URL
  --peers WHERE      http://{node}.app:8080, or n1=http://10.0.0.1:8080,n2=http://10.0.0.2:8080:
                     requests for the sessions of other nodes are sent on to them
  --misrouted LIST   what becomes of those: forward,adopt,fail, or lost at the end
  --revalidate TIME  how long a copy is served without asking the store again; 5s by default
  --capacity N       how many sessions this process keeps in its memory
  --insecure-dev     the cookie is `sid`, without Secure, so that browsers send it over plain http

with --strategy token
  --sealed           the token is encrypted, and not only signed
  --issuer TEXT      the claim `iss`; http://testbed by default
  --audience TEXT    the claim `aud`; the issuer by default
  --life TIME        how long a token is good; 15m by default
  --jwt-keys FILE    a JWK set, in place of SESSILE_JWT_KEY: its first key makes tokens, and all of
                     them verify; read again when it changes
  --jwt-alg NAME     what a key in SESSILE_JWT_KEY that is no JWK is for; HS256 by default
  --revocation URL   the store that keeps what was revoked
  --within TIME      how soon a revocation holds on every node; 5s by default
  --when-away refuse | trust
                     what becomes of requests while that store is away; refuse by default

environment
  PORT               where to listen on 127.0.0.1, 3000 by default
  SESSILE_KEY        at least 32 secret bytes, as base64url or as they are; random by default
  SESSILE_JWT_KEY    the key of tokens: at least 32 bytes as base64url, PEM or a JWK
";

/// How the server was asked to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// The file that says all the rest.
    pub(crate) config: Option<PathBuf>,
    pub(crate) strategy: Strategy,
    pub(crate) token: TokenFlags,
    pub(crate) idle: Option<Duration>,
    pub(crate) absolute: Option<Duration>,
    pub(crate) insecure_dev: bool,
    pub(crate) nodes: NodeFlags,
}

/// Where sessions live.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum Strategy {
    #[default]
    Sticky,
    /// In the store with this URL.
    Stored(String),
    Token,
}

/// What a token is like.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenFlags {
    pub(crate) sealed: bool,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) life: Option<Duration>,
    pub(crate) keys: Option<String>,
    pub(crate) algorithm: Option<String>,
    pub(crate) revocation: Option<String>,
    pub(crate) within: Option<Duration>,
    pub(crate) trusts: bool,
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    Run(Box<Flags>),
    Help,
}

/// Reads the arguments, without the program's name. Both `--idle 30m` and `--idle=30m` are fine.
pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Parsed, String> {
    let mut flags = Flags::default();
    let mut arguments = arguments.peekable();
    let mut others = Vec::new();
    while let Some(argument) = arguments.next() {
        let (flag, attached) = match argument.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (argument.as_str(), None),
        };
        let mut value = || {
            attached
                .clone()
                .or_else(|| arguments.next())
                .ok_or_else(|| format!("{flag} needs a value"))
        };
        if !matches!(flag, "--config" | "--insecure-dev") {
            others.push(flag.to_owned());
        }
        let token = &mut flags.token;
        match flag {
            "--help" | "-h" => return Ok(Parsed::Help),
            "--insecure-dev" => flags.insecure_dev = true,
            "--idle" => flags.idle = Some(duration(&value()?)?),
            "--absolute" => flags.absolute = Some(duration(&value()?)?),
            "--strategy" => flags.strategy = strategy(&value()?)?,
            "--sealed" => token.sealed = true,
            "--issuer" => token.issuer = Some(value()?),
            "--audience" => token.audience = Some(value()?),
            "--life" => token.life = Some(duration(&value()?)?),
            "--jwt-keys" => token.keys = Some(value()?),
            "--jwt-alg" => token.algorithm = Some(value()?),
            "--revocation" => token.revocation = Some(value()?),
            "--within" => token.within = Some(duration(&value()?)?),
            "--when-away" => token.trusts = trusts(&value()?)?,
            "--config" => flags.config = Some(value()?.into()),
            _ if NodeFlags::knows(flag) => flags.nodes.read(flag, value()?)?,
            _ => return Err(format!("no flag {flag}; --help lists them")),
        }
    }
    if flags.config.is_some() && !others.is_empty() {
        return Err(format!(
            "{} can't stand beside --config: write it into the file",
            others.join(", ")
        ));
    }
    if flags.strategy != Strategy::Token && flags.token != TokenFlags::default() {
        return Err("flags of tokens need --strategy token".to_owned());
    }
    flags.nodes.check(&flags.strategy)?;
    Ok(Parsed::Run(Box::new(flags)))
}

fn strategy(text: &str) -> Result<Strategy, String> {
    match text.split_once('=') {
        None if text == "sticky" => Ok(Strategy::Sticky),
        None if text == "token" => Ok(Strategy::Token),
        Some(("stored", url)) => Ok(Strategy::Stored(url.to_owned())),
        None if text == "stored" => {
            Err("stored needs a URL: --strategy stored=redis://127.0.0.1".to_owned())
        }
        _ => Err(format!(
            "no strategy {text:?}; write sticky, stored=<url> or token"
        )),
    }
}

fn trusts(text: &str) -> Result<bool, String> {
    match text {
        "refuse" => Ok(false),
        "trust" => Ok(true),
        _ => Err(format!("{text:?} is neither refuse nor trust")),
    }
}

/// `500ms`, `30s`, `30m`, `12h`, `7d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = &text[..text.len() - unit.len()];
    let millis = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 3600 * 1000,
        "d" => 24 * 3600 * 1000,
        _ => 0,
    };
    let number: Option<u64> = number.parse().ok().filter(|_| millis != 0);
    number
        .and_then(|number| number.checked_mul(millis))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{text:?} is no duration; write one like 500ms, 30s, 30m, 12h, 7d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Parsed, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn both_ways_to_give_a_value_are_read() {
        let flags = Flags {
            strategy: Strategy::Sticky,
            idle: Some(Duration::from_secs(30 * 60)),
            absolute: Some(Duration::from_millis(1500)),
            insecure_dev: true,
            ..Flags::default()
        };
        let line = "--strategy sticky --idle 30m --absolute=1500ms --insecure-dev";
        assert_eq!(parsed(line), Ok(Parsed::Run(Box::new(flags))));
    }

    #[test]
    fn a_file_says_everything_or_nothing() {
        let Ok(Parsed::Run(flags)) = parsed("--insecure-dev --config file.toml") else {
            panic!("refused")
        };
        assert_eq!(flags.config, Some("file.toml".into()));
        assert!(flags.insecure_dev);
        for line in [
            "--config file.toml --strategy sticky",
            "--idle 30m --config=file.toml",
            "--config file.toml --node n1",
            "--config file.toml --sealed",
        ] {
            let why = parsed(line).unwrap_err();
            let flag = line
                .split([' ', '='])
                .find(|word| word.starts_with("--") && *word != "--config");
            assert!(
                why.contains(flag.unwrap()) && why.contains("beside --config"),
                "{why}"
            );
        }
        assert!(parsed("--config").is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for line in [
            "--idle",
            "--idle 30",
            "--idle m",
            "--idle 99999999999999999999d",
            "x",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
        assert!(parsed("--strategy sticky=1").is_err());
        assert!(parsed("--strategy stored").is_err());
        assert!(parsed("--strategy token=1").is_err());
        assert!(parsed("--strategy token --when-away hope").is_err());
    }

    #[test]
    fn flags_of_tokens_are_for_tokens() {
        let line = "--strategy token --sealed --within=0ms --revocation redis://x --life 15m";
        let Ok(Parsed::Run(flags)) = parsed(line) else {
            panic!("refused")
        };
        assert!(flags.token.sealed && !flags.token.trusts);
        assert_eq!(flags.token.within, Some(Duration::ZERO));
        assert_eq!(flags.token.revocation.as_deref(), Some("redis://x"));
        assert!(parsed("--sealed").is_err());
        assert!(parsed("--strategy sticky --issuer x").is_err());
    }

    #[test]
    fn a_store_is_named_by_its_url() {
        for line in [
            "--strategy stored=sqlite:a?b=c",
            "--strategy=stored=sqlite:a?b=c",
        ] {
            let flags = Flags {
                strategy: Strategy::Stored("sqlite:a?b=c".to_owned()),
                ..Flags::default()
            };
            assert_eq!(parsed(line), Ok(Parsed::Run(Box::new(flags))));
        }
    }
}
