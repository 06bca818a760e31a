//! Bytes that a device had to escape, back as text.

use std::fmt::Write as _;

/// Adds bytes as text; those that are no UTF-8 as `\xhh`.
pub(super) fn push_escaped(bytes: &[u8], text: &mut String) {
    push(bytes, text, |byte, text| {
        write!(text, "\\x{byte:02x}").expect("a String takes all");
    });
}

/// Adds bytes as text; those that are no UTF-8 as the character of Latin-1.
pub(super) fn push_latin1(bytes: &[u8], text: &mut String) {
    push(bytes, text, |byte, text| text.push(char::from(byte)));
}

fn push(bytes: &[u8], text: &mut String, invalid: fn(u8, &mut String)) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            invalid(*byte, text);
        }
    }
}

/// Takes the backslash before each of `known` away; `n` and `r` become line ends.
pub(super) fn unescaped<'a>(value: &'a str, known: &str, buffer: &'a mut String) -> &'a str {
    if !value.contains('\\') {
        return value;
    }
    buffer.clear();
    let mut rest = value;
    while let Some(slash) = rest.find('\\') {
        buffer.push_str(&rest[..slash]);
        let next = rest[slash + 1..].chars().next();
        let Some(escaped) = next.filter(|next| known.contains(*next)) else {
            buffer.push('\\');
            rest = &rest[slash + 1..];
            continue;
        };
        buffer.push(match escaped {
            'n' => '\n',
            'r' => '\r',
            other => other,
        });
        rest = &rest[slash + 1 + escaped.len_utf8()..];
    }
    buffer.push_str(rest);
    buffer
}
