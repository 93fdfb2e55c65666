//! A small mutator, for runs without libFuzzer: the same seed gives the same inputs on every machine.

/// Largest input in bytes: beyond it, every decoder refuses by size alone.
pub const INPUT_SIZE_MAX: usize = 40 * 1024;

/// Bytes at which decoders change their ways: signs, ends of varints, lengths that wrap.
const EDGES: [u8; 8] = [0x00, 0x01, 0x0a, 0x20, 0x7f, 0x80, 0xfe, 0xff];

/// A generator of numbers (xorshift64*): not for secrets.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// Begins with a seed; 0 counts as 1.
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            return 0;
        }
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }
}

/// Changes an input in one to four ways; `other` is a second one, of which parts may come over.
pub fn mutate(input: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=numbers.below(4) {
        mutate_once(&mut bytes, other, numbers);
    }
    bytes.truncate(INPUT_SIZE_MAX);
    bytes
}

fn mutate_once(bytes: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    let place = numbers.below(bytes.len());
    let length = 1 + numbers.below(16);
    let end = (place + length).min(bytes.len());
    match numbers.below(8) {
        0 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte ^= 1 << numbers.below(8);
            }
        }
        1 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte = EDGES[numbers.below(EDGES.len())];
            }
        }
        2 => {
            if let Some(byte) = bytes.get_mut(place) {
                let step = u8::try_from(1 + numbers.below(8)).unwrap_or(1);
                *byte = byte.wrapping_add(step);
            }
        }
        3 => drop(bytes.drain(place..end)),
        4 => {
            let again = bytes[place..end].to_vec();
            bytes.splice(place..place, again);
        }
        5 => bytes.truncate(place),
        6 => {
            let from = numbers.below(other.len());
            let to = (from + length).min(other.len());
            bytes.splice(place..end, other[from..to].iter().copied());
        }
        _ => {
            let edge = EDGES[numbers.below(EDGES.len())];
            bytes.splice(place..place, std::iter::repeat_n(edge, length));
        }
    }
}
