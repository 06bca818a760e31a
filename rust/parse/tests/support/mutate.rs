//! Changes inputs at random, by a seed, with an eye for what readers trip over. The same file serves
//! the tests of several crates.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// What stands where a number, a length or an end is expected.
const PIECES: &[&[u8]] = &[
    b"0",
    b"-1",
    b"99999999999999999999",
    b"2147483647",
    b"2147483649",
    b"18446744073709551616",
    b"\0",
    b"\n",
    b"\r\n",
    b"\n<34>",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b"=",
    b"|",
    b"\t",
    b" ",
    b"<",
    b">",
    b":",
    b"\xff",
    b"\xc3",
    "\u{feff}".as_bytes(),
    "\u{202e}".as_bytes(),
    &[0xff; 8],
    &[0; 8],
    &[0xff, 0xff, 0xff, 0x7f],
];

/// Inputs tried at least, however slow the machine.
const LEAST: u64 = 50;

/// Tries `target` with changed `seeds` for 2 s, with `BIGSEC_SOAK=1` for 60 s. An input that makes
/// it panic is saved and named.
pub fn fuzz(name: &str, seeds: &[Vec<u8>], mut target: impl FnMut(&[u8])) {
    assert!(!seeds.is_empty(), "{name} has nothing to begin with");
    let soak = std::env::var("BIGSEC_SOAK").is_ok_and(|value| value == "1");
    let seed = std::env::var("BIGSEC_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(5);
    let mut dice = Dice(seed);
    let end = Instant::now() + Duration::from_secs(if soak { 60 } else { 2 });
    let mut tried = 0_u64;
    while tried < LEAST || Instant::now() < end {
        let input = changed(seeds, &mut dice);
        if catch_unwind(AssertUnwindSafe(|| target(&input))).is_err() {
            let path = std::env::temp_dir().join(format!("{name}-{seed}-{tried}.bin"));
            std::fs::write(&path, &input).expect("it can be saved");
            panic!("{name} panics (BIGSEC_SEED={seed}); the input is in {}", path.display());
        }
        tried += 1;
    }
    println!("{name}: {tried} inputs, BIGSEC_SEED={seed}");
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

fn changed(seeds: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut input = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(6) {
        let at = dice.below(input.len() + 1);
        let end = at + dice.below((input.len() - at).min(64) + 1);
        match dice.below(8) {
            0 if at < input.len() => input[at] ^= 1 << dice.below(8),
            1 if at < input.len() => input[at] = dice.below(256) as u8,
            2 => input.truncate(at),
            3 => drop(input.drain(at..end)),
            4 => {
                let again = input[at..end].repeat(1 + dice.below(40));
                input.splice(at..at, again);
            }
            5 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len() + 1);
                input.splice(at.., other[from..].iter().copied());
            }
            6 => drop(input.splice(at..end, PIECES[dice.below(PIECES.len())].iter().copied())),
            _ => drop(input.splice(at..at, PIECES[dice.below(PIECES.len())].iter().copied())),
        }
    }
    input
}
