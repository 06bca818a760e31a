//! Finds many literals in a text at once: all of them, overlapping ones too.
//!
//! Of each literal four bytes in a row stand for it, those that the fewest others have. The text is
//! gone over once; each four bytes of it are looked up in a set of bits that fits the processor's
//! nearest cache, and only where one is set are literals compared. So what a text costs hardly
//! depends on how many literals there are. Shorter literals are left to an automaton.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind, packed};

/// Bytes that stand for a literal.
const GRAM: usize = 4;
/// So few literals are first sought many bytes at a time, only to see whether there is one.
const FEW: usize = 32;
/// Shorter texts are gone over at once.
const FILTERED_BYTES_MIN: usize = 32;
/// Bits of the set.
const BITS: usize = 1 << 16;

/// Where a literal stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub literal: u32,
    pub start: usize,
    pub end: usize,
}

/// Literals, ready to be found.
#[derive(Debug)]
pub struct Literals {
    texts: Box<[Box<str>]>,
    seen: Box<[u64]>,
    /// By gram: where its literals are in `holders`. A power of two of places, each filled from
    /// its hash on.
    grams: Box<[Option<(u32, u32, u32)>]>,
    /// Literals by their grams, and where in the literal the gram stands.
    holders: Box<[(u32, u32)]>,
    short: Option<(AhoCorasick, Box<[u32]>)>,
    filter: Option<packed::Searcher>,
    /// All are of ASCII alone.
    pub is_ascii: bool,
}

impl Literals {
    /// Makes literals ready; an empty one is never found. Nothing where the automaton of the short
    /// ones would be too large.
    pub fn new(texts: Vec<Box<str>>) -> Option<Self> {
        let mut counts: HashMap<[u8; GRAM], u32> = HashMap::new();
        for gram in texts.iter().flat_map(|text| text.as_bytes().array_windows::<GRAM>()) {
            *counts.entry(*gram).or_default() += 1;
        }
        let mut by_gram: HashMap<u32, Vec<(u32, u32)>> = HashMap::new();
        let mut short = (Vec::new(), Vec::new());
        for (literal, text) in texts.iter().enumerate() {
            let grams = text.as_bytes().array_windows::<GRAM>().enumerate();
            match grams.min_by_key(|(_, gram)| counts[*gram]) {
                Some((offset, gram)) => {
                    let holder = (literal as u32, offset as u32);
                    by_gram.entry(u32::from_le_bytes(*gram)).or_default().push(holder);
                }
                None if text.is_empty() => {}
                None => {
                    short.0.push(text.as_bytes());
                    short.1.push(literal as u32);
                }
            }
        }
        let automaton = || {
            let mut builder = AhoCorasick::builder();
            let search = builder.match_kind(MatchKind::Standard).build(&short.0).ok()?;
            Some((search, short.1.into()))
        };
        let short = if short.0.is_empty() { None } else { Some(automaton()?) };
        let is_few = texts.len() <= FEW && texts.iter().all(|text| !text.is_empty());
        let filter = || packed::Searcher::new(texts.iter().map(|text| text.as_bytes()));
        let filter = if is_few { filter() } else { None };
        let mut made = Self {
            filter,
            is_ascii: texts.iter().all(|text| text.is_ascii()),
            seen: vec![0; BITS / 64].into(),
            grams: vec![None; (by_gram.len() * 2).next_power_of_two().max(2)].into(),
            holders: Box::default(),
            texts: texts.into(),
            short,
        };
        let mut holders = Vec::new();
        for (gram, literals) in by_gram {
            let begin = holders.len() as u32;
            holders.extend(literals);
            made.add(gram, begin, holders.len() as u32);
        }
        made.holders = holders.into();
        Some(made)
    }

    fn add(&mut self, gram: u32, begin: u32, end: u32) {
        let hash = hash(gram);
        self.seen[hash / 64] |= 1 << (hash % 64);
        let mut at = hash & (self.grams.len() - 1);
        while self.grams[at].is_some() {
            at = (at + 1) & (self.grams.len() - 1);
        }
        self.grams[at] = Some((gram, begin, end));
    }

    /// True where certainly no literal stands in the text.
    pub fn rejects(&self, text: &str) -> bool {
        self.filter.as_ref().is_some_and(|filter| filter.find(text).is_none())
    }

    /// Tells every place at which a literal stands.
    pub fn find(&self, text: &str, tell: &mut impl FnMut(Place)) {
        let bytes = text.as_bytes();
        if bytes.len() >= FILTERED_BYTES_MIN && self.rejects(text) {
            return;
        }
        for (at, gram) in bytes.array_windows::<GRAM>().enumerate() {
            let gram = u32::from_le_bytes(*gram);
            let hash = hash(gram);
            if self.seen[hash / 64] & 1 << (hash % 64) != 0 {
                self.compare(bytes, at, gram, hash, tell);
            }
        }
        if let Some((search, literals)) = &self.short {
            for found in search.find_overlapping_iter(text) {
                let literal = literals[found.pattern().as_usize()];
                tell(Place { literal, start: found.start(), end: found.end() });
            }
        }
    }

    /// Compares the literals of a gram that stands at `at`.
    #[cold]
    fn compare(
        &self,
        bytes: &[u8],
        at: usize,
        gram: u32,
        hash: usize,
        tell: &mut impl FnMut(Place),
    ) {
        let mut place = hash & (self.grams.len() - 1);
        while let Some((known, begin, end)) = self.grams[place] {
            if known != gram {
                place = (place + 1) & (self.grams.len() - 1);
                continue;
            }
            for (literal, offset) in &self.holders[begin as usize..end as usize] {
                let text = self.texts[*literal as usize].as_bytes();
                let Some(start) = at.checked_sub(*offset as usize) else { continue };
                if bytes[start..].starts_with(text) {
                    tell(Place { literal: *literal, start, end: start + text.len() });
                }
            }
            return;
        }
    }
}

fn hash(gram: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1) >> 16) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_literal_is_found_at_every_place(
            texts in prop::collection::btree_set("[ab√]{1,7}", 0..12),
            text in "[ab√]{0,30}",
        ) {
            let texts: Vec<Box<str>> = texts.into_iter().map(Into::into).collect();
            let literals = Literals::new(texts.clone()).unwrap();
            let mut found = Vec::new();
            literals.find(&text, &mut |place| found.push((place.literal, place.start, place.end)));
            found.sort_unstable();
            let mut wanted = Vec::new();
            for (literal, sought) in texts.iter().enumerate() {
                let here = |at: &usize| text.as_bytes()[*at..].starts_with(sought.as_bytes());
                let starts = (0..text.len()).filter(here);
                wanted.extend(starts.map(|start| (literal as u32, start, start + sought.len())));
            }
            prop_assert_eq!(found, wanted);
        }
    }
}
