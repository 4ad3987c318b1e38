//! A session that begins anew with a refresh handle.

use sessile_token::{Redeemed, Refresh};

use crate::{Result, Session, telemetry};

impl Session {
    /// Logs in whoever this refresh handle belongs to, and returns the handle for the next time;
    /// `None` if it is not good any more, and the user has to log in.
    ///
    /// A session that is still there, and the same subject's, goes on with a new credential; else
    /// this is a [`login`](Session::login), and what the expired one held is gone. A handle that
    /// was used twice has ended its family, for its owner and for the thief, and an event tells so.
    ///
    /// ```
    /// use sessile::{Refresh, Session};
    ///
    /// /// The client sends its handle, and gets its next one, and the token by its carrier.
    /// async fn refresh(session: Session, refresh: Refresh, handle: String) -> sessile::Result<String> {
    ///     Ok(session.refresh(&refresh, &handle).await?.unwrap_or_default())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the store that keeps the handles, and of [`login`](Session::login). The client
    /// tries the same handle again: one that was used up gives the same successor for a while.
    pub async fn refresh(&self, refresh: &Refresh, handle: &str) -> Result<Option<String>> {
        match refresh.redeem(handle, self.now()).await? {
            Redeemed::Renewed(renewed) => {
                if self.subject().as_ref() == Some(&renewed.subject) {
                    self.renew()?;
                } else {
                    self.login(&renewed.subject)?;
                }
                Ok(Some(renewed.handle))
            }
            Redeemed::Reused(family) => {
                telemetry::refresh_reuse(&family);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Begins a family of refresh handles for whoever is logged in, and returns the first one;
    /// `None` if nobody is. Call it with the login.
    ///
    /// # Errors
    ///
    /// Those of the store that keeps the handles.
    pub async fn issue_refresh(&self, refresh: &Refresh) -> Result<Option<String>> {
        Ok(match self.subject() {
            Some(subject) => Some(refresh.issue(&subject, self.now()).await?),
            None => None,
        })
    }

    /// [`logout`](Session::logout), and ends the family of this refresh handle.
    ///
    /// # Errors
    ///
    /// As [`logout`](Session::logout), and those of the store that keeps the handles.
    pub async fn logout_with(&self, refresh: &Refresh, handle: &str) -> Result<()> {
        refresh.end(handle, self.now()).await?;
        self.logout()
    }
}
