//! Which of several forms a client is given ([RFC 9110, proactive
//! negotiation](https://www.rfc-editor.org/rfc/rfc9110#name-proactive-negotiation)).

use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::header;

/// How much a client wants something, in thousandths as `q` has them.
type Quality = u16;

/// The form with the media type that `Accept` wants most, the first of them where it wants several alike. Without
/// `Accept` the first one; `None` if the client wants none of them.
pub(super) fn choose<T: Copy>(asked: &HeaderMap, forms: &[(&'static str, T)]) -> Option<(&'static str, T)> {
    let accept: Vec<&str> = asked
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value: &HeaderValue| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    if accept.is_empty() {
        return forms.first().copied();
    }
    let mut best = None;
    for form in forms {
        let wanted = quality(&accept, form.0);
        if wanted > best.map_or(0, |(quality, _)| quality) {
            best = Some((wanted, *form));
        }
    }
    best.map(|(_, form)| form)
}

/// By the most specific range that the media type falls in; 0 if it falls in none.
fn quality(accept: &[&str], media_type: &str) -> Quality {
    let whole_type = media_type.split('/').next().unwrap_or_default();
    let mut found = (0, 0);
    for range in accept {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let specific = match name.as_str() {
            exact if exact == media_type => 3,
            "*/*" => 1,
            other if other.strip_suffix("/*") == Some(whole_type) => 2,
            _ => continue,
        };
        let told = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        // What is no number is not wanted.
        let quality = told.map_or(1_000, |text| thousandths(text).unwrap_or(0));
        found = found.max((specific, quality));
    }
    found.1
}

/// `0`, `0.5`, `0.123`, `1`, `1.000`.
fn thousandths(text: &str) -> Option<Quality> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_fraction = fraction.len() <= 3 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let fraction: Quality = format!("{fraction:0<3}").parse().ok().filter(|_| is_fraction)?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [(&str, char); 3] = [
        ("application/a+jwt", 'j'),
        ("application/a+cwt", 'c'),
        ("application/b", 'b'),
    ];

    fn chosen(accept: &[&str]) -> Option<char> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        choose(&headers, &FORMS).map(|(_, form)| form)
    }

    #[test]
    fn the_form_that_is_wanted_most_is_given() {
        for (accept, form) in [
            (&[][..], 'j'),
            (&["*/*"], 'j'),
            (&["application/*"], 'j'),
            (&["application/a+cwt"], 'c'),
            (&["Application/A+CWT"], 'c'),
            (&["text/html, application/b;q=0.1"], 'b'),
            (&["text/html", "application/b"], 'b'),
            (&["application/a+jwt;q=0.5, application/a+cwt;q=0.501"], 'c'),
            (&["application/b, application/a+cwt"], 'c'),
            // The more specific range counts, whatever its order.
            (&["application/a+jwt;q=0, */*"], 'c'),
            (&["*/*;q=0.8, application/a+jwt;q=0.1, application/*;q=0.2"], 'c'),
            (&["application/b; charset=utf-8; Q=1.000"], 'b'),
        ] {
            assert_eq!(chosen(accept), Some(form), "{accept:?}");
        }
    }

    #[test]
    fn what_is_not_wanted_is_not_given() {
        for accept in [
            "text/html",
            "application/a",
            "*/*;q=0",
            "*/*;q=0.0000",
            "application/b;q=2",
            "application/b;q=-1",
            "application/b;q=",
            "application",
            "",
            ";;,;q=1",
        ] {
            assert_eq!(chosen(&[accept]), None, "{accept:?}");
        }
    }
}
