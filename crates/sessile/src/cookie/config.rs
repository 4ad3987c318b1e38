//! The cookie's name and attributes, checked before they are used.

use std::fmt::Write as _;
use std::marker::PhantomData;

use crate::{Error, ErrorKind, Result};

/// The cookie that carries the credential.
///
/// The default is `__Host-sid; Path=/; Secure; HttpOnly; SameSite=Lax`, gone when the browser
/// closes. Settings are chained onto an [`Unchecked`] one; [`build`](CookieConfig::build) refuses a cookie
/// that browsers would refuse or that would not protect its session, and says what to write
/// instead.
///
/// ```
/// use sessile::{CookieConfig, SameSite};
///
/// let cookie = CookieConfig::new().name("__Host-shop").same_site(SameSite::Strict).build()?;
/// # Ok::<(), sessile::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CookieConfig<State = Checked> {
    name: String,
    path: String,
    domain: Option<String>,
    same_site: SameSite,
    secure: bool,
    http_only: bool,
    partitioned: bool,
    persistent: bool,
    insecure_dev: bool,
    /// Everything behind the value but `Max-Age`, once valid.
    attributes: String,
    state: PhantomData<State>,
}

/// A cookie that is still being described.
#[derive(Clone, Copy, Debug)]
pub enum Unchecked {}

/// A cookie that was checked.
#[derive(Clone, Copy, Debug)]
pub enum Checked {}

/// On which requests from other sites a browser sends the cookie (RFC 6265bis, section 5.6.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// None.
    Strict,
    /// Links that navigate to this site, so that a user who follows one is still logged in.
    #[default]
    Lax,
    /// All; only with `Secure`.
    None,
}

impl SameSite {
    fn as_str(self) -> &'static str {
        match self {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
            SameSite::None => "None",
        }
    }
}

impl CookieConfig<Unchecked> {
    /// The default cookie, to be changed and built.
    pub fn new() -> Self {
        CookieConfig {
            name: "__Host-sid".into(),
            path: "/".into(),
            domain: None,
            same_site: SameSite::default(),
            secure: true,
            http_only: true,
            partitioned: false,
            persistent: false,
            insecure_dev: false,
            attributes: String::new(),
            state: PhantomData,
        }
    }

    /// The cookie's name. Default: `__Host-sid`.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The path below which the browser sends the cookie. Default: `/`.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sends the cookie to this domain and every host below it. Default: to this host alone. The
    /// name must then start with `__Secure-`.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// On which requests from other sites the cookie is sent. Default: [`SameSite::Lax`].
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self
    }

    /// Whether the cookie is sent over https alone. Default: yes. For plain http during
    /// development see [`insecure_dev`](Self::insecure_dev).
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self
    }

    /// Whether scripts of the page can't read the cookie. Default: they can't.
    #[must_use]
    pub fn http_only(mut self, http_only: bool) -> Self {
        self.http_only = http_only;
        self
    }

    /// Gives each top-level site that embeds this one a cookie of its own (CHIPS).
    #[must_use]
    pub fn partitioned(mut self) -> Self {
        self.partitioned = true;
        self
    }

    /// Keeps the cookie when the browser closes, for the session's remaining absolute life, at
    /// the most 400 days.
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// For development over plain http: drops `Secure` and the name's prefix, so `sid` by default.
    /// **Never in production**: whoever is on the network reads the credential. Warns once.
    #[must_use]
    pub fn insecure_dev(mut self) -> Self {
        for prefix in ["__Host-Http-", "__Http-", "__Host-", "__Secure-"] {
            if let Some(rest) = self.name.strip_prefix(prefix) {
                self.name = rest.into();
                break;
            }
        }
        self.secure = false;
        self.insecure_dev = true;
        self
    }

    /// Checks the cookie.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`] with what to write instead, if a browser would refuse the cookie
    /// (RFC 6265bis, section 4.1) or it would leave the session unprotected.
    pub fn build(mut self) -> Result<CookieConfig> {
        self.check_syntax()?;
        self.check_prefix()?;
        let invalid = |message: &'static str| Err(Error::new(ErrorKind::Invalid, message));
        if !self.secure && !self.insecure_dev {
            return invalid(
                "a session cookie without Secure is readable on the network: leave it on, or call insecure_dev() for development over plain http",
            );
        }
        if self.same_site == SameSite::None && !self.secure {
            return invalid(
                "browsers refuse SameSite=None without Secure: use https and Secure, or SameSite::Lax",
            );
        }
        if self.partitioned && !self.secure {
            return invalid("browsers refuse Partitioned without Secure: use https and Secure");
        }
        self.attributes = self.attributes_text();
        Ok(CookieConfig {
            name: self.name,
            path: self.path,
            domain: self.domain,
            same_site: self.same_site,
            secure: self.secure,
            http_only: self.http_only,
            partitioned: self.partitioned,
            persistent: self.persistent,
            insecure_dev: self.insecure_dev,
            attributes: self.attributes,
            state: PhantomData,
        })
    }

    fn check_syntax(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::new(ErrorKind::Invalid, message));
        if self.name.is_empty() || self.name.len() > 256 || !self.name.bytes().all(is_token) {
            return invalid(format!(
                "{:?} is no cookie name: use letters, digits and any of !#$%&'*+-.^_`|~, such as \"__Host-sid\"",
                self.name
            ));
        }
        let attribute = |text: &str| {
            text.len() <= 1024
                && text
                    .bytes()
                    .all(|byte| (0x20..0x7f).contains(&byte) && byte != b';')
        };
        if !self.path.starts_with('/') || !attribute(&self.path) {
            return invalid(format!(
                "{:?} is no cookie path: it starts with '/', and has no ';' and no control characters",
                self.path
            ));
        }
        match &self.domain {
            Some(domain) if !is_domain(domain) => invalid(format!(
                "{domain:?} is no cookie domain: write a host name such as \"example.org\", without scheme, port or leading dot"
            )),
            _ => Ok(()),
        }
    }

    /// The rules that name prefixes stand for, checked without regard to case as browsers do.
    fn check_prefix(&self) -> Result<()> {
        let invalid = |message: String| Err(Error::new(ErrorKind::Invalid, message));
        let name = self.name.to_ascii_lowercase();
        let is = |prefix| name.starts_with(prefix);
        let (host, http) = (is("__host-"), is("__http-") || is("__host-http-"));
        if (host || http || is("__secure-")) && !self.secure {
            return invalid(format!(
                "a cookie named {:?} must be Secure: leave it on, or call insecure_dev(), which drops the prefix",
                self.name
            ));
        }
        if host && (self.domain.is_some() || self.path != "/") {
            return invalid(format!(
                "a cookie named {:?} has no Domain and the path \"/\": remove them, or name it \"__Secure-sid\"",
                self.name
            ));
        }
        if http && !self.http_only {
            return invalid(format!(
                "a cookie named {:?} must be HttpOnly: leave it on, or write a name without that prefix",
                self.name
            ));
        }
        if self.domain.is_some() && !is("__secure-") && !self.insecure_dev {
            return invalid(format!(
                "with a Domain the name must start with \"__Secure-\": write \"__Secure-{}\"",
                self.name
            ));
        }
        Ok(())
    }

    fn attributes_text(&self) -> String {
        let mut text = format!("; Path={}", self.path);
        if let Some(domain) = &self.domain {
            // Writing to a String does not fail.
            let _ = write!(text, "; Domain={domain}");
        }
        for (is_on, attribute) in [(self.secure, "; Secure"), (self.http_only, "; HttpOnly")] {
            if is_on {
                text.push_str(attribute);
            }
        }
        let _ = write!(text, "; SameSite={}", self.same_site.as_str());
        if self.partitioned {
            text.push_str("; Partitioned");
        }
        text
    }
}

impl CookieConfig {
    /// The cookie of a layer that was given none.
    pub(crate) fn standard() -> Self {
        CookieConfig::new()
            .build()
            .expect("the default cookie is a good one")
    }

    /// The name, as it stands in the `Cookie` header.
    pub(crate) fn as_name(&self) -> &str {
        &self.name
    }

    pub(crate) fn attributes(&self) -> &str {
        &self.attributes
    }

    pub(crate) fn is_persistent(&self) -> bool {
        self.persistent
    }

    pub(crate) fn is_insecure_dev(&self) -> bool {
        self.insecure_dev
    }
}

impl Default for CookieConfig<Unchecked> {
    fn default() -> Self {
        CookieConfig::new()
    }
}

/// RFC 9110, section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_domain(domain: &str) -> bool {
    domain.len() <= 253
        && domain.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}
