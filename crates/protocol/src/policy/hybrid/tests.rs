//! Against the dense ridge regression that it is: one block of shared weights, and one for each peer.

use proptest::prelude::*;
use symphony_transparency::PublicKey;

use super::Hybrid;
use crate::{
    policy::{Choice, Context, PolicyParameters, Rule},
    screening::tests::{candidate, key},
};

const PEERS: u8 = 3;
/// Numbers of the dense model: 6 shared ones and 2 for each peer.
const DENSE: usize = 6 + 2 * PEERS as usize;

const PARAMETERS: PolicyParameters = PolicyParameters {
    kind: crate::policy::PolicyKind::Hybrid,
    lambda_ppm: 500_000,
    ..PolicyParameters::SHARED
};

fn context() -> impl Strategy<Value = Context> {
    proptest::array::uniform5(0.0f64..1.0)
        .prop_map(|x| [1.0, x[0], x[1], x[2], x[3], x[4]].map(|feature| feature / 8.0f64.sqrt()))
}

fn stream() -> impl Strategy<Value = Vec<(u8, Context, f64)>> {
    proptest::collection::vec((0..PEERS, context(), 0.0f64..1.0), 0..40)
}

fn dense(peer: u8, z: &Context) -> [f64; DENSE] {
    let mut row = [0.0; DENSE];
    row[..6].copy_from_slice(z);
    row[6 + 2 * usize::from(peer)..][..2].copy_from_slice(&z[..2]);
    row
}

/// `A⁻¹·x` by elimination.
fn solved(matrix: &[[f64; DENSE]; DENSE], x: &[f64; DENSE]) -> [f64; DENSE] {
    let (mut rows, mut right) = (*matrix, *x);
    for pivot in 0..DENSE {
        for row in (0..DENSE).filter(|row| *row != pivot) {
            let factor = rows[row][pivot] / rows[pivot][pivot];
            let above = rows[pivot];
            for (number, other) in rows[row].iter_mut().zip(above) {
                *number -= factor * other;
            }
            right[row] -= factor * right[pivot];
        }
    }
    std::array::from_fn(|row| right[row] / rows[row][row])
}

fn product(left: &[f64; DENSE], right: &[f64; DENSE]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

fn choice(peer: PublicKey, context: Context) -> Choice {
    Choice {
        peer,
        context,
        number: 0,
    }
}

proptest! {
    #[test]
    fn select_24_is_the_dense_ridge_regression(stream in stream(), z in context()) {
        let mut hybrid = Hybrid::new(&PARAMETERS);
        let mut matrix = [[0.0; DENSE]; DENSE];
        for (index, row) in matrix.iter_mut().enumerate() {
            row[index] = 0.5;
        }
        let mut b = [0.0; DENSE];
        for (peer, z, reward) in &stream {
            let one = choice(key(*peer), *z);
            hybrid.count(&one);
            hybrid.learn(&one, *reward);
            let x = dense(*peer, z);
            for row in 0..DENSE {
                b[row] += reward * x[row];
                for column in 0..DENSE {
                    matrix[row][column] += x[row] * x[column];
                }
            }
        }
        let weights = solved(&matrix, &b);
        prop_assert_eq!(hybrid.observations(), stream.len() as u64);
        for peer in 0..PEERS {
            let x = dense(peer, &z);
            let one = candidate(peer, 0.5);
            let bound = hybrid.assess(&[&one], &[z], 0)[0];
            let width = hybrid.width_scale() * product(&x, &solved(&matrix, &x)).sqrt();
            prop_assert!((bound.estimate - product(&x, &weights)).abs() < 1e-9);
            prop_assert!((bound.width - width).abs() < 1e-7, "{} {}", bound.width, width);
        }
    }

    #[test]
    fn select_24_parts_round_trip(stream in stream()) {
        let mut hybrid = Hybrid::new(&PARAMETERS);
        for (peer, z, reward) in &stream {
            let one = choice(key(*peer), *z);
            hybrid.count(&one);
            hybrid.learn(&one, *reward);
        }
        let mut again = Hybrid::from_parts(&PARAMETERS, &hybrid.parts()).expect("parts of a policy");
        for (peer, part) in &hybrid.peers {
            let part = super::HybridPeer::from_parts(&part.parts()).expect("parts of a peer");
            again.peers.insert(*peer, part);
        }
        prop_assert_eq!(again, hybrid);
    }
}
