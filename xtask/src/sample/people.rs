//! The population register: 1,000 people who do not exist, some of them awkward on purpose.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::civil::date;

use super::SEED;
use super::TODAY;
use super::checked_id;
use super::names;
use super::portrait;
use super::random::Random;
use super::table::Kind;
use super::table::Table;

/// How many people there are; the register has one row more, for the duplicate.
const PEOPLE: u32 = 1_000;

/// The first people are those that README.md and the tests name.
const NAMED: u32 = 40;

/// The person whose row stands in the register twice.
pub(crate) const DUPLICATE: u32 = 28;

/// One person; an empty text is a missing field.
#[derive(Clone, Default)]
pub(crate) struct Person {
    pub(crate) subject_id: String,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) birth_family_name: String,
    pub(crate) birthdate: Option<Date>,
    pub(crate) birth_locality: String,
    pub(crate) birth_country: String,
    pub(crate) sex: String,
    pub(crate) nationalities: String,
    pub(crate) street_address: String,
    pub(crate) house_number: String,
    pub(crate) locality: String,
    pub(crate) region: String,
    pub(crate) postal_code: String,
    pub(crate) country: String,
    pub(crate) email: String,
    pub(crate) phone_number: String,
    /// Standard base64 of a JPEG.
    pub(crate) portrait: String,
    pub(crate) document_number: String,
    pub(crate) date_of_issuance: Option<Date>,
    pub(crate) date_of_expiry: Option<Date>,
    pub(crate) date_of_death: Option<Date>,
}

impl Person {
    /// Whole years lived on [`TODAY`]; none for a missing date of birth.
    pub(crate) fn age(&self) -> Option<i16> {
        let born = self.birthdate?;
        let had_birthday = (TODAY.month(), TODAY.day()) >= (born.month(), born.day());
        Some(TODAY.year() - born.year() - i16::from(!had_birthday))
    }

    fn row(&self) -> Vec<String> {
        vec![
            self.subject_id.clone(),
            self.given_name.clone(),
            self.family_name.clone(),
            self.birth_family_name.clone(),
            text(self.birthdate),
            self.birth_locality.clone(),
            self.birth_country.clone(),
            self.sex.clone(),
            self.nationalities.clone(),
            self.street_address.clone(),
            self.house_number.clone(),
            self.locality.clone(),
            self.region.clone(),
            self.postal_code.clone(),
            self.country.clone(),
            self.email.clone(),
            self.phone_number.clone(),
            self.portrait.clone(),
            self.document_number.clone(),
            text(self.date_of_issuance),
            text(self.date_of_expiry),
            text(self.date_of_death),
        ]
    }
}

/// A date as a register writes it; empty where it is missing.
pub(crate) fn text(date: Option<Date>) -> String {
    date.map_or_else(String::new, |date| date.to_string())
}

/// Everybody, in the order of their numbers.
pub(crate) fn people() -> Vec<Person> {
    (1..=PEOPLE)
        .map(|number| {
            let mut person = ordinary(number);
            make_awkward(number, &mut person);
            person
        })
        .collect()
}

/// The register.
pub(crate) fn table(people: &[Person]) -> Table {
    let mut rows: Vec<Vec<String>> = people.iter().map(Person::row).collect();
    if let Some(row) = rows.get(DUPLICATE as usize - 1).cloned() {
        rows.push(row);
    }
    Table {
        schema: "population",
        name: "persons",
        columns: &[
            ("subject_id", Kind::Text),
            ("given_name", Kind::Text),
            ("family_name", Kind::Text),
            ("birth_family_name", Kind::Text),
            ("birthdate", Kind::Date),
            ("birth_locality", Kind::Text),
            ("birth_country", Kind::Text),
            ("sex", Kind::Integer),
            ("nationalities", Kind::Text),
            ("street_address", Kind::Text),
            ("house_number", Kind::Text),
            ("locality", Kind::Text),
            ("region", Kind::Text),
            ("postal_code", Kind::Text),
            ("country", Kind::Text),
            ("email", Kind::Text),
            ("phone_number", Kind::Text),
            ("portrait", Kind::Bytes),
            ("document_number", Kind::Text),
            ("date_of_issuance", Kind::Date),
            ("date_of_expiry", Kind::Date),
            ("date_of_death", Kind::Date),
        ],
        rows,
    }
}

fn ordinary(number: u32) -> Person {
    let mut random = Random::for_row(SEED, "persons", u64::from(number));
    let (given_name, family_name) = name(&mut random);
    let born = birthday(number, &mut random);
    let (locality, region, postal) = random.pick(names::TOWNS);
    let (birth_locality, _, _) = random.pick(names::TOWNS);
    let issued = TODAY
        .saturating_sub(i64::from(random.between(1, 1_800)).days())
        .max(born);
    let mut person = Person {
        subject_id: checked_id('X', number),
        given_name,
        family_name,
        birth_family_name: if random.chance(12) {
            random.pick(names::FAMILY).to_owned()
        } else {
            String::new()
        },
        birthdate: Some(born),
        birth_locality: birth_locality.to_owned(),
        birth_country: "XA".to_owned(),
        sex: random.pick(&["1", "2"]).to_owned(),
        nationalities: random.pick(&["XA", "XA", "XA", "XA", "XA;XB", "XC"]).to_owned(),
        street_address: random.pick(names::STREETS).to_owned(),
        house_number: random.between(1, 240).to_string(),
        locality: locality.to_owned(),
        region: region.to_owned(),
        postal_code: format!("{postal}{:04}", random.between(0, 9_999)),
        country: "XA".to_owned(),
        email: format!("person{number}@mail.example"),
        // No country has the code 999.
        phone_number: format!("+999{:08}", random.between(10_000_000, 99_999_999)),
        portrait: String::new(),
        document_number: format!("P{:08}", 40_000_000 + number * 7),
        date_of_issuance: Some(issued),
        date_of_expiry: Some(issued.saturating_add(10.years())),
        date_of_death: None,
    };
    // Registers have holes.
    if random.chance(4) {
        person.email.clear();
    }
    if random.chance(3) {
        person.phone_number.clear();
    }
    if random.chance(2) {
        person.birth_locality.clear();
    }
    if random.chance(2) && number > NAMED {
        person.date_of_death = Some(TODAY.saturating_sub(i64::from(random.between(1, 300)).days()).max(born));
    }
    if number <= 24 {
        person.portrait = portrait::small(&mut random);
    }
    person
}

fn name(random: &mut Random) -> (String, String) {
    if random.chance(12) {
        let (given, family) = random.pick(names::OTHER_SCRIPTS);
        return (given.to_owned(), family.to_owned());
    }
    let given = random.pick(names::GIVEN);
    let second = if random.chance(20) {
        format!(" {}", random.pick(names::GIVEN))
    } else {
        String::new()
    };
    (format!("{given}{second}"), random.pick(names::FAMILY).to_owned())
}

/// Ages from 0 to 95, few of them very old; the people of README.md are grown up where it says nothing else.
fn birthday(number: u32, random: &mut Random) -> Date {
    let youngest = if number <= NAMED { 20 } else { 0 };
    let oldest = if random.chance(15) { 95 } else { 65 };
    TODAY.saturating_sub(i64::from(random.between(youngest * 365, oldest * 365)).days())
}

/// The people of README.md: what real registers hold and tidy test data does not.
fn make_awkward(number: u32, person: &mut Person) {
    let mut names = |given: &str, family: &str| {
        given.clone_into(&mut person.given_name);
        family.clone_into(&mut person.family_name);
        person.birth_family_name.clear();
    };
    match number {
        1 => names("Maya", "Temasuka-Lakshmore"),
        2 => names("Haruto", "Velankanto"),
        5 => names("", "Moanafele"),
        9 => names("Adaeze", "Ngwenyaro"),
        10 => names("Chidi", "Ngwenyaro"),
        11 | 12 => names("Wei", "Xiangford"),
        13 => names("", "Wirasokana"),
        14 => names("தமிழ்ச்செல்வி கௌரி", "அருண்வேல்-செல்வகுரோ"),
        15 => names("子轩", "欧阳湾"),
        16 => names("لَيْلَى", "ٱلْمِينَاوِيّ"),
        17 => names("نورالهدى", "بنت تنجوڠ ڤاݢر"),
        // The same name twice: composed, then with combining marks; equal to the eye, not to the machine.
        18 => names("Nguyệt Ánh", "Trầnvalde"),
        19 => names("Nguye\u{302}\u{323}t A\u{301}nh", "Tra\u{302}\u{300}nvalde"),
        20 => names("Seán D'Arcy", "O’Grosvenari-d'Alvareño"),
        21 => names(&long_name(), "Jembarwati-Rimbasuri-Sungaibatu-Tanjunghale"),
        // A zero-width non-joiner is part of the spelling in Persian.
        22 => names("نگین\u{200C}سادات", "مهتاب\u{200C}نیا"),
        23 => names("하나", "온새미로강"),
        // A family name outside the Basic Multilingual Plane.
        24 => names("健", "𠮷野浜"),
        32 => names("  Anand ", " Rajavento  "),
        33 => names("None", "Null"),
        34 => names("True", "No"),
        _ => {}
    }
    match number {
        1 => person.birthdate = Some(date(1990, 5, 17)),
        2 => person.birthdate = Some(date(1984, 11, 2)),
        3 => person.birthdate = Some(date(2012, 3, 9)),
        4 => person.birthdate = Some(date(2008, 11, 30)),
        5 => newborn(person),
        6 => person.birthdate = Some(date(2008, 2, 29)),
        7 => person.birthdate = Some(date(1996, 2, 29)),
        8 => person.birthdate = Some(date(1899, 12, 31)),
        9 | 10 => move_to(person, date(1993, 7, 4), "Banyan Road", "77"),
        11 | 12 => move_to(person, date(2001, 1, 1), "Lorong 7", "3"),
        25 => person.birthdate = None,
        26 => bare(person),
        27 => person.date_of_death = Some(date(2026, 8, 15)),
        29 => person.portrait = portrait::large(),
        30 => {
            "Blk 12, \"The Anchorage\"\nUpper Lagoon Road, c/o O'Neil; #03-07".clone_into(&mut person.street_address);
        }
        31 => "QS".clone_into(&mut person.nationalities),
        35 => "XA;XB;XC".clone_into(&mut person.nationalities),
        36 => person.date_of_expiry = Some(date(2025, 6, 30)),
        37 => "0".clone_into(&mut person.sex),
        38 => "9".clone_into(&mut person.sex),
        39 => "=1+1".clone_into(&mut person.house_number),
        _ => {}
    }
    if number <= NAMED && number != 5 && number != 36 {
        // The people that tests name hold a document that is good for a while.
        person.date_of_issuance = Some(date(2025, 1, 15));
        person.date_of_expiry = Some(date(2035, 1, 14));
    }
    if number <= 2 {
        let sex = if number == 1 { "2" } else { "1" };
        sex.clone_into(&mut person.sex);
    }
    if (1..=4).contains(&number) || number == 29 {
        "XA".clone_into(&mut person.nationalities);
        person.email = format!("person{number}@mail.example");
        person.phone_number = format!("+99955500{number:03}");
        "Port Saga".clone_into(&mut person.birth_locality);
    }
}

/// Born three days before the sample's today and not named yet.
fn newborn(person: &mut Person) {
    person.birthdate = Some(date(2026, 11, 20));
    person.date_of_issuance = Some(date(2026, 11, 21));
    person.date_of_expiry = Some(date(2031, 11, 20));
    person.email.clear();
    person.phone_number.clear();
    person.portrait.clear();
}

/// A person of whom only a name is known.
fn bare(person: &mut Person) {
    let known = Person {
        subject_id: person.subject_id.clone(),
        given_name: person.given_name.clone(),
        family_name: person.family_name.clone(),
        ..Person::default()
    };
    *person = known;
}

/// Twins are born on one day and live together.
fn move_to(person: &mut Person, born: Date, street: &str, house: &str) {
    person.birthdate = Some(born);
    street.clone_into(&mut person.street_address);
    house.clone_into(&mut person.house_number);
    "Teluk Biru".clone_into(&mut person.locality);
    "East".clone_into(&mut person.region);
    "350077".clone_into(&mut person.postal_code);
    "Port Saga".clone_into(&mut person.birth_locality);
}

/// More than 200 characters, as registers of places with long patronyms have them.
fn long_name() -> String {
    let parts = [
        "Raden",
        "Ayu",
        "Kusumaning",
        "Maharatnadewi",
        "Suryaningtyas",
        "Wijayakusumaputri",
    ];
    let mut name = String::new();
    for part in parts.iter().cycle().take(20) {
        name.push_str(part);
        name.push(' ');
    }
    name.push_str("Tunggadewi");
    name
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_one_row_stands_twice() {
        let people = people();
        let ids: BTreeSet<&str> = people.iter().map(|person| person.subject_id.as_str()).collect();
        assert_eq!(ids.len(), 1_000);
        let rows = table(&people).rows;
        assert_eq!(rows.len(), 1_001);
        assert_eq!(rows.iter().filter(|row| row[0] == people[27].subject_id).count(), 2);
    }

    #[test]
    fn the_awkward_people_are_awkward() {
        let people = people();
        let person = |number: usize| &people[number - 1];
        assert!(person(21).given_name.chars().count() > 200);
        assert_ne!(person(18).given_name, person(19).given_name);
        assert_eq!(person(6).age(), Some(18));
        assert_eq!(person(4).age(), Some(17));
        assert_eq!(person(8).age(), Some(126));
        assert_eq!(person(25).age(), None);
        assert_eq!(
            (&person(11).given_name, person(11).birthdate),
            (&person(12).given_name, person(12).birthdate)
        );
        assert_ne!(person(11).subject_id, person(12).subject_id);
        // 30 kB of JPEG are 40 kB of base64.
        assert!(
            (39_000..43_000).contains(&person(29).portrait.len()),
            "{}",
            person(29).portrait.len()
        );
    }

    #[test]
    fn nobody_is_born_or_dead_in_the_future() {
        for person in people() {
            assert!(
                person.birthdate.is_none_or(|born| born <= TODAY),
                "{}",
                person.subject_id
            );
            assert!(
                person
                    .date_of_death
                    .is_none_or(|died| died <= TODAY && Some(died) >= person.birthdate)
            );
        }
    }
}
