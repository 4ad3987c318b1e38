//! E09 to E11: a token's times, held against a clock that is set.

use std::time::Duration;

use crate::support::*;

/// A token of these times, relative to [`NOW`].
fn token(issued: i64, expires: i64) -> String {
    let at = |offset: i64| NOW.checked_add_signed(offset).unwrap().to_string();
    let claims = claims_with("exp", Some(&at(expires)))
        .replace(
            &format!("\"iat\":{NOW}"),
            &format!("\"iat\":{}", at(issued)),
        )
        .replace(
            &format!("\"nbf\":{NOW}"),
            &format!("\"nbf\":{}", at(issued)),
        );
    forge(HEADER, claims)
}

#[test]
fn e09_exp_is_exclusive_with_the_leeway_and_to_the_millisecond() {
    let token_text = token(0, 900);
    let strict = Token::signed(TokenKeys::new(hmac_key()))
        .issuer(ISSUER)
        .audience(ISSUER)
        .leeway(Duration::ZERO)
        .build()
        .unwrap();
    for (token, end) in [(signed(), NOW + 960), (strict, NOW + 900)] {
        let last = Timestamp::from_millis(end * 1000 - 1);
        assert_eq!(open_at(&token, &token_text, last).arrival, Arrival::Resumed);
        assert_eq!(
            open_at(&token, &token_text, at(end)).arrival,
            Arrival::Expired
        );
        assert_eq!(
            open_at(&token, &token_text, Timestamp::MAX).arrival,
            Arrival::Expired
        );
    }
}

#[test]
fn e09_the_absolute_end_has_no_leeway() {
    let claims = claims_with("sxp", Some(&(NOW + 900).to_string()));
    let text = forge(HEADER, claims);
    let last = Timestamp::from_millis((NOW + 900) * 1000 - 1);
    assert_eq!(open_at(&signed(), &text, last).arrival, Arrival::Resumed);
    assert_eq!(
        open_at(&signed(), &text, at(NOW + 900)).arrival,
        Arrival::Expired
    );
    // A token that claims to outlive its session is none of ours.
    refused_claims(claims_with("sxp", Some(&(NOW + 899).to_string())));
}

#[test]
fn e10_nbf_and_iat_of_a_wrong_type_are_a_refusal_and_not_absent() {
    for name in ["nbf", "iat", "exp"] {
        for bad in [
            "\"1767225600\"",
            "null",
            "true",
            "[1767225600]",
            "{}",
            "1767225600.5",
            "1.7672256e9",
            "-5",
        ] {
            refused_claims(claims_with(name, Some(bad)));
        }
    }
    // A token is good from when it was made.
    refused_claims(claims_with("nbf", Some(&(NOW + 1).to_string())));
    accepted(&forge(
        HEADER,
        claims_with("nbf", Some(&(NOW - 5).to_string())),
    ));
}

#[test]
fn e11_a_token_from_the_future_beyond_the_leeway_is_refused() {
    accepted(&token(60, 900));
    refused(&token(61, 900));
    let earlier = at(NOW - 60);
    assert_eq!(
        open_at(&signed(), &token(0, 900), earlier).arrival,
        Arrival::Resumed
    );
    assert_eq!(
        open_at(&signed(), &token(0, 900), at(NOW - 61)).arrival,
        Arrival::Unknown
    );
}

#[test]
fn e11_the_life_of_a_token_is_capped_and_milliseconds_are_no_seconds() {
    let day = 24 * 3600;
    let long = |expires: u64| {
        let claims = claims_with("exp", Some(&expires.to_string()));
        claims.replace(
            &format!("\"sxp\":{}", NOW + 43200),
            &format!("\"sxp\":{}", NOW + 99 * day),
        )
    };
    accepted(&forge(HEADER, long(NOW + day)));
    refused_claims(long(NOW + day + 1));
    for name in ["exp", "iat", "nbf", "sct", "sxp"] {
        let wrong = [
            (NOW + 900) * 1000,
            253_402_300_800,
            1 << 53,
            1 << 63,
            u64::MAX,
        ];
        for wrong in wrong {
            refused_claims(claims_with(name, Some(&wrong.to_string())));
        }
        refused_claims(claims_with(name, Some("99999999999999999999999999")));
        refused_claims(claims_with(name, Some("1e400")));
    }
    refused(&token(0, -1));
}

#[test]
fn e11_nodes_whose_clocks_are_half_a_minute_apart_take_each_others_tokens() {
    let token = signed();
    for second in 0..2000 {
        let made_at = at(NOW + second);
        let text = issue(&token, &record(None, &[], made_at));
        for elsewhere in [NOW + second - 30, NOW + second + 30] {
            assert_eq!(
                open_at(&token, &text, at(elsewhere)).arrival,
                Arrival::Resumed
            );
        }
    }
}

#[test]
fn times_out_of_range_are_refused_when_the_strategy_is_built() {
    let build = |life: Duration, leeway: Duration| {
        let builder = Token::signed(TokenKeys::new(hmac_key()))
            .issuer(ISSUER)
            .audience(ISSUER);
        builder.life(life).leeway(leeway).build().map(drop)
    };
    let second = Duration::from_secs(1);
    assert!(build(24 * 3600 * second, 120 * second).is_ok());
    for (life, leeway) in [
        (Duration::ZERO, second),
        (second / 2, second),
        (Duration::MAX, second),
        (second, 121 * second),
        (second, Duration::MAX),
    ] {
        assert_eq!(build(life, leeway).unwrap_err().kind(), ErrorKind::Invalid);
    }
    let error = Token::signed(TokenKeys::new(hmac_key()))
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("issuer") && error.to_string().contains("audience"));
}
