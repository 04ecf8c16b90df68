//! The transport agency's register of driving licences.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::civil::date;

use super::SEED;
use super::TODAY;
use super::people::Person;
use super::people::text;
use super::random::Random;
use super::table::Kind;
use super::table::Table;

/// Licences of about two thirds of the adults. People 1 and 2 have one, person 3 is too young.
pub(crate) fn table(people: &[Person]) -> Table {
    Table {
        schema: "transport",
        name: "driving_licences",
        columns: &[
            ("subject_id", Kind::Text),
            ("document_number", Kind::Text),
            ("family_name", Kind::Text),
            ("given_name", Kind::Text),
            ("birth_date", Kind::Date),
            ("issue_date", Kind::Date),
            ("expiry_date", Kind::Date),
            ("categories", Kind::Text),
            ("height_cm", Kind::Integer),
            ("eye_colour", Kind::Text),
            ("resident_address", Kind::Text),
            ("portrait", Kind::Bytes),
            ("status", Kind::Text),
        ],
        rows: (1..)
            .zip(people)
            .filter_map(|(number, person)| row(number, person))
            .collect(),
    }
}

fn row(number: u32, person: &Person) -> Option<Vec<String>> {
    let mut random = Random::for_row(SEED, "driving_licences", u64::from(number));
    let born = person.birthdate?;
    let wanted = number <= 2 || random.chance(66);
    if !wanted || person.age()? < 18 {
        return None;
    }
    let first_issue = born
        .saturating_add(18.years())
        .saturating_add(i64::from(random.between(1, 900)).days())
        .min(TODAY);
    let licence = issued(number, first_issue, &mut random);
    let status = match (number, random.below(40)) {
        (1 | 2, _) => "valid",
        (_, 0) => "suspended",
        (_, 1) => "surrendered",
        _ => "valid",
    };
    Some(vec![
        person.subject_id.clone(),
        format!("D{:07}", 3_000_000 + number * 13),
        person.family_name.clone(),
        person.given_name.clone(),
        text(person.birthdate),
        licence.issued.to_string(),
        licence.expires.to_string(),
        categories(first_issue, licence.expires, &mut random),
        if random.chance(8) {
            String::new()
        } else {
            random.between(148, 196).to_string()
        },
        random
            .pick(&["brown", "black", "hazel", "green", "grey", "unknown"])
            .to_owned(),
        address(person),
        person.portrait.clone(),
        status.to_owned(),
    ])
}

struct Licence {
    issued: Date,
    expires: Date,
}

/// Licences are good for ten years; some are not renewed in time.
fn issued(number: u32, first_issue: Date, random: &mut Random) -> Licence {
    if number <= 2 {
        return Licence {
            issued: date(2024, 6, 3),
            expires: date(2034, 6, 2),
        };
    }
    let latest = TODAY.saturating_sub(i64::from(random.between(10, 3_900)).days());
    let issued = first_issue.max(latest);
    Licence {
        issued,
        expires: issued.saturating_add(10.years()),
    }
}

/// `category:since:until:restriction`, joined by `;`; a missing restriction leaves its place empty.
fn categories(first_issue: Date, expires: Date, random: &mut Random) -> String {
    let restriction = random.pick(&["", "", "", "01.06", "78"]);
    let mut entries = vec![format!("B:{first_issue}:{expires}:{restriction}")];
    for (category, percent, years) in [("A1", 25, 1), ("C", 8, 3), ("D", 3, 6)] {
        let since = first_issue.saturating_add(years.years());
        if random.chance(percent) && since <= TODAY {
            entries.push(format!("{category}:{since}:{expires}:"));
        }
    }
    entries.join(";")
}

fn address(person: &Person) -> String {
    let street = format!("{} {}", person.house_number, person.street_address);
    let town = format!("{} {}", person.locality, person.postal_code);
    [street, town]
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}
