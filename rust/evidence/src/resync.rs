//! Where frames go on after damage.
//!
//! Any byte may be the beginning of the next frame, and a sender may have filled its records with
//! what looks like heads of long frames. So that such content costs no more than other, only the
//! first candidates are checked over their bytes; the checksums of further ones are computed from
//! those of two prefixes of the window: CRC-32C is linear, so that `crc(ab)` and `crc(a)` give
//! `crc(b)` by one multiplication with a power of x.

use std::ops::RangeInclusive;

use crate::frame::{FRAME_HEADER_BYTES, FrameHead, FrameKind, Salt};

/// The polynomial of CRC-32C, bits reversed.
const POLYNOMIAL: u32 = 0x82F6_3B78;
/// So many bytes are checked directly before prefixes are worth their cost.
const DIRECT_BYTES: usize = 1 << 20;
/// x⁰ in reversed bits.
const ONE: u32 = 1 << 31;

/// Looks in `window` from `from` up to `until` (exclusive) for a frame that fits in the window, has
/// a plausible sequence and the right checksum; gives its offset.
///
/// Frames about lost records are passed over: their sequence says nothing of where they stand.
pub(crate) fn find_frame(
    window: &[u8],
    from: usize,
    until: usize,
    salt: Salt,
    plausible: &RangeInclusive<u64>,
) -> Option<usize> {
    let mut direct = 0;
    let mut prefixes = None;
    (from..until.min(window.len())).find(|&offset| {
        let Ok(head) = FrameHead::read(&window[offset..]) else { return false };
        let end = offset + FRAME_HEADER_BYTES + head.len;
        if head.kind == FrameKind::Lost || end > window.len() || !plausible.contains(&head.sequence)
        {
            return false;
        }
        direct += head.len;
        if direct <= DIRECT_BYTES {
            return salt.checksum(&window[offset + 4..end]) == head.checksum;
        }
        let prefixes = prefixes.get_or_insert_with(|| Prefixes::new(window, from));
        prefixes.checksum(salt, offset + 4, end) == head.checksum
    })
}

/// Registers of the CRC, begun at 0, over each prefix of a window.
struct Prefixes {
    from: usize,
    registers: Vec<u32>,
    /// x to the power 8 · 2ⁿ.
    powers: [u32; 20],
}

impl Prefixes {
    fn new(window: &[u8], from: usize) -> Self {
        let table = byte_table();
        let mut registers = Vec::with_capacity(window.len() - from + 1);
        let mut register = 0_u32;
        registers.push(register);
        for byte in &window[from..] {
            register = register >> 8 ^ table[usize::from(register as u8 ^ byte)];
            registers.push(register);
        }
        let mut power = ONE >> 8;
        let powers = std::array::from_fn(|_| {
            let this = power;
            power = multiply(power, power);
            this
        });
        Self { from, registers, powers }
    }

    /// The salted checksum of the bytes from `start` to `end`, both counted in the window.
    fn checksum(&self, salt: Salt, start: usize, end: usize) -> u32 {
        let before = self.registers[start - self.from];
        let through = self.registers[end - self.from];
        // The register over the bytes alone, begun with the salt's instead of 0.
        let begun = before ^ !salt.seed();
        !(through ^ self.shift(begun, end - start))
    }

    /// The register after `len` zero bytes.
    fn shift(&self, register: u32, len: usize) -> u32 {
        let digits = self.powers.iter().enumerate().filter(|(digit, _)| len >> digit & 1 == 1);
        digits.fold(register, |register, (_, power)| multiply(register, *power))
    }
}

/// Product of two polynomials modulo that of CRC-32C.
fn multiply(a: u32, mut b: u32) -> u32 {
    let mut product = 0;
    let mut digit = ONE;
    while digit != 0 {
        if a & digit != 0 {
            product ^= b;
        }
        b = if b & 1 == 1 { b >> 1 ^ POLYNOMIAL } else { b >> 1 };
        digit >>= 1;
    }
    product
}

fn byte_table() -> [u32; 256] {
    std::array::from_fn(|byte| {
        let mut register = byte as u32;
        for _ in 0..8 {
            register = if register & 1 == 1 { register >> 1 ^ POLYNOMIAL } else { register >> 1 };
        }
        register
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::frame::{BODY_BYTES_MAX, begin_frame, put_frame};

    fn salt() -> Salt {
        Salt::new(b"an id of 16 byte")
    }

    proptest! {
        #[test]
        fn checksums_by_prefixes_are_those_over_the_bytes(
            window in prop::collection::vec(any::<u8>(), 8..2000), a: prop::sample::Index, b: prop::sample::Index,
        ) {
            let (a, b) = (a.index(window.len()), b.index(window.len()));
            let (start, end) = (a.min(b), a.max(b));
            let prefixes = Prefixes::new(&window, start / 2);
            prop_assert_eq!(prefixes.checksum(salt(), start, end), salt().checksum(&window[start..end]));
        }

        #[test]
        fn the_next_frame_is_found_behind_any_bytes(
            noise in prop::collection::vec(any::<u8>(), 0..600), body in prop::collection::vec(any::<u8>(), 0..600),
        ) {
            let mut window = noise.clone();
            put_frame(&mut window, salt(), 9, FrameKind::Whole, &body);
            prop_assert_eq!(find_frame(&window, 0, window.len(), salt(), &(5..=9)), Some(noise.len()));
            prop_assert_eq!(find_frame(&window, 0, window.len(), salt(), &(10..=99)), None);
            prop_assert_eq!(find_frame(&window, 0, window.len(), Salt::new(&[0; 16]), &(5..=9)), None);
        }
    }

    #[test]
    fn heads_of_long_frames_in_hostile_content_cost_no_more() {
        let mut head = Vec::new();
        begin_frame(&mut head, 7, FrameKind::Whole);
        head[4..8].copy_from_slice(&(BODY_BYTES_MAX as u32).to_le_bytes());
        let window = head.repeat((1 << 20) / head.len());
        // Computed over their bytes, 46,000 candidates would be 12 GB each time.
        for _ in 0..20 {
            assert_eq!(find_frame(&window, 0, window.len(), salt(), &(0..=9)), None);
        }
    }
}
