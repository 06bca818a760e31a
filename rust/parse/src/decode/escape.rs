//! Bytes that a device had to escape, back as text.

use std::fmt::Write as _;

/// Adds bytes as text; those that are no UTF-8 as `\xhh`.
pub(super) fn push_bytes(bytes: &[u8], text: &mut String) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            write!(text, "\\x{byte:02x}").expect("a String takes all");
        }
    }
}
