//! E01, E15 to E17, E25: the form of a token, before and after its signature is checked.

use base64_simd::URL_SAFE_NO_PAD as BASE64;
use proptest::{prop_assert_eq, proptest};

use crate::json::json;
use crate::support::*;

#[test]
fn a_good_token_is_accepted() {
    let opened = open(&signed(), &forge(HEADER, good_claims()));
    let held = opened.held().unwrap();
    assert_eq!(held.record.sid, SID.parse().unwrap());
    assert_eq!(held.record.subject.as_deref(), Some("ada"));
    assert_eq!(held.record.version, 3);
    assert_eq!(held.record.data.get("n").unwrap().as_str(), "1");
    assert_eq!(held.record.expires_at(), at(NOW + 900));
    assert_eq!(held.record.absolute_deadline, at(NOW + 43200));
    assert!(!held.reissue);
}

#[test]
fn e01_no_claim_of_an_unsigned_token_is_believed() {
    // Were a claim read first, these would arrive as expired.
    let expired = claims_with("exp", Some(&(NOW - 3600).to_string()));
    let expired = expired.replace(
        &format!("\"iat\":{NOW}"),
        &format!("\"iat\":{}", NOW - 7200),
    );
    let expired = expired.replace(
        &format!("\"nbf\":{NOW}"),
        &format!("\"nbf\":{}", NOW - 7200),
    );
    let good = forge(HEADER, &expired);
    assert_eq!(arrival(&signed(), &good), Arrival::Expired);
    refused(&forge_with(&secret(1), HEADER, &expired));
    let (message, _) = good.rsplit_once('.').unwrap();
    refused(&format!("{message}."));
    refused(&format!("{message}.{}", "A".repeat(43)));
}

/// How long a refusal takes is no test's matter here: `hmac` and aws-lc compare in constant time.
#[test]
fn e25_a_forged_mac_is_refused_alike_whichever_byte_of_it_is_wrong() {
    let good = forge(HEADER, good_claims());
    accepted(&good);
    let (message, tag) = good.rsplit_once('.').unwrap();
    let tag = BASE64.decode_to_vec(tag).unwrap();
    for place in 0..tag.len() {
        let mut wrong = tag.clone();
        wrong[place] ^= 1;
        refused(&format!("{message}.{}", BASE64.encode_to_string(&wrong)));
        refused(&format!(
            "{message}.{}",
            BASE64.encode_to_string(&tag[..place])
        ));
    }
}

#[test]
fn e15_only_the_compact_form_of_three_parts_is_read() {
    let good = forge(HEADER, good_claims());
    accepted(&good);
    let parts: Vec<_> = good.split('.').collect();
    let [header, claims, tag] = parts[..] else {
        unreachable!()
    };
    for bad in [
        String::new(),
        "..".into(),
        format!("{header}.{claims}"),
        format!("{good}."),
        format!("{good}.{tag}"),
        format!(".{good}"),
        format!("{header}..{tag}"),
        format!("{good}="),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{header}=.{claims}.{tag}"),
        format!("{header}.{claims}==.{tag}"),
        good.replace('.', ","),
        format!("{{\"protected\":\"{header}\",\"payload\":\"{claims}\",\"signature\":\"{tag}\"}}"),
        format!("Bearer {good}"),
    ] {
        refused(&bad);
    }
}

#[test]
fn e15_a_last_character_with_bits_that_mean_nothing_is_refused() {
    let good = forge(HEADER, good_claims());
    // 32 bytes are 43 characters: two bits of the last one must be zero.
    let (rest, last) = good.split_at(good.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let index = alphabet.find(last).unwrap();
    for other in 1..4 {
        refused(&format!(
            "{rest}{}",
            &alphabet[index + other..=index + other]
        ));
    }
}

#[test]
fn e16_header_and_claims_are_each_one_object_of_utf_8_and_nothing_else() {
    let good = good_claims();
    for bad in [
        format!("\u{feff}{good}"),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}{good}"),
        format!("{good}\0"),
        format!("[{good}]"),
        "null".into(),
        "\"text\"".into(),
        String::new(),
        good.replace("\"ver\":3", "\"ver\":03"),
        good.replace('"', "'"),
    ] {
        refused_claims(&bad);
    }
    refused_claims([good.as_bytes(), b"\xff"].concat());
    refused_claims(good.replace("ada", "a\u{0}").as_bytes());
    let latin = good.replace("ada", "X").into_bytes();
    let latin: Vec<_> = latin
        .into_iter()
        .map(|byte| if byte == b'X' { 0xe9 } else { byte })
        .collect();
    refused_claims(latin);
    for bad in [
        format!("\u{feff}{HEADER}"),
        format!("{HEADER} "),
        format!("[{HEADER}]"),
    ] {
        refused(&forge(bad, &good));
    }
}

#[test]
fn e16_a_member_that_is_there_twice_is_refused() {
    let good = good_claims();
    let twice = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    for member in [
        "\"sub\":\"ada\"",
        "\"sub\":\"eve\"",
        "\"\\u0073ub\":\"eve\"",
        "\"exp\":9999999999",
        "\"data\":{}",
        "\"own\":1,\"own\":1",
        "\"own\":1,\"\\u006fwn\":2",
    ] {
        refused_claims(twice(member));
    }
    refused_claims(claims_with("data", Some("{\"n\":1,\"n\":1}")));
    refused_claims(claims_with("data", Some("{\"n\":1,\"\\u006e\":2}")));
    accepted(&forge(HEADER, twice("\"own\":1")));
    for header in [
        HEADER.replacen('{', "{\"alg\":\"HS256\",", 1),
        HEADER.replacen('{', "{\"\\u0061lg\":\"none\",", 1),
        HEADER.replacen('{', "{\"own\":1,\"own\":1,", 1),
        HEADER.replacen('{', "{\"kid\":\"other\",", 1),
    ] {
        refused(&forge(header, &good));
    }
}

#[test]
fn e17_a_token_over_its_limit_is_refused_before_it_is_decoded() {
    let padded = |bytes: usize| {
        let claims = claims_with(
            "data",
            Some(&format!("{{\"n\":\"{}\"}}", "x".repeat(bytes))),
        );
        forge(HEADER, claims)
    };
    let mut bytes = 2000;
    while padded(bytes + 1).len() <= 4096 {
        bytes += 1;
    }
    accepted(&padded(bytes));
    refused(&padded(bytes + 3));
    let bearer = |text: &str| {
        let presented = Presented {
            carrier: "authorization",
            ..presented(text, now())
        };
        run(signed().open(&presented, now())).unwrap().arrival
    };
    assert_eq!(bearer(&padded(bytes + 3)), Arrival::Resumed);
    assert_eq!(bearer(&padded(6200)), Arrival::Unknown);
    refused(&"A".repeat(1 << 20));
    refused(&".".repeat(4096));
}

#[test]
fn e17_nesting_is_bounded() {
    let nested = |depth: usize| format!("{{\"n\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    accepted(&forge(HEADER, claims_with("data", Some(&nested(30)))));
    refused_claims(claims_with("data", Some(&nested(31))));
    refused_claims(claims_with("data", Some(&nested(900))));
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    refused(&forge(
        HEADER.replacen('{', &format!("{{\"x\":{deep},"), 1),
        good_claims(),
    ));
}

#[test]
fn e15_any_single_changed_removed_or_added_character_is_refused() {
    let token = signed();
    let good = forge(HEADER, good_claims());
    let mut tried = 0;
    for place in 0..=good.len() {
        for with in [
            "", "A", "B", "z", "0", "_", "-", ".", "=", "+", " ", "é", "\0",
        ] {
            let mut changed = vec![[&good[..place], with, &good[place..]].concat()];
            if place < good.len() {
                changed.push([&good[..place], with, &good[place + 1..]].concat());
            }
            for changed in changed.into_iter().filter(|changed| *changed != good) {
                assert_eq!(arrival(&token, &changed), Arrival::Unknown, "{changed}");
                tried += 1;
            }
        }
    }
    assert!(tried > 10_000, "{tried}");
}

proptest! {
    #[test]
    fn whatever_is_presented_nothing_panics(text in "[A-Za-z0-9_.=-]{0,200}|\\PC*") {
        for token in [signed(), sealed()] {
            prop_assert_eq!(arrival(&token, &text), Arrival::Unknown);
        }
    }

    #[test]
    fn whatever_json_is_signed_nothing_panics(header in json(), claims in json()) {
        let _ = arrival(&signed(), &forge(&header, &claims));
        let _ = arrival(&signed(), &forge(HEADER, &claims));
        let _ = arrival(&signed(), &forge(&header, good_claims()));
    }

    #[test]
    fn whatever_stands_in_a_claim_nothing_panics(
        name in "iss|aud|sub|sid|jti|iat|nbf|exp|sct|sxp|ver|sep|data",
        value in json(),
    ) {
        let _ = arrival(&signed(), &forge(HEADER, claims_with(&name, Some(&value))));
    }

    #[test]
    fn data_comes_back_byte_for_byte(values in proptest::collection::btree_map("\\PC{1,20}", json(), 0..6)) {
        let token = signed();
        let data: Vec<_> = values.iter().map(|(name, text)| (&**name, &**text)).collect();
        let made = record(Some("ada"), &data, now());
        let text = issue(&token, &made);
        let opened = open(&token, &text);
        prop_assert_eq!(&opened.held().unwrap().record.data, &made.data);
    }
}
