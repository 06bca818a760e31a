//! "Did you mean …": the known word nearest to a misspelt one.

/// Words longer than this are no misspellings of ours; it bounds the work on hostile input.
const MAX_WORD: usize = 64;

/// The candidate nearest to `word`, if one is near enough to be what was meant.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word: Vec<char> = word.chars().take(MAX_WORD + 1).flat_map(char::to_lowercase).collect();
    if word.is_empty() || word.len() > MAX_WORD {
        return None;
    }
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_WORD)
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, candidate)| {
            let (short, long) = (word.len().min(candidate.len()), word.len().max(candidate.len()));
            *distance < short && *distance <= (long / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean "x"?`, or `otherwise` where nothing is near.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: impl Into<String>,
) -> String {
    closest(word, candidates)
        .map_or_else(|| otherwise.into(), |candidate| format!("did you mean {candidate:?}?"))
}

/// `did you mean "x"?`, or all the candidates where none is near.
pub fn one_of<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    closest(word, candidates.clone()).map_or_else(
        || format!("there are {}", candidates.into_iter().collect::<Vec<_>>().join(", ")),
        |candidate| format!("did you mean {candidate:?}?"),
    )
}

/// Edit distance with neighbours swapped as one step (optimal string alignment).
fn distance(word: &[char], candidate: &str) -> usize {
    let other: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in word.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut best = (last[j] + usize::from(a != b)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == other[j - 1] && word[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let known = ["contains", "startswith", "endswith", "re", "cidr"];
        for (word, expected) in [
            ("contain", Some("contains")),
            ("startwith", Some("startswith")),
            ("endsWith", Some("endswith")),
            ("cdir", Some("cidr")),
            ("regex", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(closest(word, known), expected, "{word:?}");
        }
    }
}
