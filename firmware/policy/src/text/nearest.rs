//! Which known name was meant by an unknown one.

/// The longest name that is compared in full; of a longer one only so much counts.
const NAME_MAX: usize = 64;

/// The known name with the fewest letters to change; of equals the first. `None` if there is no known name.
#[must_use]
pub fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known.into_iter().min_by_key(|name| distance(unknown, name))
}

/// Whether one name is so near the other that it is likely the one that was meant: one letter in three may differ.
#[must_use]
pub fn likely(unknown: &str, known: &str) -> bool {
    distance(unknown, known) * 3 <= known.len()
}

/// How many letters must be added, left out, replaced or swapped with their neighbour to make one name the other.
fn distance(one: &str, other: &str) -> usize {
    let [one, other] = [one, other].map(|name| name.chars().take(NAME_MAX).collect::<Vec<_>>());
    let mut before_last = vec![0; other.len() + 1];
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let replaced = last[j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(before_last[j - 2] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_added_left_out_replaced_or_swapped_count_one_each() {
        let pairs = [
            ("grace", "grace"),
            ("grace", "graace"),
            ("grace", "grce"),
            ("grace", "grade"),
            ("grace", "garce"),
            ("", "abc"),
        ];
        assert_eq!(pairs.map(|(a, b)| distance(a, b)), [0, 1, 1, 1, 1, 3]);
    }

    #[test]
    fn the_nearest_name_is_the_one_that_was_meant() {
        assert_eq!(nearest("postur", ["links", "posture", "store"]), Some("posture"));
        assert_eq!(nearest("anything", []), None);
    }

    #[test]
    fn a_name_of_any_length_is_compared_in_bounded_time() {
        assert_eq!(nearest(&"x".repeat(200_000), ["links"]), Some("links"));
    }
}
