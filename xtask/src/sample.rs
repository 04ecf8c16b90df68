//! `cargo xtask sample`: the registers of the sample nation in `schemas/sample`.
//!
//! Everything is made from [`SEED`], byte for byte the same on every machine, so that `--check` can
//! say whether the committed files are what this code makes. The data is documented in
//! `schemas/sample/README.md`, where the awkward rows are named.

mod companies;
mod jpeg;
mod licences;
mod names;
mod people;
mod portrait;
mod random;
mod table;
mod vaccinations;

use std::fs;
use std::path::Path;

use anyhow::Context;
use anyhow::Result;
use anyhow::bail;
use jiff::civil::Date;
use jiff::civil::date;

use crate::sample::table::Table;

/// Change it and every ordinary row changes; the awkward ones stay awkward.
const SEED: u64 = 0x00A7_7E57_0001;

/// The day on which the sample was made: ages and validity are counted from it, never from a clock.
const TODAY: Date = date(2026, 11, 23);

/// Where the files go, from the workspace root.
const FOLDER: &str = "schemas/sample";

/// Writes the files.
pub(crate) fn write(root: &Path) -> Result<()> {
    for (name, content) in files() {
        let path = root.join(FOLDER).join(name);
        fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
        eprintln!("wrote {}", path.display());
    }
    Ok(())
}

/// Fails when a committed file is not what [`write()`] would write.
pub(crate) fn check(root: &Path) -> Result<()> {
    for (name, content) in files() {
        let path = root.join(FOLDER).join(name);
        let found = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        if found != content {
            let line = found
                .lines()
                .zip(content.lines())
                .take_while(|(found, made)| found == made)
                .count()
                + 1;
            bail!(
                "{} is not what the generator makes, from line {line} on; run `cargo xtask sample`",
                path.display()
            );
        }
    }
    eprintln!("schemas/sample is what the generator makes");
    Ok(())
}

fn files() -> Vec<(String, String)> {
    let people = people::people();
    let tables: [Table; 4] = [
        people::table(&people),
        licences::table(&people),
        vaccinations::table(&people),
        companies::table(),
    ];
    tables
        .iter()
        .flat_map(|table| {
            [
                (format!("{}.csv", table.name), table.csv()),
                (format!("{}.sql", table.name), table.sql()),
            ]
        })
        .collect()
}

/// An id that is clearly made up: a letter, seven digits and a check letter over the digits.
fn checked_id(prefix: char, number: u32) -> String {
    let digits = format!("{number:07}");
    // Weights as real identity numbers have them, so that one wrong digit or two swapped ones show.
    let sum: u32 = digits
        .chars()
        .zip([2, 7, 6, 5, 4, 3, 2])
        .map(|(digit, weight)| digit.to_digit(10).unwrap_or(0) * weight)
        .sum();
    let letter = "KLABCDEFGHJ".chars().nth((sum % 11) as usize).unwrap_or('A');
    format!("{prefix}{digits}{letter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_digit_shows_in_the_check_letter() {
        assert_eq!(checked_id('X', 1), "X0000001A");
        let last = |number| checked_id('X', number).pop();
        assert_ne!(last(12), last(21));
        assert_ne!(last(1), last(2));
    }

    #[test]
    fn the_ids_in_the_readme_are_in_the_registers() {
        let readme = fs::read_to_string(crate::root().unwrap().join(FOLDER).join("README.md")).unwrap();
        let named: Vec<&str> = readme
            .split('`')
            .filter(|text| text.len() == 9 && text.starts_with(['X', 'C']))
            .collect();
        assert!(named.len() > 40, "{}", named.len());
        for id in named {
            let prefix = id.chars().next().unwrap();
            assert_eq!(id, checked_id(prefix, id[1..8].parse().unwrap()));
        }
    }

    #[test]
    fn all_files_together_stay_small() {
        let bytes: usize = files().iter().map(|(_, content)| content.len()).sum();
        assert!(bytes < 3_000_000, "{bytes}");
    }

    #[test]
    fn two_runs_make_the_same_bytes() {
        assert!(files() == files());
    }
}
