//! A card for terminals: columns, and no character that a terminal would obey.

use super::Card;
use super::Row;
use super::Value;
use super::wrap::columns;
use super::wrap::width;
use super::wrap::wrap;

/// Labels longer than this stand on a line of their own.
const MAX_LABEL_COLUMNS: f32 = 26.0;
/// What is left for values where everything is narrow or deep.
const MIN_VALUE_COLUMNS: f32 = 16.0;
const INDENT: usize = 2;

impl Card {
    /// Lines of text of at most `max_columns` columns, but never so few that nothing fits.
    #[must_use]
    pub fn to_text(&self, max_columns: u16) -> String {
        let mut rows = self.rows.clone();
        rows.extend(self.standing_rows());
        let label_columns = label_columns(&rows, 1);
        let page = Page {
            max: f32::from(max_columns),
            labels: label_columns,
        };
        let mut lines = page.wrapped(&self.title.text, 0);
        lines.extend(page.wrapped(&self.issuer.text, 0));
        if let Some(description) = &self.description {
            lines.extend(page.wrapped(&description.text, 0));
        }
        lines.push(String::new());
        page.add(&self.rows, 1, &mut lines);
        lines.push(String::new());
        page.add(&self.standing_rows(), 1, &mut lines);
        lines.join("\n")
    }
}

struct Page {
    max: f32,
    labels: f32,
}

impl Page {
    fn wrapped(&self, text: &str, from: u16) -> Vec<String> {
        let left = (self.max - f32::from(from)).max(MIN_VALUE_COLUMNS);
        wrap(text, left, columns)
    }

    fn add(&self, rows: &[Row], depth: usize, lines: &mut Vec<String>) {
        for row in rows {
            let indent = " ".repeat(INDENT * depth);
            let room = self.max - f32::from(u8::try_from(indent.len()).unwrap_or(u8::MAX));
            let mut label = wrap(&row.label.text.replace('\n', " "), room.max(MIN_VALUE_COLUMNS), columns);
            // All but the last line of a label that is longer than a line.
            let last = label.pop().unwrap_or_default();
            lines.extend(label.iter().map(|line| format!("{indent}{line}")));
            let label = format!("{indent}{last}");
            self.add_value(&label, &row.value, depth, lines);
        }
    }

    fn add_value(&self, label: &str, value: &Value, depth: usize, lines: &mut Vec<String>) {
        match value {
            Value::Group(rows) => {
                lines.push(label.to_owned());
                self.add(rows, depth + 1, lines);
            }
            Value::List(items) if items.iter().any(Value::is_nested) => {
                lines.push(label.to_owned());
                for (number, item) in (1..).zip(items) {
                    let label = format!("{}{number}.", " ".repeat(INDENT * (depth + 1)));
                    self.add_value(&label, item, depth + 1, lines);
                }
            }
            simple => self.add_line(label, &simple.to_line(), lines),
        }
    }

    /// A label and its value beside it, or below it where the label is too long.
    fn add_line(&self, label: &str, value: &str, lines: &mut Vec<String>) {
        let start = self.labels + 2.0;
        let used = width(label, columns);
        let mut values = wrap(value, (self.max - start).max(MIN_VALUE_COLUMNS), columns).into_iter();
        let padded = |used: f32, text: &str| {
            let mut blanks = String::new();
            let mut column = used;
            while column < start {
                blanks.push(' ');
                column += 1.0;
            }
            format!("{blanks}{text}").trim_end().to_owned()
        };
        if used <= self.labels {
            let first = values.next().unwrap_or_default();
            lines.push(format!("{label}{}", padded(used, &first)));
        } else {
            lines.push(label.to_owned());
        }
        lines.extend(values.map(|line| padded(0.0, &line)));
    }
}

/// The widest label that may stand beside its value.
fn label_columns(rows: &[Row], depth: u16) -> f32 {
    let indent = f32::from(depth) * 2.0;
    let mut widest: f32 = 0.0;
    for row in rows {
        let own = indent + width(&row.label.text, columns);
        let inner = match &row.value {
            Value::Group(rows) => label_columns(rows, depth + 1),
            Value::List(items) => items
                .iter()
                .map(|item| match item {
                    Value::Group(rows) => label_columns(rows, depth + 2),
                    _ => 0.0,
                })
                .fold(0.0, f32::max),
            _ => own,
        };
        for candidate in [own, inner] {
            if candidate <= MAX_LABEL_COLUMNS {
                widest = widest.max(candidate);
            }
        }
    }
    widest
}
