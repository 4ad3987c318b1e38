//! Keys that are replaced while tokens are made and verified.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use sessile_core::Result;

use super::{KeySource, SealingKeys, TokenKeys, invalid};

/// A ring that can be replaced without a restart. Cheap to clone; the clones see the same ring.
/// Whoever works with the ring while it is replaced finishes with the one it has.
pub struct LiveKeys<R>(Arc<Live<R>>);

struct Live<R> {
    current: RwLock<Arc<R>>,
    /// How often the ring was replaced.
    edition: AtomicU64,
    source: Option<Mutex<Source<R>>>,
}

struct Source<R> {
    read: Box<dyn Fn() -> Result<R> + Send>,
    files: Vec<PathBuf>,
    seen: Vec<Option<Stamp>>,
}

/// When a file was changed last, and its length.
type Stamp = (SystemTime, u64);

/// A ring that knows what to take over from the one that it replaces.
trait Successor {
    fn follow(&mut self, _previous: &Self) {}
}

impl Successor for TokenKeys {}

impl Successor for SealingKeys {
    fn follow(&mut self, previous: &Self) {
        self.inherit_counts(previous);
    }
}

impl<R> LiveKeys<R> {
    fn new(ring: R, source: Option<Source<R>>) -> Self {
        LiveKeys(Arc::new(Live {
            current: RwLock::new(Arc::new(ring)),
            edition: AtomicU64::new(0),
            source: source.map(Mutex::new),
        }))
    }

    /// The ring as it is now.
    pub fn current(&self) -> Arc<R> {
        let current = self.0.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another number when the ring has been replaced. Whoever asks for it first and then for the
    /// ring has no older ring than that.
    pub(crate) fn edition(&self) -> u64 {
        self.0.edition.load(Ordering::Acquire)
    }

    fn from_sources(
        sources: &[&[KeySource]],
        read: impl Fn() -> Result<R> + Send + 'static,
    ) -> Result<Self> {
        let files = sources.iter().flat_map(|sources| sources.iter());
        let files = files.filter_map(|source| source.path().map(PathBuf::from));
        LiveKeys::from_files(files.collect(), read)
    }

    pub(super) fn from_file(
        file: PathBuf,
        read: impl Fn(&Path) -> Result<R> + Send + 'static,
    ) -> Result<Self> {
        LiveKeys::from_files(vec![file.clone()], move || read(&file))
    }

    fn from_files(
        files: Vec<PathBuf>,
        read: impl Fn() -> Result<R> + Send + 'static,
    ) -> Result<Self> {
        // Looked at first: what changes while it is read is read once more.
        let seen = stamps(&files);
        let ring = read()?;
        let read = Box::new(read);
        Ok(LiveKeys::new(ring, Some(Source { read, files, seen })))
    }
}

#[expect(private_bounds, reason = "the two rings of this crate, and no others")]
impl<R: Successor> LiveKeys<R> {
    /// Replaces the ring.
    pub fn replace(&self, mut ring: R) {
        let mut current = self
            .0
            .current
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        ring.follow(&current);
        *current = Arc::new(ring);
        self.0.edition.fetch_add(1, Ordering::Release);
    }

    /// Reads the keys again if one of their files has changed since (its time or length), and says
    /// whether it did. Call it from time to time, or on a signal; it reads files, so not in the
    /// midst of a request. Keys that came from elsewhere never change.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](sessile_core::ErrorKind::Invalid) if a key can't be read or used.
    /// The ring stays as it was, and the next call tries again.
    pub fn reload(&self) -> Result<bool> {
        let Some(source) = &self.0.source else {
            return Ok(false);
        };
        let mut source = source.lock().unwrap_or_else(PoisonError::into_inner);
        let found = stamps(&source.files);
        if found == source.seen {
            return Ok(false);
        }
        self.replace((source.read)()?);
        source.seen = found;
        Ok(true)
    }
}

impl LiveKeys<TokenKeys> {
    /// Reads keys: those of `sign`, of which the one that began last signs, and those of `verify`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](sessile_core::ErrorKind::Invalid) if there is none that signs, if
    /// one is weak or can't be read, or if they do not go together (see [`TokenKeys::sign`]).
    pub fn signing(sign: Vec<KeySource>, verify: Vec<KeySource>) -> Result<Self> {
        let sources = [sign.clone(), verify.clone()];
        LiveKeys::from_sources(&[&sources[0], &sources[1]], move || {
            let Some((first, others)) = sign.split_first() else {
                return Err(invalid("no key signs: name one"));
            };
            let mut ring = TokenKeys::new(first.signing()?);
            for source in others {
                ring = ring.sign(source.signing()?)?;
            }
            for source in &verify {
                ring = ring.verify(source.verifying()?)?;
            }
            Ok(ring)
        })
    }
}

impl LiveKeys<SealingKeys> {
    /// Reads keys: those of `seal`, of which the one that began last seals, and those of `open`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](sessile_core::ErrorKind::Invalid) if there is none that seals, if
    /// one is weak or can't be read, or is there twice.
    pub fn sealing(seal: Vec<KeySource>, open: Vec<KeySource>) -> Result<Self> {
        let sources = [seal.clone(), open.clone()];
        LiveKeys::from_sources(&[&sources[0], &sources[1]], move || {
            let Some((first, others)) = seal.split_first() else {
                return Err(invalid("no key seals: name one"));
            };
            let mut ring = SealingKeys::new(first.sealing()?);
            for source in others {
                ring = ring.seal(source.sealing()?)?;
            }
            for source in &open {
                ring = ring.open(source.sealing()?)?;
            }
            Ok(ring)
        })
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Option<Stamp>> {
    let stamp = |path: &PathBuf| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    files.iter().map(stamp).collect()
}

impl<R> Clone for LiveKeys<R> {
    fn clone(&self) -> Self {
        LiveKeys(self.0.clone())
    }
}

impl From<TokenKeys> for LiveKeys<TokenKeys> {
    fn from(ring: TokenKeys) -> Self {
        LiveKeys::new(ring, None)
    }
}

impl From<SealingKeys> for LiveKeys<SealingKeys> {
    fn from(ring: SealingKeys) -> Self {
        LiveKeys::new(ring, None)
    }
}

impl<R: fmt::Debug> fmt::Debug for LiveKeys<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveKeys").field(&self.current()).finish()
    }
}
