//! What a scalar is, by the core schema of YAML 1.2.
//!
//! `yes`, `no`, `on`, `off`, dates and sexagesimal numbers are text here, as their authors mean
//! them in rules; YAML 1.1 readers would turn them into something else.

use saphyr_parser::{ScalarStyle, Tag};

use super::tree::Data;

/// Resolves a scalar from its text, style and tag.
pub(crate) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Data {
    let core_tag = tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
    let literal = match core_tag {
        Some("str") => true,
        Some(_) => false,
        None => style != ScalarStyle::Plain || tag.is_some(),
    };
    if literal {
        return Data::Text(text.into());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Data::Null,
        "true" | "True" | "TRUE" => Data::Bool(true),
        "false" | "False" | "FALSE" => Data::Bool(false),
        _ if is_number(text) => Data::Number(text.into()),
        _ => Data::Text(text.into()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str, is: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|b| is(&b));
    if let Some(hex) = text.strip_prefix("0x") {
        return digits(hex, u8::is_ascii_hexdigit);
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return digits(octal, |byte| (b'0'..=b'7').contains(byte));
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    // The standard library also reads `inf` and `nan`, which are no numbers to compare with.
    unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().any(|byte| byte.is_ascii_digit())
        && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        let kind = |text| match resolve(text, ScalarStyle::Plain, None) {
            Data::Null => 'z',
            Data::Bool(_) => 'b',
            Data::Number(_) => 'n',
            _ => 's',
        };
        for (text, expected) in [
            ("", 'z'),
            ("~", 'z'),
            ("True", 'b'),
            ("yes", 's'),
            ("4624", 'n'),
            ("-1.5e3", 'n'),
            ("0x1410", 'n'),
            ("0xg", 's'),
            ("0o17", 'n'),
            (".5", 'n'),
            (".", 's'),
            ("-", 's'),
            (".inf", 's'),
            ("inf", 's'),
            ("nan", 's'),
            ("2024-01-01", 's'),
            ("12:30:00", 's'),
            ("1.2.3", 's'),
        ] {
            assert_eq!(kind(text), expected, "{text:?}");
        }
    }
}
