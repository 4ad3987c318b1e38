//! The strategy `token`, as the flags and the environment describe it.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use sessile::{
    Algorithm, JwksService, KeySource, LiveKeys, Result, SealingKeys, Token, TokenBuilder,
    TokenKeys, WhenAway, connect,
};
use tokio::time::interval;

use crate::flags::TokenFlags;

const VARIABLE: &str = "SESSILE_JWT_KEY";

/// How often a file of keys is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Tokens, and the route with their public keys. What is sealed has none.
pub(crate) async fn build(flags: &TokenFlags) -> Result<(Token, Router)> {
    let mut routes = Router::new();
    let builder = if flags.sealed {
        Token::sealed(sealing(flags)?)
    } else {
        let keys = signing(flags)?;
        let service: JwksService<Body> = JwksService::new(keys.clone());
        routes = routes.route_service("/.well-known/jwks.json", service);
        Token::signed(keys)
    };
    Ok((described(builder, flags).await?.build()?, routes))
}

async fn described(builder: TokenBuilder, flags: &TokenFlags) -> Result<TokenBuilder> {
    let issuer = flags.issuer.as_deref().unwrap_or("http://testbed");
    let mut builder = builder
        .issuer(issuer)
        .audience(flags.audience.as_deref().unwrap_or(issuer));
    if let Some(life) = flags.life {
        builder = builder.life(life);
    }
    if let Some(bound) = flags.within {
        builder = builder.within(bound);
    }
    if let Some(url) = &flags.revocation {
        builder = builder.revocation(connect(url).await?);
    }
    if flags.trusts {
        builder = builder.when_away(WhenAway::Trust);
    }
    Ok(builder)
}

fn signing(flags: &TokenFlags) -> Result<LiveKeys<TokenKeys>> {
    let Some(path) = &flags.keys else {
        return Ok(LiveKeys::signing(vec![from_env(flags)?], Vec::new())?);
    };
    let keys = LiveKeys::<TokenKeys>::from_jwk_set(path)?;
    let watched = keys.clone();
    watch(move || watched.reload());
    Ok(keys)
}

fn sealing(flags: &TokenFlags) -> Result<LiveKeys<SealingKeys>> {
    let Some(path) = &flags.keys else {
        let source = KeySource::env(VARIABLE);
        return Ok(LiveKeys::sealing(vec![source], Vec::new())?);
    };
    let keys = LiveKeys::<SealingKeys>::from_jwk_set(path)?;
    let watched = keys.clone();
    watch(move || watched.reload());
    Ok(keys)
}

/// A JWK says itself what it is for.
fn from_env(flags: &TokenFlags) -> Result<KeySource> {
    let source = KeySource::env(VARIABLE);
    let is_jwk = std::env::var(VARIABLE).is_ok_and(|text| text.trim_start().starts_with('{'));
    Ok(match &flags.algorithm {
        Some(name) => source.algorithm(name.parse()?),
        None if is_jwk => source,
        None => source.algorithm(Algorithm::HS256),
    })
}

/// Looks at a file of keys for as long as the server runs. One that can't be used changes nothing.
fn watch(reload: impl Fn() -> std::result::Result<bool, sessile::core::Error> + Send + 'static) {
    tokio::spawn(async move {
        let mut ticks = interval(LOOK);
        loop {
            ticks.tick().await;
            match reload() {
                Ok(true) => tracing::info!("the keys were read again"),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the keys stay as they were"),
            }
        }
    });
}
