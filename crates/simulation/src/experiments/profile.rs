//! Embeddings that stand at given angles to the requirements' own.

use symphony_protocol::embedding::Embedding;

/// Length of a made embedding: whole numbers of this size keep its angles to four digits.
const LENGTH: f64 = 20_000.0;

type Vector = [f64; Embedding::DIMENSION];

/// An embedding whose cosine with the first requirement is `cosines[0]` and with the second `cosines[1]`; the nearest one if
/// no vector has both.
pub(crate) fn at_angles(requirements: &[Embedding; 2], cosines: [f64; 2]) -> Embedding {
    let first = unit(&vector(&requirements[0]));
    let second = vector(&requirements[1]);
    // An orthonormal basis of the plane of the requirements, and one direction outside it.
    let along = dot(&unit(&second), &first);
    let across = unit(&minus(&unit(&second), &first, along));
    let depth = dot(&unit(&second), &across);
    let outside = (0..Embedding::DIMENSION)
        .map(|place| {
            let mut axis = [0.0; Embedding::DIMENSION];
            axis[place] = 1.0;
            let flat = minus(&axis, &first, dot(&axis, &first));
            minus(&flat, &across, dot(&flat, &across))
        })
        .max_by(|left, right| dot(left, left).total_cmp(&dot(right, right)))
        .map_or([0.0; Embedding::DIMENSION], |rest| unit(&rest));
    let (x, y) = (cosines[0], (cosines[1] - along * cosines[0]) / depth);
    let square = x * x + y * y;
    let (x, y, z) = if square > 1.0 {
        (x / square.sqrt(), y / square.sqrt(), 0.0)
    } else {
        (x, y, (1.0 - square).sqrt())
    };
    let mut numbers = [0; Embedding::DIMENSION];
    for (place, number) in numbers.iter_mut().enumerate() {
        let sum = x * first[place] + y * across[place] + z * outside[place];
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a coordinate of a vector of this length fits 16 bits"
        )]
        let whole = (LENGTH * sum).round() as i16;
        *number = whole;
    }
    Embedding::from_numbers(numbers)
}

fn vector(embedding: &Embedding) -> Vector {
    embedding.numbers().map(f64::from)
}

fn dot(left: &Vector, right: &Vector) -> f64 {
    let mut sum = 0.0;
    for (left, right) in left.iter().zip(right) {
        sum += left * right;
    }
    sum
}

fn unit(vector: &Vector) -> Vector {
    let length = dot(vector, vector).sqrt();
    vector.map(|number| number / length)
}

/// `left − share·right`.
fn minus(left: &Vector, right: &Vector, share: f64) -> Vector {
    let mut result = *left;
    for (number, right) in result.iter_mut().zip(right) {
        *number -= share * right;
    }
    result
}

#[cfg(test)]
mod tests {
    use symphony_protocol::embedding::{Embedding, cosine};

    use super::at_angles;

    #[test]
    fn an_embedding_has_the_angles_that_were_asked_for() {
        let requirements = ["simple", "hard"].map(Embedding::of_text);
        for cosines in [[0.56, 0.665], [0.665, 0.14], [0.0, 0.0], [0.42, 0.63]] {
            let made = at_angles(&requirements, cosines);
            for (requirement, wanted) in requirements.iter().zip(cosines) {
                let found = cosine(&made, requirement);
                assert!((found - wanted).abs() < 1e-3, "{found} instead of {wanted}");
            }
        }
    }
}
