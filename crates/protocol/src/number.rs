//! The arithmetic of consensus numbers.
//!
//! A number that decides something must have the same bits on every machine and in every language. IEEE 754 promises that
//! for `+ − × ÷ √` alone, so everything here, logarithm included, is made of those five in a written order. Operators in
//! Rust are never fused or reassociated by the compiler; `mul_add`, `powf`, `exp` and the platform's `ln` are not used.
//!
//! Spec: SELECT-1 to SELECT-3.

/// Parts per million in one whole.
pub const PPM: u32 = 1_000_000;

/// √2, rounded to nearest: mantissas above it are halved, so that the reduced argument is near 1.
const SQUARE_ROOT_OF_2: f64 = f64::from_bits(0x3ff6_a09e_667f_3bcd);

/// The first 38 bits of ln 2. A product with an exponent (at most 11 bits) is exact.
const LN_2_HIGH: f64 = f64::from_bits(0x3fe6_2e42_fefa_0000);

/// What [`LN_2_HIGH`] leaves of ln 2, rounded to nearest.
const LN_2_LOW: f64 = f64::from_bits(0x3d7c_f79a_bc9e_3b3a);

/// 2⁵⁴, which makes every subnormal number normal.
const TWO_TO_54: f64 = 18_014_398_509_481_984.0;

/// 2/3, 2/5, … 2/23, each the quotient as IEEE 754 rounds it: the series of 2·artanh(s) − 2s in s², without its first s².
/// The first term left out is below 2⁻⁶⁰ of the result.
const ARTANH_TERMS: [f64; 11] = [
    2.0 / 3.0,
    2.0 / 5.0,
    2.0 / 7.0,
    2.0 / 9.0,
    2.0 / 11.0,
    2.0 / 13.0,
    2.0 / 15.0,
    2.0 / 17.0,
    2.0 / 19.0,
    2.0 / 21.0,
    2.0 / 23.0,
];

/// The natural logarithm of a finite `x > 0`, the same bits everywhere, within 2 units in the last place of the true value.
///
/// For any other argument the result is 0: a consensus number is never infinite and never NaN.
///
/// Spec: SELECT-3.
pub fn ln(x: f64) -> f64 {
    if !x.is_finite() || x <= 0.0 {
        return 0.0;
    }
    let (mantissa, exponent) = split(x);
    // x = (1 + f)·2^e with 1 + f in [√½, √2]; the subtraction is exact.
    let f = mantissa - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let mut series = 0.0;
    for term in ARTANH_TERMS.iter().rev() {
        series = (series + term) * z;
    }
    // ln(1 + f) = f − (h − s·(h + series)) with h = f²/2: the large part f enters without a rounding of its own.
    let h = 0.5 * f * f;
    let tail = s * (h + series) + exponent * LN_2_LOW;
    normalised(exponent * LN_2_HIGH - ((h - tail) - f))
}

/// `x = mantissa · 2^exponent` with the mantissa in [√½, √2], for a finite `x > 0`.
fn split(x: f64) -> (f64, f64) {
    const MANTISSA_BITS: u32 = 52;
    const EXPONENT_BIAS: i32 = 1023;
    let (scaled, shift) = if x < f64::MIN_POSITIVE {
        (x * TWO_TO_54, 54)
    } else {
        (x, 0)
    };
    let bits = scaled.to_bits();
    let biased =
        i32::try_from(bits >> MANTISSA_BITS).expect("a positive number has 11 exponent bits");
    let fraction = bits & ((1 << MANTISSA_BITS) - 1);
    let mantissa = f64::from_bits(fraction | (1023 << MANTISSA_BITS));
    let exponent = biased - EXPONENT_BIAS - shift;
    if mantissa > SQUARE_ROOT_OF_2 {
        (mantissa * 0.5, f64::from(exponent + 1))
    } else {
        (mantissa, f64::from(exponent))
    }
}

/// Largest count and magnitude in a state: no log counts so far, and sums of such numbers stay exact. Spec: EVIDENCE-11.
pub(crate) const COUNT_MAX: u64 = 1 << 53;

/// Parts per million as a ratio: `ppm / 1 000 000`, one division.
///
/// Exact integers up to 2⁵³ are converted without rounding; a larger number rounds to nearest first.
///
/// Spec: SELECT-2.
pub fn ratio_ppm(ppm: u64) -> f64 {
    ppm as f64 / f64::from(PPM)
}

/// `x` held within [0, 1]; NaN and −0 become 0.
///
/// Spec: SELECT-2.
pub fn unit(x: f64) -> f64 {
    if x >= 1.0 {
        1.0
    } else if x > 0.0 {
        x
    } else {
        0.0
    }
}

/// A share of one as whole parts per million, rounded down, in `0..=1_000_000`.
///
/// Spec: SELECT-2.
pub fn floor_ppm(x: f64) -> u32 {
    // The product is in [0, 1 000 000], where the conversion drops the fraction and nothing else.
    (unit(x) * f64::from(PPM)) as u32
}

/// `x`, with −0 as +0: equal numbers have equal bytes.
///
/// Spec: SELECT-1.
pub fn normalised(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x }
}

/// Σ `left[i]·right[i]` from index 0 upwards, starting from +0, each product and each sum rounded.
///
/// Spec: SELECT-1.
pub fn dot<const N: usize>(left: &[f64; N], right: &[f64; N]) -> f64 {
    let mut sum = 0.0;
    for (a, b) in left.iter().zip(right) {
        sum += a * b;
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{dot, floor_ppm, ln, normalised, ratio_ppm, unit};

    fn ulps_apart(left: f64, right: f64) -> u64 {
        // Both have the same sign here, so the distance of the bits is the count of numbers between.
        left.to_bits().abs_diff(right.to_bits())
    }

    #[test]
    fn select_1_sums_run_from_left_to_right() {
        // 1 is lost beside 2⁵³ if it comes second, and not if it comes last.
        let large = 9_007_199_254_740_992.0;
        assert_eq!(dot(&[large, 1.0, -large], &[1.0; 3]), 0.0);
        assert_eq!(dot(&[large, -large, 1.0], &[1.0; 3]), 1.0);
    }

    #[test]
    fn select_1_products_are_rounded_before_they_are_added() {
        // Fused, the rounding error of the second product would be left over.
        let tenth = 0.1;
        let square = tenth * tenth;
        assert_eq!(dot(&[-square, tenth], &[1.0, tenth]), 0.0);
    }

    #[test]
    fn select_3_ln_of_exact_cases() {
        assert_eq!(ln(1.0).to_bits(), 0.0f64.to_bits());
        assert_eq!(ln(2.0), std::f64::consts::LN_2);
        assert_eq!(ln(0.5), -std::f64::consts::LN_2);
        assert!(ulps_apart(ln(10.0), std::f64::consts::LN_10) <= 1);
    }

    #[test]
    fn select_3_ln_is_finite_for_every_argument() {
        for x in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(ln(x).to_bits(), 0, "{x}");
        }
    }

    #[test]
    fn select_3_ln_holds_at_the_ends_of_the_range() {
        for x in [
            f64::from_bits(1),
            f64::MIN_POSITIVE,
            f64::MAX,
            1.0 + f64::EPSILON,
            1.0 - f64::EPSILON,
        ] {
            assert!(ulps_apart(ln(x), x.ln()) < 2, "{x:e}: {} {}", ln(x), x.ln());
        }
    }

    #[test]
    fn select_2_unit_normalises() {
        assert_eq!(unit(f64::NAN).to_bits(), 0);
        assert_eq!(unit(-0.0).to_bits(), 0);
        assert_eq!(unit(-3.0), 0.0);
        assert_eq!(unit(f64::INFINITY), 1.0);
        assert_eq!(unit(0.25), 0.25);
        assert_eq!(normalised(-0.0).to_bits(), 0);
    }

    #[test]
    fn select_2_parts_per_million() {
        assert_eq!(ratio_ppm(500_000), 0.5);
        assert_eq!(floor_ppm(0.999_999_9), 999_999);
        assert_eq!(floor_ppm(2.0), 1_000_000);
        assert_eq!(floor_ppm(f64::NAN), 0);
        for ppm in 0..=1_000_000u32 {
            // A round trip may lose one part to the floor, never more, and never gains.
            let back = floor_ppm(ratio_ppm(u64::from(ppm)));
            assert!(back == ppm || back + 1 == ppm);
        }
    }

    proptest! {
        #[test]
        fn select_3_ln_is_within_two_units(bits in 1u64..0x7ff0_0000_0000_0000) {
            let x = f64::from_bits(bits);
            prop_assert!(ulps_apart(ln(x), x.ln()) < 2, "{x:e}");
        }

        #[test]
        fn select_3_ln_is_within_two_units_near_one(x in 0.5f64..2.0) {
            prop_assert!(ulps_apart(ln(x), x.ln()) < 2, "{x:e}");
        }
    }
}
