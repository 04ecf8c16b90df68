//! A row, as `issuer::register` has it.

use std::collections::BTreeMap;

/// One subject's fields by column.
pub(crate) struct Row(BTreeMap<String, String>);

impl Row {
    pub(crate) fn field(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Row {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(fields: T) -> Self {
        Self(fields.into_iter().collect())
    }
}
