//! Holds `spec/coverage.md` to the tree: every file of its tables exists, and every test is a function of a crate
//! that one of the row's files belongs to.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Fewer would mean that the tables are not read any more.
const MIN_ROWS: usize = 100;

/// A row with files and tests: its number in the text, its files, its tests.
struct Row {
    line: usize,
    files: Vec<String>,
    tests: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rows(text: &str) -> Vec<Row> {
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut rows = Vec::new();
    let mut is_of_demands = false;
    for (line, number) in text.lines().zip(1..) {
        if !line.starts_with('|') {
            is_of_demands = false;
            continue;
        }
        let cells = cells(line);
        is_of_demands |= cells == ["Demand", "File", "Tests"];
        let [_, files, tests] = cells.as_slice() else { continue };
        if !is_of_demands || files == "File" || files.starts_with('-') {
            continue;
        }
        rows.push(Row {
            line: number,
            files: files.split(',').map(|file| file.trim().to_owned()).collect(),
            tests: tests
                .split(',')
                .map(|test| test.trim().trim_matches('`').to_owned())
                .collect(),
        });
    }
    rows
}

/// The folder of the crate that a file belongs to.
fn crate_of(file: &Path) -> PathBuf {
    let folder = file.ancestors().find(|folder| folder.join("Cargo.toml").exists());
    folder
        .unwrap_or_else(|| panic!("{} is in no crate", file.display()))
        .to_owned()
}

/// All Rust source of a crate; not of the crates in its folder.
fn source(folder: &Path) -> String {
    let mut text = String::new();
    // The last three are this crate's own.
    for name in ["src", "tests", "flows", "attacks", "pages"] {
        append(&folder.join(name), &mut text);
    }
    text
}

fn append(path: &Path, text: &mut String) {
    let Ok(entries) = fs::read_dir(path) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            append(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_file_and_test_is_there() {
    let text = fs::read_to_string(root().join("spec/coverage.md")).unwrap();
    let rows = rows(&text);
    assert!(rows.len() >= MIN_ROWS, "expected {MIN_ROWS} rows, found {}", rows.len());
    let mut sources: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut missing = Vec::new();
    for row in rows {
        let files: Vec<PathBuf> = row.files.iter().map(|file| root().join(file)).collect();
        missing.extend(
            files
                .iter()
                .filter(|file| !file.is_file())
                .map(|file| format!("line {}: the file {}", row.line, file.display())),
        );
        let crates: Vec<PathBuf> = files
            .iter()
            .filter(|file| file.is_file())
            .map(|file| crate_of(file))
            .collect();
        for folder in &crates {
            sources.entry(folder.clone()).or_insert_with(|| source(folder));
        }
        for test in row.tests {
            let function = format!("fn {test}(");
            if !crates.iter().any(|folder| sources[folder].contains(&function)) {
                missing.push(format!("line {}: the test {test}", row.line));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "spec/coverage.md names what is not there:\n{}",
        missing.join("\n")
    );
}

#[test]
fn rows_are_read_from_tables_of_demands_only() {
    let text = "| Standard | Version | Commit |\n|---|---|---|\n| a | b | c |\n\n| Demand | File | Tests |\n|---|---|---|\n| x | f.rs, g.rs | `one`, `two` |\n";
    let rows = rows(text);
    let [row] = rows.as_slice() else { panic!("one row") };
    assert_eq!(
        (row.line, row.files.as_slice()),
        (7, ["f.rs".to_owned(), "g.rs".to_owned()].as_slice())
    );
    assert_eq!(row.tests, ["one", "two"]);
}
