//! Sealed tokens: as they come, and with a good seal over whatever they say.
#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64_simd::URL_SAFE_NO_PAD as BASE64;
use libfuzzer_sys::fuzz_target;
use sessile::Token;
use sessile_fuzz::{CARRIER, check, open, sealed};

static TOKEN: LazyLock<Token> = LazyLock::new(sealed);

static KEY: LazyLock<LessSafeKey> = LazyLock::new(|| {
    let secret: Vec<u8> = (0..32).collect();
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &secret).expect("32 bytes"))
});

fuzz_target!(|input: &[u8]| {
    assert!(open(&TOKEN, input).held().is_none(), "nobody sealed this");
    let end = input.iter().position(|byte| *byte == b'\n');
    let usual = format!(
        r#"{{"alg":"dir","enc":"A256GCM","kid":"k","typ":"session+jwe","aud":"https://app.example","car":"{CARRIER}","pur":"session","ver":1}}"#
    );
    let (header, claims) = match end {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (usual.as_bytes(), input),
    };
    let header = BASE64.encode_to_string(header);
    let nonce = [7; 12];
    let mut sealed = claims.to_vec();
    let tag = KEY
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(header.as_bytes()),
            &mut sealed,
        )
        .expect("it is short");
    let parts = [&nonce[..], &sealed, tag.as_ref()].map(|part| BASE64.encode_to_string(part));
    let text = format!("{header}..{}", parts.join("."));
    let opened = open(&TOKEN, text.as_bytes());
    check(&TOKEN, &opened);
});
