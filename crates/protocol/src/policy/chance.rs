//! How a policy with chance chooses one of the candidates that are eligible, and how likely that was.
//!
//! Spec: CHANCE-10 to CHANCE-12.

use symphony_transparency::PublicKey;

use crate::chance::Stream;
use crate::number::{PPM, dot, normalised, ratio_ppm};
use crate::policy::{Context, DIMENSION};

/// Samples of the weights that vote at each pick. The importance weight of a pick is never above this.
pub(super) const SAMPLES: u32 = 256;

/// What stands on the diagonal of a root in place of a square that rounding made too small, before the square root.
const SQUARE_MIN: f64 = 1e-12;

/// Elements of a root above this in magnitude are no result of a model that learned: they count as 0.
const ELEMENT_MAX: f64 = 9_007_199_254_740_992.0;

/// Which candidate is chosen, and the probability of that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Drawn {
    /// Its index among the candidates that were given.
    pub(super) index: usize,
    /// Above 0 and at most 1.
    pub(super) propensity: f64,
}

/// One of so many, evenly. Spec: CHANCE-10.
pub(super) fn evenly(count: usize, stream: &mut Stream) -> Option<Drawn> {
    (count > 0).then(|| Drawn {
        index: place(count, stream),
        propensity: 1.0 / number(count),
    })
}

/// The greedy choice, or now and then any. Spec: CHANCE-11.
pub(super) fn greedy_or_any(
    greedy: usize,
    count: usize,
    epsilon_ppm: u32,
    stream: &mut Stream,
) -> Drawn {
    let index = if stream.below(PPM.into()) < u64::from(epsilon_ppm) {
        place(count, stream)
    } else {
        greedy
    };
    Drawn {
        index,
        propensity: share_of(index == greedy, count, epsilon_ppm),
    }
}

/// How likely the greedy choice is, or any other of so many.
fn share_of(is_greedy: bool, count: usize, epsilon_ppm: u32) -> f64 {
    let epsilon = ratio_ppm(epsilon_ppm.into());
    let any = epsilon / number(count);
    if is_greedy {
        (1.0 - epsilon) + any
    } else {
        any
    }
}

/// How likely each of so many is, before anything is drawn, where one is the greedy choice.
pub(super) fn greedy_shares(greedy: usize, count: usize, epsilon_ppm: u32) -> Vec<f64> {
    (0..count)
        .map(|index| share_of(index == greedy, count, epsilon_ppm))
        .collect()
}

/// How likely each of so many is, if all are alike.
pub(super) fn even_shares(count: usize) -> Vec<f64> {
    vec![1.0 / number(count); count]
}

/// What the weights of a linear model may be, after what it saw: normal about θ with covariance v²·A⁻¹.
pub(super) struct Posterior {
    theta: Context,
    /// C with C·Cᵀ = A⁻¹; only elements up to the diagonal.
    root: [Context; DIMENSION],
    scale: f64,
}

impl Posterior {
    /// Of θ, the upper triangle of A⁻¹ row by row, and v.
    pub(super) fn new(theta: Context, triangle: &[f64], scale: f64) -> Self {
        Self {
            theta,
            root: cholesky(triangle),
            scale,
        }
    }

    /// One sample of the weights. Spec: CHANCE-12.
    fn sample(&self, stream: &mut Stream) -> Context {
        let mut z = [0.0; DIMENSION];
        for pair in z.chunks_exact_mut(2) {
            let (first, second) = stream.normal_pair();
            pair.copy_from_slice(&[first, second]);
        }
        let mut weights = self.theta;
        for ((weight, row), last) in weights.iter_mut().zip(&self.root).zip(0..) {
            let mut sum = 0.0;
            for (element, number) in row.iter().zip(&z).take(last + 1) {
                sum += element * number;
            }
            *weight += self.scale * sum;
        }
        weights
    }
}

/// The vote of one of 256 samples. Spec: CHANCE-12.
pub(super) fn by_votes(
    posterior: &Posterior,
    candidates: &[(PublicKey, Context)],
    stream: &mut Stream,
) -> Option<Drawn> {
    if candidates.is_empty() {
        return None;
    }
    let votes = votes(posterior, candidates, stream);
    let index = votes[place(votes.len(), stream)];
    Some(Drawn {
        index,
        propensity: share_of_votes(&votes, index),
    })
}

/// How likely each candidate is, given the 256 samples that the stream gives.
pub(super) fn vote_shares(
    posterior: &Posterior,
    candidates: &[(PublicKey, Context)],
    stream: &mut Stream,
) -> Vec<f64> {
    if candidates.is_empty() {
        return Vec::new();
    }
    let votes = votes(posterior, candidates, stream);
    (0..candidates.len())
        .map(|index| share_of_votes(&votes, index))
        .collect()
}

fn votes(
    posterior: &Posterior,
    candidates: &[(PublicKey, Context)],
    stream: &mut Stream,
) -> Vec<usize> {
    (0..SAMPLES)
        .map(|_| vote(&posterior.sample(stream), candidates))
        .collect()
}

fn share_of_votes(votes: &[usize], index: usize) -> f64 {
    let count = votes.iter().filter(|vote| **vote == index).count();
    number(count) / f64::from(SAMPLES)
}

/// For whom these weights speak: the highest score; equal scores by raw key bytes, then by index.
fn vote(weights: &Context, candidates: &[(PublicKey, Context)]) -> usize {
    let score = |index: usize| normalised(dot(&candidates[index].1, weights));
    (0..candidates.len())
        .map(|index| (index, score(index)))
        .max_by(|(left, a), (right, b)| {
            a.total_cmp(b)
                .then_with(|| candidates[*right].0.cmp(&candidates[*left].0))
                .then_with(|| right.cmp(left))
        })
        .map_or(0, |(index, _)| index)
}

/// C with C·Cᵀ = A, of the upper triangle of A row by row. Spec: CHANCE-12.
fn cholesky(triangle: &[f64]) -> [Context; DIMENSION] {
    let mut square = [[0.0; DIMENSION]; DIMENSION];
    let mut numbers = triangle.iter();
    for row in 0..DIMENSION {
        for line in square.iter_mut().skip(row) {
            line[row] = numbers.next().copied().unwrap_or(0.0);
        }
    }
    let mut root = [[0.0; DIMENSION]; DIMENSION];
    for row in 0..DIMENSION {
        for column in 0..=row {
            let mut sum = 0.0;
            for (left, right) in root[row].iter().zip(&root[column]).take(column) {
                sum += left * right;
            }
            let rest = square[row][column] - sum;
            let element = if column < row {
                rest / root[column][column]
            } else if rest > SQUARE_MIN {
                rest.sqrt()
            } else {
                SQUARE_MIN.sqrt()
            };
            let fits = (-ELEMENT_MAX..=ELEMENT_MAX).contains(&element);
            root[row][column] = if fits { element } else { 0.0 };
        }
        if root[row][row] == 0.0 {
            root[row][row] = SQUARE_MIN.sqrt();
        }
    }
    root
}

fn place(count: usize, stream: &mut Stream) -> usize {
    let below = stream.below(u64::try_from(count).unwrap_or(u64::MAX));
    usize::try_from(below).unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "candidates and samples are few")]
fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use symphony_transparency::Digest;

    use super::{Posterior, SAMPLES, by_votes, cholesky, evenly, greedy_or_any};
    use crate::chance::Stream;
    use crate::policy::{Context, DIMENSION};
    use crate::screening::tests::key;

    fn stream(slot: u32) -> Stream {
        Stream::new(&Digest::ZERO, slot)
    }

    fn triangle(of: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        (0..DIMENSION)
            .flat_map(|row| (row..DIMENSION).map(move |column| (row, column)))
            .map(|(row, column)| of(row, column))
            .collect()
    }

    #[test]
    fn chance_10_evenly_gives_each_its_share() {
        assert_eq!(evenly(0, &mut stream(0)), None);
        let mut counts = [0_u32; 4];
        for slot in 0..4_000 {
            let drawn = evenly(4, &mut stream(slot)).expect("somebody");
            assert_eq!(drawn.propensity, 0.25);
            counts[drawn.index] += 1;
        }
        assert!(
            counts.iter().all(|count| count.abs_diff(1_000) < 165),
            "{counts:?}"
        );
    }

    #[test]
    fn chance_11_the_propensities_are_the_frequencies_and_add_up() {
        let (mut greedy, rounds) = (0_u32, 8_000);
        for slot in 0..rounds {
            let drawn = greedy_or_any(2, 4, 200_000, &mut stream(slot));
            let expected = if drawn.index == 2 { 0.85 } else { 0.05 };
            assert!((drawn.propensity - expected).abs() < 1e-12);
            greedy += u32::from(drawn.index == 2);
        }
        assert!((f64::from(greedy) / f64::from(rounds) - 0.85).abs() < 0.02);
        assert_eq!(
            greedy_or_any(0, 1, 1_000_000, &mut stream(0)).propensity,
            1.0
        );
    }

    #[test]
    fn chance_12_the_root_gives_the_matrix_back() {
        let matrix = |row: usize, column: usize| {
            let near = if row == column { 2.0 } else { 0.0 };
            near + 1.0 / (1.0 + row as f64 + column as f64)
        };
        let root = cholesky(&triangle(matrix));
        for row in 0..DIMENSION {
            for column in 0..DIMENSION {
                let product: f64 = (0..DIMENSION)
                    .map(|earlier| root[row][earlier] * root[column][earlier])
                    .sum();
                assert!((product - matrix(row, column)).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn chance_12_no_triangle_gives_a_root_that_is_no_number() {
        for element in [0.0, -1.0, 1e-300, 9e15, -9e15] {
            let root = cholesky(&triangle(
                |row, column| if row < column { element } else { 1.0 },
            ));
            assert!(root.iter().flatten().all(|element| element.is_finite()));
            assert!((0..DIMENSION).all(|row| root[row][row] > 0.0));
        }
    }

    #[test]
    fn chance_12_a_better_candidate_has_more_votes_and_a_wide_model_tries_others() {
        let context = |second: f64| -> Context { [1.0, second, 0.0, 0.0, 0.0, 0.0] };
        let candidates = [(key(1), context(0.2)), (key(2), context(0.9))];
        let theta = [0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
        let flat = triangle(|row, column| f64::from(u8::from(row == column)));
        let share = |scale: f64| {
            let posterior = Posterior::new(theta, &flat, scale);
            let rounds = 200;
            let second = (0..rounds)
                .filter_map(|slot| by_votes(&posterior, &candidates, &mut stream(slot)))
                .filter(|drawn| drawn.index == 1)
                .count();
            second as f64 / f64::from(rounds)
        };
        assert_eq!(share(0.0), 1.0);
        // The difference of the scores is 0.7 × w₂ with w₂ ~ N(1, 1): positive with probability 0.841.
        assert!((share(1.0) - 0.841).abs() < 0.08);
    }

    #[test]
    fn chance_12_propensities_of_all_candidates_add_up_to_one() {
        let posterior = Posterior::new(
            [0.0; DIMENSION],
            &triangle(|row, column| f64::from(u8::from(row == column))),
            1.0,
        );
        let candidates: Vec<_> = (1..=3)
            .map(|seed| {
                let mut x = [0.0; DIMENSION];
                x[usize::from(seed)] = 1.0;
                (key(seed), x)
            })
            .collect();
        for slot in 0..20 {
            let drawn = by_votes(&posterior, &candidates, &mut stream(slot)).expect("somebody");
            let votes = drawn.propensity * f64::from(SAMPLES);
            assert!((1.0..=256.0).contains(&votes) && votes.fract() == 0.0);
        }
        assert_eq!(by_votes(&posterior, &[], &mut stream(0)), None);
    }
}
