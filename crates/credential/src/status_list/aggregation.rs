//! Which Status List Tokens an issuer publishes
//! ([status list aggregation](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#name-status-list-aggregation)).

use keys::json;
use serde_json::Value;
use thiserror::Error;

use super::reference::is_uri;

/// Bytes of the document: 4,000 lists with long URIs, which is half a billion credentials.
const MAX_BYTES: usize = 1 << 20;

/// The document behind `aggregation_uri` and `status_list_aggregation_endpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusListAggregation {
    /// URIs of Status List Tokens. A broken one is no reason to leave out the others.
    pub status_lists: Vec<String>,
}

/// The publisher's fault.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AggregationError {
    /// Not strict JSON.
    #[error("the Status List Aggregation is not read")]
    Json(#[from] json::JsonError),
    /// No such array.
    #[error("expected `status_lists` as an array of URIs, found something else or nothing")]
    StatusLists,
}

impl StatusListAggregation {
    /// Reads the document.
    ///
    /// # Errors
    /// [`AggregationError`].
    pub fn parse(document: &[u8]) -> Result<Self, AggregationError> {
        let limits = json::Limits {
            max_bytes: MAX_BYTES,
            ..json::DEFAULT_LIMITS
        };
        let document = json::parse_object(document, limits)?;
        let lists = document.get("status_lists").and_then(Value::as_array);
        let uri = |value: &Value| value.as_str().filter(|uri| is_uri(uri)).map(str::to_owned);
        let lists = lists.and_then(|lists| lists.iter().map(uri).collect());
        Ok(Self {
            status_lists: lists.ok_or(AggregationError::StatusLists)?,
        })
    }

    /// The document, of the media type `application/json`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::json!({"status_lists": self.status_lists})
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for status_lists in [vec![], vec!["https://example.com/statuslists/1".to_owned()]] {
            let aggregation = StatusListAggregation { status_lists };
            let document = aggregation.to_value().to_string();
            assert_eq!(StatusListAggregation::parse(document.as_bytes()), Ok(aggregation));
        }
    }

    #[test]
    fn other_documents_are_refused() {
        for bad in [
            json!({}),
            json!({"status_lists": "https://a.example"}),
            json!({"status_lists": [1]}),
            json!({"status_lists": ["no uri"]}),
        ] {
            let refused = StatusListAggregation::parse(bad.to_string().as_bytes());
            assert_eq!(refused, Err(AggregationError::StatusLists), "{bad}");
        }
        assert!(matches!(
            StatusListAggregation::parse(b"[]"),
            Err(AggregationError::Json(_))
        ));
        let large = format!("{{\"status_lists\": [{}]}}", " ".repeat(MAX_BYTES));
        assert!(matches!(
            StatusListAggregation::parse(large.as_bytes()),
            Err(AggregationError::Json(_))
        ));
    }
}
