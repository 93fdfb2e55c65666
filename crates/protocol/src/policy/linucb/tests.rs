use proptest::prelude::*;

use super::Downdate;
use crate::policy::{Context, DIMENSION, LinearError, Parts, PolicyParameters};

type LinUcb = super::LinUcb<DIMENSION>;
type Square = nalgebra::SMatrix<f64, DIMENSION, DIMENSION>;

/// How many numbers its triangle has.
const TRIANGLE_LENGTH: usize = 21;

/// Numbers in [0, 1) from a written recurrence, so that every run sees the same.
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / 9_007_199_254_740_992.0
    }

    fn context(&mut self) -> Context {
        let mut x = [1.0; DIMENSION];
        for feature in x.iter_mut().skip(1) {
            *feature = self.next();
        }
        x.map(|feature| feature / 6.0f64.sqrt())
    }
}

fn context() -> impl Strategy<Value = Context> {
    proptest::array::uniform6(0.0f64..1.0).prop_map(|x| x.map(|feature| feature / 6.0f64.sqrt()))
}

/// A⁻¹ as nalgebra inverts the sum of products: the plain model, by other code.
fn inverted(contexts: &[Context]) -> Square {
    let sum = contexts
        .iter()
        .map(|x| nalgebra::SVector::from(*x))
        .fold(Square::identity(), |sum, x| sum + x * x.transpose());
    sum.try_inverse().expect("positive definite")
}

fn largest_difference(model: &LinUcb, expected: &Square) -> f64 {
    let rows = model.rows();
    let held = Square::from_fn(|row, column| rows[row][column]);
    (held - expected).amax()
}

#[test]
fn select_12_starts_from_the_ridge() {
    let parameters = PolicyParameters {
        lambda_ppm: 2_000_000,
        ..PolicyParameters::SHARED
    };
    let model = LinUcb::new(&parameters);
    assert_eq!(model.triangle()[0], 0.5);
    assert_eq!(model.triangle()[1], 0.0);
    assert_eq!(model.theta(), [0.0; DIMENSION]);
    assert_eq!(model.observations(), 0);
}

#[test]
fn select_17_does_not_drift_over_many_updates() {
    let mut sequence = Sequence(7);
    let mut model = LinUcb::new(&PolicyParameters::SHARED);
    let contexts: Vec<Context> = (0..50_000).map(|_| sequence.context()).collect();
    for x in &contexts {
        model.observe_choice(x);
    }
    assert_eq!(model.observations(), 50_000);
    let difference = largest_difference(&model, &inverted(&contexts));
    assert!(difference < 1e-12, "{difference:e}");
}

#[test]
fn select_19_learns_the_weights_behind_the_rewards() {
    let truth = [0.1, 0.9, -0.3, -0.2, 0.4, 0.2];
    let mut sequence = Sequence(11);
    let mut model = LinUcb::new(&PolicyParameters::SHARED);
    for _ in 0..20_000 {
        let x = sequence.context();
        let reward: f64 = x
            .iter()
            .zip(&truth)
            .map(|(feature, weight)| feature * weight)
            .sum();
        model.observe(&x, reward);
    }
    for (learned, weight) in model.theta().iter().zip(&truth) {
        assert!((learned - weight).abs() < 0.01, "{learned} {weight}");
    }
}

#[test]
fn select_16_the_width_shrinks_where_the_model_looked() {
    let mut sequence = Sequence(3);
    let x = sequence.context();
    let mut model = LinUcb::new(&PolicyParameters::SHARED);
    let before = model.assess(&[x])[0].width;
    for _ in 0..100 {
        model.observe_choice(&x);
    }
    assert!(model.assess(&[x])[0].width < before / 3.0);
}

#[test]
fn select_16_the_score_is_estimate_and_width() {
    let mut sequence = Sequence(5);
    let mut model = LinUcb::new(&PolicyParameters::PAPER);
    for _ in 0..20 {
        let x = sequence.context();
        model.observe(&x, sequence.next());
    }
    let x = sequence.context();
    let bound = model.assess(&[x])[0];
    let estimate: f64 = x.iter().zip(&model.theta()).map(|(a, b)| a * b).sum();
    assert!((bound.estimate - estimate).abs() < 1e-12);
    assert_eq!(bound.score, bound.estimate + bound.width);
}

/// What is pending narrows the width, and leaves the estimate as it was, to the bit.
#[test]
fn select_15_what_is_pending_has_no_say_in_the_estimate() {
    let mut sequence = Sequence(9);
    let mut model = LinUcb::new(&PolicyParameters::SHARED);
    for _ in 0..20 {
        let x = sequence.context();
        model.observe(&x, sequence.next());
    }
    let x = sequence.context();
    let before = model.assess(&[x])[0];
    for _ in 0..50 {
        model.observe_choice(&x);
    }
    let after = model.assess(&[x])[0];
    assert_eq!(after.estimate.to_bits(), before.estimate.to_bits());
    assert!(after.width < before.width / 2.0, "{after:?}");
    model.observe_reward(&x, 1.0);
    assert!(model.assess(&[x])[0].estimate > before.estimate);
}

#[test]
fn select_18_refuses_to_forget_what_it_never_saw() {
    let mut model = LinUcb::new(&PolicyParameters::SHARED);
    let untouched = model.clone();
    let x = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    assert_eq!(model.forget_choice(&x), Downdate::Refused);
    assert_eq!(
        model.forget_choice(&[0.1; DIMENSION]),
        Downdate::Refused,
        "t is 0"
    );
    assert_eq!(model, untouched);
}

#[test]
fn select_12_refuses_parts_that_are_no_model() {
    let parameters = PolicyParameters::SHARED;
    let parts = LinUcb::new(&parameters).parts();
    let mut wild = parts.clone();
    wild.matrix[1] = f64::NAN;
    assert_eq!(
        LinUcb::from_parts(&parameters, &wild),
        Err(LinearError::NotFinite {
            part: "inverse",
            index: 1
        })
    );
    let flat = Parts {
        matrix: vec![0.0; TRIANGLE_LENGTH],
        ..parts.clone()
    };
    assert_eq!(
        LinUcb::from_parts(&parameters, &flat),
        Err(LinearError::DiagonalNotPositive {
            part: "inverse",
            index: 0,
            actual: 0.0
        })
    );
    for other in [
        Parts {
            matrix: vec![1.0; TRIANGLE_LENGTH - 1],
            ..parts.clone()
        },
        Parts {
            settled: Vec::new(),
            ..parts.clone()
        },
        Parts {
            b: vec![0.0; 5],
            ..parts.clone()
        },
        Parts {
            weight: Some(0.0),
            ..parts
        },
    ] {
        assert!(LinUcb::from_parts(&parameters, &other).is_err());
    }
}

proptest! {
    #[test]
    fn select_12_parts_round_trip(contexts in proptest::collection::vec((context(), 0.0f64..1.0), 0..20)) {
        let mut model = LinUcb::new(&PolicyParameters::SHARED);
        for (x, reward) in &contexts {
            model.observe(x, *reward);
        }
        let again = LinUcb::from_parts(model.parameters(), &model.parts());
        prop_assert_eq!(again, Ok(model));
    }

    #[test]
    fn select_17_the_inverse_stays_symmetric_and_right(contexts in proptest::collection::vec(context(), 1..40)) {
        let mut model = LinUcb::new(&PolicyParameters::SHARED);
        for x in &contexts {
            model.observe_choice(x);
        }
        prop_assert!(largest_difference(&model, &inverted(&contexts)) < 1e-12);
        for row in 0..DIMENSION {
                for column in 0..row {
                    prop_assert_eq!(model.rows()[row][column].to_bits(), model.rows()[column][row].to_bits());
                }
            }
    }

    #[test]
    fn select_18_a_downdate_undoes_an_update(contexts in proptest::collection::vec(context(), 0..20), x in context()) {
        let mut model = LinUcb::new(&PolicyParameters::SHARED);
        for x in &contexts {
            model.observe_choice(x);
        }
        let before = model.clone();
        model.observe_choice(&x);
        prop_assert_eq!(model.forget_choice(&x), Downdate::Done);
        prop_assert_eq!(model.observations(), before.observations());
        for (again, held) in model.triangle().iter().zip(&before.triangle()) {
            prop_assert!((again - held).abs() < 1e-9);
        }
    }

    #[test]
    fn select_16_no_number_leaves_its_range(contexts in proptest::collection::vec((context(), 0.0f64..1.0), 0..30)) {
        let mut model = LinUcb::new(&PolicyParameters::SHARED);
        for (x, reward) in &contexts {
            model.observe(x, *reward);
            prop_assert!(model.assess(&[*x])[0].width >= 0.0 && model.assess(&[*x])[0].width.is_finite());
            prop_assert!(model.assess(&[*x])[0].estimate.is_finite());
        }
        let negative_zero = (-0.0f64).to_bits();
        prop_assert!(model.triangle().iter().chain(&model.b()).all(|number| number.to_bits() != negative_zero));
    }
}
