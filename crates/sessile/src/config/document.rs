//! Every key that there is.

use super::shape::{Key, Shape, Table};
use super::{forms, url};

pub(super) const STRATEGIES: &[&str] = &["sticky", "stored", "token"];
pub(super) const MISROUTED: &[&str] = &["forward", "adopt", "fail"];
pub(super) const PHASES: &[&str] = &["accept", "issue", "refuse"];
/// The first eight sign; the last is a key of a sealed token.
pub(super) const ALGORITHMS: &[&str] = &[
    "HS256", "HS384", "HS512", "EdDSA", "Ed25519", "ES256", "ES384", "PS256", "RS256", "A256GCM",
];

pub(super) const ROOT: Table = Table {
    keys: &[
        key(
            "strategy",
            Shape::Word(STRATEGIES),
            "Where sessions live: in this process, in a store, or in the client's token.",
        ),
        key(
            "carriers",
            Shape::List(&Shape::Text(&forms::CARRIER)),
            "What brings the credential: cookie, bearer, header:<name>.",
        )
        .by_default("cookie"),
        key(
            "lifetime",
            Shape::Table(&LIFETIME),
            "How long a session lives.",
        ),
        key(
            "cookie",
            Shape::Table(&COOKIE),
            "The cookie's name and attributes.",
        ),
        key(
            "keys",
            Shape::Table(&KEYS),
            "The master keys of this service: of its credentials, of hops between its nodes, of a migration.",
        ),
        key(
            "sticky",
            Shape::Table(&STICKY),
            "Sessions in this process. Used if the strategy is sticky.",
        ),
        key(
            "stored",
            Shape::Table(&STORED),
            "Sessions in a store. Used if the strategy is stored.",
        ),
        key(
            "token",
            Shape::Table(&TOKEN),
            "Sessions in the client's token. Used if the strategy is token.",
        ),
        key(
            "migrate",
            Shape::Table(&MIGRATE),
            "From another strategy to this one, without logging anybody out.",
        ),
        key(
            "require",
            Shape::Table(&REQUIRE),
            "What has to be promised; otherwise the service does not start.",
        ),
    ],
    required: &["strategy"],
    one_of: &[],
};

const LIFETIME: Table = table(&[
    key(
        "idle",
        Shape::Duration,
        "How long a session lives without being used.",
    )
    .by_default("30m"),
    key(
        "absolute",
        Shape::Duration,
        "How long a session lives at the most.",
    )
    .by_default("12h"),
]);

const COOKIE: Table = table(&[
    key("name", Shape::Text(&forms::COOKIE_NAME), "The cookie's name.").by_default("__Host-sid"),
    key("same_site", Shape::Word(&["strict", "lax", "none"]), "On which requests from other sites it is sent.").by_default("lax"),
    key("path", Shape::Text(&forms::COOKIE_PATH), "The path below which it is sent.").by_default("/"),
    key("domain", Shape::Text(&forms::COOKIE_DOMAIN), "Sends it to this domain and every host below; to this host alone if absent."),
    key("secure", Shape::Flag, "Whether it is sent over https alone.").by_default("true"),
    key("http_only", Shape::Flag, "Whether scripts of the page can't read it.").by_default("true"),
    key("partitioned", Shape::Flag, "Whether each site that embeds this one has its own (CHIPS).").by_default("false"),
    key("persistent", Shape::Flag, "Whether it outlives the browser, for the session's absolute life.").by_default("false"),
    key("insecure_dev", Shape::Flag, "For plain http during development: without Secure, without the name's prefix. Never in production.").by_default("false"),
]);

const KEYS: Table = Table {
    keys: &[
        key(
            "current",
            Shape::Table(&MASTER_KEY),
            "The key that makes credentials.",
        ),
        key(
            "previous",
            Shape::List(&Shape::Table(&MASTER_KEY)),
            "Keys that still verify what they have made.",
        ),
    ],
    required: &["current"],
    one_of: &[],
};

/// At least 32 bytes as base64url, in one of three places.
const MASTER_KEY: Table = Table {
    keys: &[
        key(
            "id",
            Shape::Text(&forms::KEY_ID),
            "The key's name, which is not secret.",
        ),
        key(
            "value",
            Shape::Secret,
            "The key: at least 32 random bytes as base64url.",
        ),
        key(
            "env",
            Shape::Text(&forms::VARIABLE),
            "The environment variable that holds it.",
        ),
        key("file", Shape::Text(&forms::FILE), "The file that holds it."),
    ],
    required: &["id"],
    one_of: &["value", "env", "file"],
};

const STICKY: Table = table(&[
    key(
        "node",
        Shape::Text(&forms::NODE),
        "This node's label, which balancers route on. Needs [keys].",
    ),
    key(
        "backing",
        Shape::Url,
        "A store behind the memory. Needs a node.",
    ),
    key(
        "revalidate",
        Shape::Duration,
        "How old a copy in memory may be, where there is a backing store.",
    )
    .by_default("5s"),
    key(
        "misrouted",
        Shape::List(&Shape::Word(MISROUTED)),
        "What becomes of a request that belongs to another node: the first that can be done.",
    ),
    key(
        "peers",
        Shape::TextOrMap {
            text: &forms::PEER_TEMPLATE,
            name: &forms::NODE,
            each: &forms::PEER,
        },
        "Where the other nodes are: a template, or a table from label to address.",
    ),
    key(
        "capacity",
        Shape::Count(1),
        "How many sessions are kept in memory.",
    )
    .by_default("1000000"),
]);

const STORED: Table = table(&[key("url", Shape::Url, url::ABOUT)]);

const TOKEN: Table = table(&[
    key(
        "format",
        Shape::Word(&["signed", "sealed"]),
        "Signed (JWT): the client can read it. Sealed (JWE): it can't.",
    )
    .by_default("signed"),
    key("issuer", Shape::Text(&forms::NAME), "The claim iss."),
    key("audience", Shape::Text(&forms::NAME), "The claim aud."),
    key(
        "life",
        Shape::Duration,
        "How long a token is valid, at the most 24h.",
    )
    .by_default("15m"),
    key(
        "remember",
        Shape::Count(0),
        "About how many of the tokens that were verified are remembered; 0 verifies with every request.",
    )
    .by_default("1024"),
    key(
        "revocation",
        Shape::Table(&REVOCATION),
        "Where revocations are kept. Without it a logout holds at expiry only.",
    ),
    key(
        "keys",
        Shape::Table(&TOKEN_KEYS),
        "The JOSE keys, used as they are.",
    ),
]);

const REVOCATION: Table = Table {
    keys: &[
        key("url", Shape::Url, url::ABOUT),
        key(
            "within",
            Shape::Duration,
            "How long a revocation may take to hold everywhere.",
        )
        .by_default("5s"),
    ],
    required: &["url"],
    one_of: &[],
};

const TOKEN_KEYS: Table = Table {
    keys: &[
        key(
            "sign",
            Shape::Table(&TOKEN_KEY),
            "The key that signs or seals.",
        ),
        key(
            "verify",
            Shape::List(&Shape::Table(&TOKEN_KEY)),
            "Keys that only verify or open.",
        ),
    ],
    required: &["sign"],
    one_of: &[],
};

const TOKEN_KEY: Table = Table {
    keys: &[
        key(
            "kid",
            Shape::Text(&forms::KEY_ID),
            "The key's name, as it stands in a token's header.",
        ),
        key(
            "alg",
            Shape::Word(ALGORITHMS),
            "The one algorithm that the key is for.",
        ),
        key("value", Shape::Secret, "A symmetric key as base64url."),
        key("pem", Shape::Secret, "The key as PEM."),
        key("jwk", Shape::Secret, "The key as a JWK, in JSON."),
        key(
            "env",
            Shape::Text(&forms::VARIABLE),
            "The environment variable that holds it, in any of these forms.",
        ),
        key(
            "file",
            Shape::Text(&forms::FILE),
            "The file that holds it, in any of these forms.",
        ),
    ],
    required: &["kid", "alg"],
    one_of: &["value", "pem", "jwk", "env", "file"],
};

const MIGRATE: Table = Table {
    keys: &[
        key("from", Shape::Table(&FROM), "What is migrated from."),
        key(
            "key",
            Shape::Text(&forms::KEY_ID),
            "The id of the key in [keys] that derives the new credentials.",
        ),
        key(
            "phase",
            Shape::Word(PHASES),
            "accept: read both. issue: read both, make the new kind. refuse: the new kind only. One deploy each.",
        ),
    ],
    required: &["from", "key", "phase"],
    one_of: &[],
};

const FROM: Table = Table {
    keys: &[
        key(
            "strategy",
            Shape::Word(STRATEGIES),
            "The strategy that is left, as its own section describes it.",
        ),
        key(
            "url",
            Shape::Url,
            "The store that is left, where it is another than that section's.",
        ),
    ],
    required: &["strategy"],
    one_of: &[],
};

const REQUIRE: Table = table(&[
    key(
        "revocation",
        Shape::Text(&forms::REVOCATION),
        "How soon a logout holds everywhere: immediate, or a duration.",
    ),
    key(
        "writes",
        Shape::Word(&["merged", "last_response_wins"]),
        "What becomes of concurrent writes.",
    ),
    key(
        "scope",
        Shape::Word(&["all_nodes", "this_node"]),
        "How far an operator's call reaches.",
    ),
    key(
        "durability",
        Shape::Word(&["acknowledged", "async", "volatile"]),
        "What an acknowledged write survives.",
    ),
    key(
        "any_node",
        Shape::Flag,
        "Whether any node has to be able to serve any session.",
    ),
]);

const fn table(keys: &'static [Key]) -> Table {
    Table {
        keys,
        required: &[],
        one_of: &[],
    }
}

const fn key(name: &'static str, shape: Shape, about: &'static str) -> Key {
    Key {
        name,
        shape,
        default: None,
        about,
    }
}

impl Key {
    const fn by_default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }
}
