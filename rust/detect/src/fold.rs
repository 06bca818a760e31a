//! Text compared without case: each character's simple lower-case form.

/// Appends `text` in lower case. Characters whose lower case is more than one stay as they are.
pub(crate) fn fold_into(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        out[start..].make_ascii_lowercase();
        return;
    }
    let mut rest = text;
    loop {
        let ascii = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
        let start = out.len();
        out.push_str(&rest[..ascii]);
        out[start..].make_ascii_lowercase();
        let mut chars = rest[ascii..].chars();
        let Some(next) = chars.next() else { return };
        out.push(fold_char(next));
        rest = chars.as_str();
    }
}

fn fold_char(c: char) -> char {
    let mut lower = c.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}

/// Appends `text` with ASCII letters in lower case; true where an ASCII literal that stands in the
/// folded text stands there, too.
pub(crate) fn fold_ascii_into(text: &str, out: &mut String) -> bool {
    let start = out.len();
    out.push_str(text);
    out[start..].make_ascii_lowercase();
    // The one character beyond ASCII whose lower case is ASCII.
    text.is_ascii() || !text.contains('\u{212a}')
}

/// `text` in lower case.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_character_is_folded_by_itself(text in "[aKÉé\u{212a}İßΣ中]{0,12}") {
            prop_assert_eq!(fold(&text), text.chars().map(fold_char).collect::<String>());
        }
    }

    #[test]
    fn no_other_character_becomes_ascii() {
        let beyond = ('\u{80}'..=char::MAX).filter(|c| fold_char(*c).is_ascii());
        assert_eq!(beyond.collect::<String>(), "\u{212a}");
    }
}
