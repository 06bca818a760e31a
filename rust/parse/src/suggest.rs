//! "Did you mean": the known name nearest to one that is not known.

/// The nearest of `names`, if it is near enough to be meant.
pub(crate) fn nearest<'a>(
    given: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = given.chars().count() / 3 + 1;
    names
        .into_iter()
        .map(|name| (distance(given, name), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// A sentence for a problem's mend: the nearest name, or all of them.
pub(crate) fn did_you_mean<'a>(
    given: &str,
    names: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    match nearest(given, names.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("there are {}", names.into_iter().collect::<Vec<_>>().join(", ")),
    }
}

/// Levenshtein's distance, ASCII case aside.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.to_lowercase().chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_named_only_where_it_is_near() {
        let names = ["windows_event", "zeek", "json"];
        assert_eq!(nearest("window_event", names), Some("windows_event"));
        assert_eq!(nearest("jsno", names), Some("json"));
        assert_eq!(nearest("cisco_asa", names), None);
    }
}
