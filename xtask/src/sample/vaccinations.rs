//! The health agency's register of vaccinations: one certificate a person, with its doses.

use jiff::ToSpan;

use super::SEED;
use super::TODAY;
use super::people::Person;
use super::people::text;
use super::random::Random;
use super::table::Kind;
use super::table::Table;

/// Product, maker, disease and full course; products and makers are invented.
const VACCINES: &[(&str, &str, &str, u32)] = &[
    ("Sampivax", "Banyan Biologics", "measles", 2),
    ("Lagunavac MMR", "Harbour Sera", "measles, mumps and rubella", 2),
    ("Tetrarimba", "Banyan Biologics", "tetanus", 3),
    ("Febrisagol", "St. Elmo's Institute", "yellow fever", 1),
    ("Hepasuri-B", "Harbour Sera", "hepatitis B", 3),
];

/// Places that vaccinate; the comma and the apostrophes are meant.
const CENTRES: &[&str] = &[
    "Old Market Polyclinic",
    "St. Elmo's Bay, Pier Clinic",
    "மலைநகர் மருத்துவமனை",
    "新港診所",
    "Harbour Children's Ward",
];

/// Certificates of about three quarters of the people with a known date of birth.
pub(crate) fn table(people: &[Person]) -> Table {
    Table {
        schema: "health",
        name: "vaccinations",
        columns: &[
            ("subject_id", Kind::Text),
            ("certificate_number", Kind::Text),
            ("family_name", Kind::Text),
            ("given_name", Kind::Text),
            ("birthdate", Kind::Date),
            ("disease", Kind::Text),
            ("vaccine", Kind::Text),
            ("manufacturer", Kind::Text),
            ("doses", Kind::Text),
            ("dose_number", Kind::Integer),
            ("total_doses", Kind::Integer),
            ("last_dose_on", Kind::Date),
        ],
        rows: (1..)
            .zip(people)
            .filter_map(|(number, person)| row(number, person))
            .collect(),
    }
}

fn row(number: u32, person: &Person) -> Option<Vec<String>> {
    let mut random = Random::for_row(SEED, "vaccinations", u64::from(number));
    let born = person.birthdate?;
    let wanted = number <= 4 || random.chance(75);
    // Nobody is vaccinated in the first three months of the sample.
    if !wanted || born > TODAY.saturating_sub(90.days()) {
        return None;
    }
    let (vaccine, manufacturer, disease, total) = random.pick(VACCINES);
    // Some missed a dose, some got one too many.
    let given = if random.chance(15) {
        random.between(1, total + 1)
    } else {
        total
    };
    let mut day = TODAY
        .saturating_sub(i64::from(random.between(40, 1_500)).days())
        .max(born.saturating_add(60.days()));
    let mut doses = Vec::new();
    let mut last = day;
    for _ in 0..given {
        if day > TODAY {
            break;
        }
        let lot = if random.chance(7) {
            String::new()
        } else {
            format!("LOT-{:05}", random.between(10_000, 99_999))
        };
        doses.push(format!("{day}|{lot}|{}", random.pick(CENTRES)));
        last = day;
        day = day.saturating_add(28.days());
    }
    Some(vec![
        person.subject_id.clone(),
        format!("V-2026-{number:05}"),
        person.family_name.clone(),
        person.given_name.clone(),
        text(person.birthdate),
        disease.to_owned(),
        vaccine.to_owned(),
        manufacturer.to_owned(),
        doses.join("\n"),
        doses.len().to_string(),
        total.to_string(),
        last.to_string(),
    ])
}
