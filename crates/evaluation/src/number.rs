//! The exponential, of the five operations that every machine rounds alike: an estimate has the same digits everywhere.

/// 1/ln 2.
const RECIPROCAL_LN_2: f64 = std::f64::consts::LOG2_E;
/// ln 2 in two parts: the first has 38 bits, so that its product with an exponent is exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fefa_0000);
const LN_2_LOW: f64 = f64::from_bits(0x3d7c_f79a_bc9e_3b3a);
/// Terms of the series: with |r| ≤ ½·ln 2 the first one left out is below 2⁻⁵⁷ of the result.
const TERMS: u32 = 14;
/// Below this the result is 0: it would be smaller than 10⁻³⁰⁴ of anything it is added to.
const ARGUMENT_MIN: f64 = -700.0;

/// `eˣ` for `x ≤ 0`, within a few units in the last place; 1 above 0, and 0 below −700 and for NaN.
pub(crate) fn exp_of_negative(x: f64) -> f64 {
    if x >= 0.0 {
        return 1.0;
    }
    // NaN too.
    if !x.ge(&ARGUMENT_MIN) {
        return 0.0;
    }
    let exponent = (x * RECIPROCAL_LN_2 - 0.5).trunc();
    let r = (x - exponent * LN_2_HIGH) - exponent * LN_2_LOW;
    let mut series = 1.0;
    for term in (1..=TERMS).rev() {
        series = 1.0 + series * r / f64::from(term);
    }
    series * power_of_two(exponent)
}

/// 2ⁿ for a whole n in −1010 to 0.
fn power_of_two(exponent: f64) -> f64 {
    let biased = 1023 - (-exponent) as u64;
    f64::from_bits(biased << 52)
}

#[cfg(test)]
mod tests {
    use super::exp_of_negative;

    #[test]
    fn the_exponential_is_that_of_the_platform_within_rounding() {
        for step in 0..700_000 {
            let x = -f64::from(step) / 1_000.0;
            let (ours, platform) = (exp_of_negative(x), f64::exp(x));
            assert!((ours - platform).abs() <= 1e-15 * platform, "x = {x}");
        }
    }

    #[test]
    fn the_ends_are_defined() {
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert_eq!(exp_of_negative(f64::INFINITY), 1.0);
        assert_eq!(exp_of_negative(f64::NEG_INFINITY), 0.0);
        assert_eq!(exp_of_negative(f64::NAN), 0.0);
    }
}
