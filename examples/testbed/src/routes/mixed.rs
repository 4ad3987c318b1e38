//! Any sequence of operations in one request.

use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use sessile::{Error, Session, Sessions};

use super::values;

pub(super) fn routes() -> Router<Sessions> {
    Router::new().route("/mixed", post(mixed))
}

type Raw = Box<RawValue>;

/// Why a step failed, as its result says it.
struct Failed(&'static str);

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Failed(error.kind().as_str())
    }
}

/// A step that is none of the list is `{"error": "invalid"}`, as are missing arguments; a body
/// that is no list of lists is `400`. `incr` is an `update`, which the next `commit` or the layer
/// saves.
async fn mixed(session: Session, body: String) -> Result<Json<Vec<Raw>>, StatusCode> {
    let steps: Vec<Vec<Raw>> = serde_json::from_str(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let mut results = Vec::new();
    for step in steps {
        results.push(match run(&session, &step).await {
            Ok(result) => result,
            Err(Failed(kind)) => {
                raw(&json!({ "error": kind })).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?
            }
        });
    }
    Ok(Json(results))
}

async fn run(session: &Session, step: &[Raw]) -> Result<Raw, Failed> {
    let op: String = argument(step, 0)?;
    let word = || argument::<String>(step, 1);
    match op.as_str() {
        "set" => session.insert(word()?, argument::<Raw>(step, 2)?)?,
        "remove" => return raw(&session.remove(word()?)?),
        "clear" => session.clear()?,
        "incr" => return raw(&session.update(word()?, values::plus_one)?),
        "renew" => session.renew()?,
        "login" => session.login(word()?)?,
        "logout" => session.logout()?,
        "get" => return raw(&session.get::<Raw>(word()?)?),
        "commit" => session.commit().await?,
        _ => return Err(Failed("invalid")),
    }
    raw(&Value::Null)
}

fn argument<T: DeserializeOwned>(step: &[Raw], index: usize) -> Result<T, Failed> {
    let text = step.get(index).ok_or(Failed("invalid"))?;
    serde_json::from_str(text.get()).map_err(|_| Failed("invalid"))
}

fn raw(value: &impl Serialize) -> Result<Raw, Failed> {
    to_raw_value(value).map_err(|_| Failed("encode"))
}
