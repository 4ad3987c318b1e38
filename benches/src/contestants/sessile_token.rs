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
        let key = HmacKey::new(Algorithm::HS256, SECRET).expect("a good key");
        over(Token::signed(TokenKeys::new(key)))
    }
}

pub mod sealed {
    use super::*;

    pub async fn start() -> impl Contestant + Clone + Send {
        let key = SealingKey::new(SECRET).expect("a good key");
        over(Token::sealed(SealingKeys::new(key)))
    }
}

fn over(token: TokenBuilder) -> impl Contestant + Clone + Send {
    let token = token
        .issuer("https://app.example")
        .audience("https://app.example")
        .build()
        .expect("nothing is missing");
    serve(SessionLayer::new(token).layer(service_fn(handle)))
}
