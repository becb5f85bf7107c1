//! What the API's answers mean.

use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde::Deserialize;

use super::Registered;
use crate::observe::{capped, visible};

/// Longest sentence of the API's that is repeated, in characters.
const LONGEST: usize = 800;

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Bytes,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Done(Registered),
    /// Send it again, after this time if the API said one.
    Later {
        why: String,
        after: Option<Duration>,
    },
    /// It will say the same to everything else.
    Stop(String),
}

/// RFC 9457, as much of it as tells people something.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    detail: String,
    errors: Vec<FieldError>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FieldError {
    field: String,
    detail: String,
}

impl Answer {
    pub(super) fn verdict(&self) -> Verdict {
        let status = self.status;
        match status.as_u16() {
            201 => Verdict::Done(Registered::New),
            200..=299 => Verdict::Done(Registered::Known),
            400 | 409 | 412 | 413 | 415 | 422 => Verdict::Done(Registered::Refused(self.text())),
            401 => Verdict::Stop(format!("the API doesn't know the token, or it has expired: {}", self.text())),
            403 => Verdict::Stop(format!(
                "the token may not register certificates, which wants the role \"registrar\": {}",
                self.text()
            )),
            408 | 429 | 500 | 502..=504 => {
                Verdict::Later { why: format!("the API can't at the moment: {}", self.text()), after: self.retry_after }
            }
            _ => Verdict::Stop(format!("there is no registry's API: {}", self.text())),
        }
    }

    /// The answer in a line.
    pub(super) fn text(&self) -> String {
        let problem: Problem = serde_json::from_slice(&self.body).unwrap_or_default();
        let title = self.status.canonical_reason().unwrap_or("");
        let mut text = format!("{} {title}", self.status.as_u16()).trim_end().to_owned();
        if !problem.detail.is_empty() {
            text += &format!(": {}", problem.detail);
        }
        for FieldError { field, detail } in problem.errors {
            text += &format!("; {field}: {detail}");
        }
        visible(&capped(&text, LONGEST)).into_owned()
    }
}
