//! Sets of rules as words of bits.

/// Words for so many rules.
pub fn words(rules: usize) -> usize {
    rules.div_ceil(64)
}

/// All rules.
pub fn full(rules: usize) -> Vec<u64> {
    let mut all = vec![u64::MAX; words(rules)];
    if let (Some(last), true) = (all.last_mut(), !rules.is_multiple_of(64)) {
        *last = (1 << (rules % 64)) - 1;
    }
    all
}

/// Adds a rule.
pub fn set(bits: &mut [u64], rule: u32) {
    bits[rule as usize / 64] |= 1 << (rule % 64);
}

/// Takes a rule out.
pub fn clear(bits: &mut [u64], rule: u32) {
    bits[rule as usize / 64] &= !(1 << (rule % 64));
}

/// A set of few rules: the words that have any, with their places.
#[derive(Debug, Default)]
pub struct Sparse(Box<[(u32, u64)]>);

impl Sparse {
    /// The same set.
    pub fn new(bits: &[u64]) -> Self {
        let words = bits.iter().enumerate().filter(|(_, word)| **word != 0);
        Self(words.map(|(at, word)| (at as u32, *word)).collect())
    }

    /// True where some rule is in both.
    pub fn meets(&self, bits: &[u64]) -> bool {
        self.0.iter().any(|(at, word)| bits[*at as usize] & word != 0)
    }

    /// How many rules.
    pub fn len(&self) -> u32 {
        self.0.iter().map(|(_, word)| word.count_ones()).sum()
    }
}

/// Keeps what `other` has, too.
pub fn keep(bits: &mut [u64], other: &[u64]) {
    bits.iter_mut().zip(other).for_each(|(own, other)| *own &= other);
}

/// Keeps what either of two others has, too.
pub fn keep_either(bits: &mut [u64], one: &[u64], other: &[u64]) {
    bits.iter_mut().zip(one).zip(other).for_each(|((own, one), other)| *own &= one | other);
}

/// Adds what `other` has.
pub fn add(bits: &mut [u64], other: &[u64]) {
    bits.iter_mut().zip(other).for_each(|(own, other)| *own |= other);
}

/// The rules in ascending order.
pub fn rules(bits: &[u64]) -> impl Iterator<Item = u32> {
    bits.iter().enumerate().flat_map(|(word, bits)| {
        let mut rest = *bits;
        std::iter::from_fn(move || {
            let bit = rest.trailing_zeros();
            (rest != 0).then(|| {
                rest &= rest - 1;
                word as u32 * 64 + bit
            })
        })
    })
}
