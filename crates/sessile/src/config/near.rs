//! The word that was meant.

/// The candidate that is nearest to what was written, if one is near enough to be meant.
pub(super) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // More than two thirds of it have to be right; a short word may have one mistake.
    let most = (written.chars().count() / 3).max(1);
    let candidates = candidates.into_iter();
    let near = candidates.map(|candidate| (distance(written, candidate), candidate));
    near.filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters to insert, leave out, replace or swap with their neighbour, without regard to
/// case and to `-` for `_`: optimal string alignment.
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| -> Vec<char> {
        let lower = text.chars().flat_map(char::to_lowercase);
        lower.map(|c| if c == '-' { '_' } else { c }).collect()
    };
    let (a, b) = (letters(a), letters(b));
    // What the last two rows of the table were.
    let (mut before, mut last) = (Vec::new(), (0..=b.len()).collect::<Vec<_>>());
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                let swapped: usize = before[j - 2];
                row[j] = row[j].min(swapped + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_mistakes() {
        for (a, b, mistakes) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("stikcy", "sticky", 1),
            ("same-site", "same_site", 0),
            ("HS256", "hs256", 0),
            ("élan", "elan", 1),
        ] {
            assert_eq!(distance(a, b), mistakes, "{a} {b}");
            assert_eq!(distance(b, a), mistakes, "{b} {a}");
        }
    }

    #[test]
    fn what_is_not_near_is_not_guessed() {
        let words = ["sticky", "stored", "token"];
        assert_eq!(nearest("stciky", words), Some("sticky"));
        assert_eq!(nearest("redis", words), None);
        assert_eq!(nearest("", words), None);
    }
}
