//! What a path can hold besides names and numbers. Anything else is `400`.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sessile::SessionId;

/// JSON, kept as it was written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "String", into = "Box<RawValue>")]
pub(super) struct Json(Box<RawValue>);

impl TryFrom<String> for Json {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        RawValue::from_string(text).map(Json)
    }
}

impl From<Json> for Box<RawValue> {
    fn from(json: Json) -> Self {
        json.0
    }
}

/// The status of a final response.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u16")]
pub(super) struct Code(pub(super) StatusCode);

impl TryFrom<u16> for Code {
    type Error = &'static str;

    fn try_from(code: u16) -> Result<Self, Self::Error> {
        let status = StatusCode::from_u16(code).ok();
        let last = status.filter(|status| !status.is_informational());
        last.map(Code).ok_or("a status is 200 to 999")
    }
}

/// The public id of a session.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Id(pub(super) SessionId);

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let id = text.parse().map(Id);
        id.map_err(|_| "a session's id is 22 characters of base64url")
    }
}
