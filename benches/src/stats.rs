//! Minimum, maximum and median.

/// The middle value, or the upper of the two in the middle.
pub fn median<T: Copy + PartialOrd>(values: &[T]) -> T {
    let sorted = sorted(values);
    sorted[sorted.len() / 2]
}

pub fn min<T: Copy + PartialOrd>(values: &[T]) -> T {
    sorted(values)[0]
}

pub fn max<T: Copy + PartialOrd>(values: &[T]) -> T {
    sorted(values)[values.len() - 1]
}

fn sorted<T: Copy + PartialOrd>(values: &[T]) -> Vec<T> {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).expect("measurements are numbers"));
    sorted
}
