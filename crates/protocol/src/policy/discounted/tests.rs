use proptest::prelude::*;

use super::{Discounted, power};
use crate::policy::{Context, DIMENSION, LinUcb, PolicyParameters};

type Model = Discounted<DIMENSION>;

const FORGETFUL: PolicyParameters = PolicyParameters {
    discount_ppm: 950_000,
    ..PolicyParameters::SHARED
};

fn context() -> impl Strategy<Value = Context> {
    proptest::array::uniform6(0.0f64..1.0).prop_map(|x| x.map(|feature| feature / 6.0f64.sqrt()))
}

fn near(found: f64, expected: f64) -> Result<(), TestCaseError> {
    prop_assert!(
        (found - expected).abs() < 1e-9,
        "{} is not {}",
        found,
        expected
    );
    Ok(())
}

#[test]
fn select_21_a_power_is_a_product() {
    assert_eq!(power(0.5, 0), 1.0);
    assert_eq!(power(0.5, 1), 0.5);
    assert_eq!(power(0.5, 10), 0.5f64.powi(10));
    assert_eq!(power(1.0, u64::MAX), 1.0);
    assert_eq!(power(0.999_999, u64::MAX), 0.0);
}

#[test]
fn select_21_what_is_long_ago_is_as_if_it_had_never_been() {
    let x = [0.4, 0.3, 0.2, 0.1, 0.3, 0.4];
    let mut model = Model::new(&FORGETFUL);
    model.observe_choice(&x, 1);
    model.observe_reward(&x, 1, 1.0);
    let (fresh, now) = (Model::new(&FORGETFUL), 1_000_000);
    for (found, expected) in model.assess(&[x], now).iter().zip(fresh.assess(&[x], now)) {
        assert!((found.estimate - expected.estimate).abs() < 1e-9);
        assert!((found.width - expected.width).abs() < 1e-9);
    }
}

#[test]
fn select_21_it_follows_a_world_that_changed() {
    let x = [0.4, 0.3, 0.2, 0.1, 0.3, 0.4];
    let (mut lasting, mut forgetful) = (
        LinUcb::new(&PolicyParameters::SHARED),
        Model::new(&FORGETFUL),
    );
    for number in 1..=500 {
        let reward = if number <= 400 { 1.0 } else { 0.0 };
        lasting.observe(&x, reward);
        forgetful.observe_choice(&x, number);
        forgetful.observe_reward(&x, number, reward);
    }
    assert!(lasting.assess(&[x])[0].estimate > 0.7);
    assert!(forgetful.assess(&[x], 500)[0].estimate < 0.05);
}

proptest! {
    /// A discount of 1 forgets nothing: the same numbers as the inverse kept by rank-one updates, within 10⁻⁹.
    #[test]
    fn select_21_without_a_discount_it_is_linucb(stream in proptest::collection::vec((context(), 0.0f64..1.0, any::<bool>()), 1..60)) {
        let (mut kept, mut solved) = (LinUcb::new(&PolicyParameters::SHARED), Model::new(&PolicyParameters::SHARED));
        for (number, (x, reward, void)) in (1..).zip(&stream) {
            kept.observe_choice(x);
            solved.observe_choice(x, number);
            if *void {
                kept.forget_choice(x);
                solved.forget_choice(x, number);
            } else {
                kept.observe_reward(x, *reward);
                solved.observe_reward(x, number, *reward);
            }
        }
        let now = stream.len() as u64;
        for (x, ..) in &stream {
            let (a, b) = (kept.assess(&[*x])[0], solved.assess(&[*x], now)[0]);
            near(a.estimate, b.estimate)?;
            near(a.width, b.width)?;
        }
    }

    /// V, Z, Ṽ and b are the weighted sums of what was chosen, however late rewards came.
    #[test]
    fn select_21_is_the_weighted_ridge_regression(
        stream in proptest::collection::vec((context(), 0.0f64..1.0), 1..40), delay in 0usize..10,
    ) {
        let mut model = Model::new(&FORGETFUL);
        for (place, (x, _)) in stream.iter().enumerate() {
            model.observe_choice(x, place as u64 + 1);
            if let Some(late) = place.checked_sub(delay) {
                model.observe_reward(&stream[late].0, late as u64 + 1, stream[late].1);
            }
        }
        let parts = model.parts();
        let [mut design, mut settled, mut squared] = [[[0.0; DIMENSION]; DIMENSION]; 3];
        let mut b = [0.0; DIMENSION];
        for (place, (x, reward)) in stream.iter().enumerate() {
            let weight = 0.95f64.powi((stream.len() - 1 - place) as i32);
            for row in 0..DIMENSION {
                for column in 0..DIMENSION {
                    design[row][column] += weight * x[row] * x[column];
                    squared[row][column] += weight * weight * x[row] * x[column];
                    if place + delay < stream.len() {
                        settled[row][column] += weight * x[row] * x[column];
                    }
                }
                if place + delay < stream.len() {
                    b[row] += weight * reward * x[row];
                }
            }
        }
        let mut places = parts.matrix.iter().zip(&parts.squared).zip(&parts.settled);
        for row in 0..DIMENSION {
            near(parts.b[row], b[row])?;
            for column in row..DIMENSION {
                let ridge = if row == column { 1.0 } else { 0.0 };
                let ((v, w), z) = places.next().expect("a triangle");
                near(*v, design[row][column] + ridge)?;
                near(*w, squared[row][column] + ridge)?;
                near(*z, settled[row][column] + ridge)?;
            }
        }
    }

    #[test]
    fn select_21_ages_the_same_in_one_step_or_many(stream in proptest::collection::vec(context(), 1..20), gap in 1u64..200) {
        let mut once = Model::new(&FORGETFUL);
        for (number, x) in (1..).zip(&stream) {
            once.observe_choice(x, number);
        }
        let mut often = once.clone();
        let end = stream.len() as u64 + gap;
        for now in stream.len() as u64..=end {
            often.age(now);
        }
        once.age(end);
        for (a, b) in once.parts().matrix.iter().zip(&often.parts().matrix) {
            near(*a, *b)?;
        }
    }

    #[test]
    fn select_21_parts_round_trip(stream in proptest::collection::vec((context(), 0.0f64..1.0), 0..20)) {
        let mut model = Model::new(&FORGETFUL);
        for (number, (x, reward)) in (1..).zip(&stream) {
            model.observe_choice(x, number);
            model.observe_reward(x, number, *reward);
        }
        prop_assert_eq!(Model::from_parts(&FORGETFUL, &model.parts()), Ok(model));
    }
}
