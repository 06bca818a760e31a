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
