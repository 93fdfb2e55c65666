//! Seeded chance: the same seed gives the same run on every machine.

/// xoshiro256** by Blackman and Vigna, seeded by SplitMix64. Not for keys of a real peer.
#[derive(Clone, Debug)]
pub struct Random {
    state: [u64; 4],
}

impl Random {
    /// A generator for this seed.
    pub fn new(seed: u64) -> Self {
        let mut mix = seed;
        Self {
            state: std::array::from_fn(|_| split_mix(&mut mix)),
        }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let [_, second, ..] = self.state;
        let result = second.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = second << 17;
        self.state[2] ^= self.state[0];
        self.state[3] ^= self.state[1];
        self.state[1] ^= self.state[2];
        self.state[0] ^= self.state[3];
        self.state[2] ^= shifted;
        self.state[3] = self.state[3].rotate_left(45);
        result
    }

    /// A number from `least` to `most`, both included; `least` if the range is empty.
    pub fn within(&mut self, least: u64, most: u64) -> u64 {
        let Some(span) = most.checked_sub(least).and_then(|span| span.checked_add(1)) else {
            return least;
        };
        // The product's high half: no modulo, and a bias of at most span / 2^64.
        let high = (u128::from(self.bits()) * u128::from(span)) >> 64;
        least + u64::try_from(high).unwrap_or(0)
    }

    /// True with this probability, in parts per million.
    pub fn chance(&mut self, ppm: u32) -> bool {
        self.within(0, 999_999) < u64::from(ppm)
    }

    /// A number in [0, 1): 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let bits = (self.bits() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// A standard normal number, by Marsaglia's polar method: only the protocol's own logarithm and a root, so that every
    /// machine draws the same.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * symphony_protocol::number::ln(square) / square).sqrt();
            }
        }
    }

    /// 32 bytes.
    pub fn bytes(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for part in bytes.chunks_exact_mut(8) {
            part.copy_from_slice(&self.bits().to_le_bytes());
        }
        bytes
    }
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn random_is_the_published_generator() {
        // SplitMix64 of seed 1234567, as its authors give it.
        let mut state = 1_234_567;
        let first: Vec<u64> = (0..3).map(|_| super::split_mix(&mut state)).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
        // xoshiro256** from the state 1, 2, 3, 4.
        let mut random = Random {
            state: [1, 2, 3, 4],
        };
        let bits: Vec<u64> = (0..4).map(|_| random.bits()).collect();
        assert_eq!(bits, [11_520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn random_keeps_to_its_range() {
        let mut random = Random::new(7);
        for _ in 0..10_000 {
            assert!((3..=9).contains(&random.within(3, 9)));
        }
        assert_eq!(random.within(5, 4), 5);
        assert_eq!(random.within(5, 5), 5);
        assert!((0..1_000).all(|_| !random.chance(0) && random.chance(1_000_000)));
    }
}
