//! The business agency's register of companies.

use jiff::ToSpan;
use jiff::civil::Date;
use jiff::civil::date;

use super::SEED;
use super::TODAY;
use super::checked_id;
use super::names;
use super::random::Random;
use super::table::Kind;
use super::table::Table;

/// How many companies there are.
const COMPANIES: u32 = 200;

const TRADES: &[(&str, &str)] = &[
    ("Shipping", "H50.20"),
    ("Textiles", "C13.20"),
    ("Noodles", "C10.73"),
    ("Software", "J62.01"),
    ("Orchids", "A01.19"),
    ("Bicycles", "C30.92"),
    ("Freight", "H52.29"),
    ("Ceramics", "C23.41"),
    ("Bakery", "C10.71"),
    ("Instruments", "C32.20"),
];

/// The register. Representatives are `name|role|since`, one a line.
pub(crate) fn table() -> Table {
    Table {
        schema: "business",
        name: "companies",
        columns: &[
            ("company_id", Kind::Text),
            ("legal_name", Kind::Text),
            ("trading_names", Kind::Text),
            ("legal_form", Kind::Text),
            ("incorporated_on", Kind::Date),
            ("status", Kind::Text),
            ("dissolved_on", Kind::Date),
            ("street_address", Kind::Text),
            ("locality", Kind::Text),
            ("postal_code", Kind::Text),
            ("country", Kind::Text),
            ("activity_codes", Kind::Text),
            ("share_capital", Kind::Integer),
            ("share_capital_currency", Kind::Text),
            ("representatives", Kind::Text),
        ],
        rows: (1..=COMPANIES).map(row).collect(),
    }
}

fn row(number: u32) -> Vec<String> {
    let mut random = Random::for_row(SEED, "companies", u64::from(number));
    let (trade, code) = random.pick(TRADES);
    let (_, other_code) = random.pick(TRADES);
    let any_form = random.pick(&[
        "private limited",
        "private limited",
        "public limited",
        "partnership",
        "cooperative",
    ]);
    let legal_form = match number {
        1..=7 => "private limited",
        8 => "cooperative",
        _ => any_form,
    };
    let incorporated = match number {
        1 => date(2011, 4, 1),
        6 => date(1887, 2, 28),
        _ => TODAY.saturating_sub(i64::from(random.between(3, 18_000)).days()),
    };
    let status = match (number, random.below(25)) {
        (1..=6, _) => "active",
        (7, _) | (_, 0) => "dissolved",
        (_, 1) => "in liquidation",
        _ => "active",
    };
    let dissolved = if status == "dissolved" {
        incorporated
            .saturating_add(2.days())
            .max(date(2024, 3, 31))
            .min(TODAY)
            .to_string()
    } else {
        String::new()
    };
    let (locality, _, postal) = random.pick(names::TOWNS);
    let street = format!("{} {}", random.between(1, 300), random.pick(names::STREETS));
    let has_capital = !matches!(legal_form, "partnership" | "cooperative");
    vec![
        checked_id('C', number),
        legal_name(number, trade, &mut random),
        if random.chance(25) {
            format!("{trade} & Co;{trade} Direct")
        } else {
            String::new()
        },
        legal_form.to_owned(),
        incorporated.to_string(),
        status.to_owned(),
        dissolved,
        if number == 5 { String::new() } else { street },
        locality.to_owned(),
        format!("{postal}{:04}", random.between(0, 9_999)),
        "XA".to_owned(),
        if code == other_code {
            code.to_owned()
        } else {
            format!("{code};{other_code}")
        },
        if has_capital {
            (u64::from(random.between(1, 9_000)) * 1_000).to_string()
        } else {
            String::new()
        },
        // ISO 4217 keeps codes that begin with X apart from every country's; XTS is for tests.
        if has_capital { "XTS".to_owned() } else { String::new() },
        representatives(incorporated, &mut random),
    ]
}

fn legal_name(number: u32, trade: &str, random: &mut Random) -> String {
    match number {
        1 => "Temasuka Shipping Pte. Ltd.".to_owned(),
        2 => "O'Brookenfeld, Sons & \"Daughters\" Limited".to_owned(),
        3 => "新港欧阳湾船务有限公司".to_owned(),
        4 => format!(
            "The {} Company of Port Saga",
            "Honourable and Ancient Merchants' and Ferrymen's ".repeat(5).trim_end()
        ),
        6 => "شركة الميناوي للنسيج".to_owned(),
        8 => "மலைநகர் நெசவாளர் கூட்டுறவு".to_owned(),
        _ => {
            let ending = random.pick(&["Pte. Ltd.", "Limited", "& Partners", "Cooperative", "Holdings PLC"]);
            format!("{} {trade} {ending}", random.pick(names::FAMILY))
        }
    }
}

fn representatives(incorporated: Date, random: &mut Random) -> String {
    let mut lines = Vec::new();
    for role in ["director", "secretary", "director"]
        .iter()
        .take(random.between(1, 3) as usize)
    {
        let since = TODAY
            .saturating_sub(i64::from(random.between(1, 3_000)).days())
            .max(incorporated);
        lines.push(format!(
            "{} {}|{role}|{since}",
            random.pick(names::GIVEN),
            random.pick(names::FAMILY)
        ));
    }
    lines.join("\n")
}
