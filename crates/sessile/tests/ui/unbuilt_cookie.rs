//! A cookie that was not checked does not get into a layer.

use sessile::{CookieConfig, SessionLayer, Sticky};

fn main() {
    let _ = SessionLayer::new(Sticky::new()).cookie(CookieConfig::new().name("sid"));
}
