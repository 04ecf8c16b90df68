//! Results for the relying party, in memory alone.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use keys::Timestamp;
use serde_json::Value;

/// Results at a time: 10,000 of some kB each. Beyond that the oldest go first.
const MAX_RESULTS: usize = 10_000;
/// A relying party asks within seconds; a person at a counter within minutes.
const LIFETIME_SECONDS: i64 = 10 * 60;

/// Verdicts by session id.
#[derive(Debug, Default)]
pub(crate) struct Results(Mutex<BTreeMap<String, (Timestamp, Value)>>);

impl Results {
    pub(crate) fn put(&self, id: &str, verdict: Value, now: Timestamp) {
        let mut results = self.lock();
        if results.len() >= MAX_RESULTS {
            let oldest = results
                .iter()
                .min_by_key(|(_, (expires, _))| *expires)
                .map(|(id, _)| id.clone());
            oldest.map(|id| results.remove(&id));
        }
        results.insert(id.to_owned(), (now.plus(LIFETIME_SECONDS), verdict));
    }

    pub(crate) fn find(&self, id: &str, now: Timestamp) -> Option<Value> {
        self.lock()
            .get(id)
            .filter(|(expires, _)| now < *expires)
            .map(|(_, verdict)| verdict.clone())
    }

    pub(crate) fn forget_expired(&self, now: Timestamp) {
        self.lock().retain(|_, (expires, _)| now < *expires);
    }

    /// A panic elsewhere cannot leave a map half changed.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, (Timestamp, Value)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_there_until_it_expires() {
        let results = Results::default();
        let now = Timestamp::from_unix(1_000);
        results.put("a", Value::from(1), now);
        assert_eq!(results.find("a", now.plus(LIFETIME_SECONDS - 1)), Some(Value::from(1)));
        assert_eq!(results.find("a", now.plus(LIFETIME_SECONDS)), None);
        results.forget_expired(now.plus(LIFETIME_SECONDS));
        assert!(results.lock().is_empty());
    }

    #[test]
    fn the_oldest_go_first() {
        let results = Results::default();
        for count in 0..=MAX_RESULTS {
            let now = Timestamp::from_unix(i64::try_from(count).unwrap());
            results.put(&format!("{count}"), Value::Null, now);
        }
        assert_eq!(results.lock().len(), MAX_RESULTS);
        assert!(results.lock().get("0").is_none());
    }
}
