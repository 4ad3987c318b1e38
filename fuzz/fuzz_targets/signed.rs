//! Signed tokens: as they come, and with a good signature over whatever they say.
#![no_main]

use std::sync::LazyLock;

use base64_simd::URL_SAFE_NO_PAD as BASE64;
use libfuzzer_sys::fuzz_target;
use sessile::Token;
use sessile_fuzz::{check, open, signed, tag};

static TOKEN: LazyLock<Token> = LazyLock::new(signed);

fuzz_target!(|input: &[u8]| {
    assert!(open(&TOKEN, input).held().is_none(), "nobody signed this");
    // The header and the claims, with a line break between them.
    let end = input.iter().position(|byte| *byte == b'\n');
    let (header, claims) = match end {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (&br#"{"alg":"HS256","kid":"k","typ":"session+jwt"}"#[..], input),
    };
    let mut text = BASE64.encode_to_string(header);
    text.push('.');
    BASE64.encode_append(claims, &mut text);
    let tag = tag(text.as_bytes());
    text.push('.');
    BASE64.encode_append(tag, &mut text);
    let opened = open(&TOKEN, text.as_bytes());
    if text.len() > 4096 {
        assert!(opened.held().is_none(), "longer than a cookie");
    }
    check(&TOKEN, &opened);
});
