//! The generator of the authors' own runs, so that their digits can be had again: the Mersenne Twister MT19937 as CPython's
//! `random.Random` seeds and uses it.

use std::f64::consts::TAU;

const SIZE: usize = 624;
const SHIFT: usize = 397;
const MATRIX: u32 = 0x9908_b0df;
const UPPER: u32 = 0x8000_0000;
const LOWER: u32 = 0x7fff_ffff;

/// `random.Random(seed)` of CPython.
#[derive(Clone, Debug)]
pub struct MersenneTwister {
    words: [u32; SIZE],
    next: usize,
    /// The second of a pair of normal numbers, which CPython keeps for the next call.
    kept: Option<f64>,
}

impl MersenneTwister {
    /// Seeds as `random.seed(seed)` does for a whole number below 2³².
    pub fn new(seed: u32) -> Self {
        let mut words = [0; SIZE];
        words[0] = 19_650_218;
        for place in 1..SIZE {
            let last: u32 = words[place - 1];
            words[place] = 1_812_433_253u32
                .wrapping_mul(last ^ (last >> 30))
                .wrapping_add(u32::try_from(place).unwrap_or(0));
        }
        let mut place = 1;
        for _ in 0..SIZE {
            let last = words[place - 1];
            words[place] =
                (words[place] ^ (last ^ (last >> 30)).wrapping_mul(1_664_525)).wrapping_add(seed);
            place = following(&mut words, place);
        }
        for _ in 0..SIZE - 1 {
            let last = words[place - 1];
            words[place] = (words[place] ^ (last ^ (last >> 30)).wrapping_mul(1_566_083_941))
                .wrapping_sub(u32::try_from(place).unwrap_or(0));
            place = following(&mut words, place);
        }
        words[0] = UPPER;
        Self {
            words,
            next: SIZE,
            kept: None,
        }
    }

    /// The next 32 bits.
    fn bits(&mut self) -> u32 {
        if self.next == SIZE {
            for place in 0..SIZE {
                let mixed = (self.words[place] & UPPER) | (self.words[(place + 1) % SIZE] & LOWER);
                let odd = if mixed & 1 == 1 { MATRIX } else { 0 };
                self.words[place] = self.words[(place + SHIFT) % SIZE] ^ (mixed >> 1) ^ odd;
            }
            self.next = 0;
        }
        let mut word = self.words[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// `random()`: uniform in [0, 1).
    pub fn random(&mut self) -> f64 {
        let (high, low) = (self.bits() >> 5, self.bits() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    /// `gauss(mean, deviation)`.
    pub fn gauss(&mut self, mean: f64, deviation: f64) -> f64 {
        let normal = self.kept.take().unwrap_or_else(|| {
            let angle = self.random() * TAU;
            let radius = (-2.0 * (1.0 - self.random()).ln()).sqrt();
            self.kept = Some(angle.sin() * radius);
            angle.cos() * radius
        });
        mean + normal * deviation
    }

    /// `choice(range(count))`, for a count above 0.
    pub fn choice(&mut self, count: usize) -> usize {
        let digits = usize::BITS - count.leading_zeros();
        loop {
            let drawn = (self.bits() >> (32 - digits)) as usize;
            if drawn < count {
                return drawn;
            }
        }
    }
}

fn following(words: &mut [u32; SIZE], place: usize) -> usize {
    if place + 1 == SIZE {
        words[0] = words[SIZE - 1];
        return 1;
    }
    place + 1
}

#[cfg(test)]
mod tests {
    use super::MersenneTwister;

    /// From CPython 3.11: `r = random.Random(42)`, then the calls in this order.
    #[test]
    fn mersenne_twister_gives_what_cpython_gives() {
        let mut random = MersenneTwister::new(42);
        assert_eq!(random.random(), 0.639_426_798_457_883_7);
        assert_eq!(random.random(), 0.025_010_755_222_666_936);
        assert_eq!(random.gauss(0.0, 1.0), GAUSS[0]);
        assert_eq!(random.gauss(0.0, 1.0), GAUSS[1]);
        assert_eq!(random.gauss(10.0, 2.0), GAUSS[2]);
        let choices: Vec<usize> = (0..8).map(|_| random.choice(5)).collect();
        assert_eq!(choices, CHOICES);
    }

    const GAUSS: [f64; 3] = [
        -0.111_315_861_567_662_46,
        0.701_983_725_098_863_1,
        9.744_823_432_434_226,
    ];
    const CHOICES: [usize; 8] = [4, 0, 4, 3, 0, 0, 0, 1];
}
