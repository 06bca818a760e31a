//! What a byte can be a part of.

use super::kind::is_name_byte;

/// A name of a host or file.
pub(super) const NAME: u16 = 1;
/// Marks that belong to the sentence rather than to the name in it.
pub(super) const MARK: u16 = 1 << 1;
/// A hash, or an IPv6 address.
pub(super) const RUN: u16 = 1 << 2;
/// An IPv6 address whose end may be written as IPv4.
pub(super) const ADDRESS: u16 = 1 << 3;
/// The part of a mail address before the `@`, without what RFC 5322 allows there and nobody uses:
/// `user=eve@mail.example` names eve.
pub(super) const MAILBOX: u16 = 1 << 4;
/// A URL.
pub(super) const URL: u16 = 1 << 5;
/// What ends a sentence or a bracket rather than a URL.
pub(super) const STOP: u16 = 1 << 6;
/// A decimal number.
pub(super) const DIGIT: u16 = 1 << 7;
/// A scheme.
pub(super) const LETTER: u16 = 1 << 8;
/// A word that a hash or an address would be a part of.
pub(super) const WORD: u16 = 1 << 9;

static CLASSES: [u16; 256] = classes();

/// Whether a byte is of a class.
#[inline]
pub(super) fn is(byte: u8, class: u16) -> bool {
    CLASSES[byte as usize] & class != 0
}

const fn classes() -> [u16; 256] {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    loop {
        classes[byte as usize] = of(byte);
        if byte == u8::MAX {
            return classes;
        }
        byte += 1;
    }
}

const fn of(byte: u8) -> u16 {
    let is_word = byte.is_ascii_alphanumeric() || byte >= 0x80;
    let is_hex = byte.is_ascii_hexdigit();
    let mark = matches!(byte, b'.' | b'-' | b'_');
    let breaks_url = matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'|' | b'`' | b'\\' | b'{' | b'}');
    let stops = matches!(byte, b'.' | b',' | b';' | b')' | b']' | b'!');
    given(is_name_byte(byte), NAME)
        | given(mark, MARK)
        | given(is_hex || byte == b':', RUN)
        | given(is_hex || byte == b':' || byte == b'.', ADDRESS)
        | given(is_word || mark || byte == b'+' || byte == b'%', MAILBOX)
        | given(byte > b' ' && byte != 0x7f && !breaks_url, URL)
        | given(stops, STOP)
        | given(byte.is_ascii_digit(), DIGIT)
        | given(byte.is_ascii_alphabetic(), LETTER)
        | given(is_word, WORD)
}

const fn given(holds: bool, class: u16) -> u16 {
    if holds { class } else { 0 }
}
