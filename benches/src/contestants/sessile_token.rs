//! sessile with sessions in a token, signed or sealed, on a plain tower service.

use sessile::{
    Algorithm, HmacKey, SealingKey, SealingKeys, SessionLayer, Token, TokenBuilder, TokenKeys,
};
use tower::{Layer, service_fn};

use super::{Contestant, serve, sessile::handle};

const SECRET: [u8; 32] = *b"any 32 bytes that are not equal.";

pub mod signed {
    use super::*;

    pub async fn start() -> impl Contestant + Clone + Send {
        over(signed_token())
    }
}

pub mod sealed {
    use super::*;

    pub async fn start() -> impl Contestant + Clone + Send {
        over(sealed_token())
    }
}

/// As where clients never bring a token twice, or are too many to be remembered.
pub mod signed_anew {
    use super::*;

    pub async fn start() -> impl Contestant + Clone + Send {
        over(signed_token().remember(0))
    }
}

/// As [`signed_anew`].
pub mod sealed_anew {
    use super::*;

    pub async fn start() -> impl Contestant + Clone + Send {
        over(sealed_token().remember(0))
    }
}

fn signed_token() -> TokenBuilder {
    let key = HmacKey::new(Algorithm::HS256, SECRET).expect("a good key");
    Token::signed(TokenKeys::new(key))
}

fn sealed_token() -> TokenBuilder {
    let key = SealingKey::new(SECRET).expect("a good key");
    Token::sealed(SealingKeys::new(key))
}

fn over(token: TokenBuilder) -> impl Contestant + Clone + Send {
    let token = token
        .issuer("https://app.example")
        .audience("https://app.example")
        .build()
        .expect("nothing is missing");
    serve(SessionLayer::new(token).layer(service_fn(handle)))
}
