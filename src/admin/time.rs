//! Times as the API has them.

use jiff::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::now::Wall;

/// A time: RFC 3339 with an offset, whole seconds; UTC where we write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(pub(crate) Wall);

impl Time {
    /// As it is written; beyond the year 9999 and before −9999 the last moment that can be.
    pub(crate) fn text(self) -> String {
        let seconds = self.0.0.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
        Timestamp::from_second(seconds).unwrap_or_default().to_string()
    }

    /// Reads one; a blank before the offset is a `+` that somebody forgot to encode in a URL.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plus = text.len().checked_sub(6).filter(|at| text.as_bytes().get(*at) == Some(&b' '));
        let time = match plus.and_then(|at| text.split_at_checked(at)) {
            Some((time, offset)) => format!("{time}+{}", offset.trim_start()).parse::<Timestamp>(),
            None => text.parse(),
        };
        // A fraction is cut off, before 1970 too.
        Some(Self(Wall(time.ok()?.as_millisecond().div_euclid(1_000))))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| Error::custom("is no time; write it like 2027-03-31T23:59:59+09:00"))
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
        ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
    }
}

impl ToSchema for Time {}
