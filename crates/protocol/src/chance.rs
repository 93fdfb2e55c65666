//! Chance that anyone can recompute and nobody can choose.
//!
//! A coordinator commits to a secret in its beacon, each bidder to a nonce in its bid. When the beacon is closed, and not
//! before, they are opened; all of them together give the seed of the step. Whoever has not seen every one of them knows
//! nothing of the seed, and whoever has opened can change it no more.
//!
//! Spec: chapter 18.

use symphony_transparency::{Digest, DigestStream, Domain, DomainHasher, PublicKey, digest_parts};

use crate::number::ln;

/// Size of a secret and of a nonce, in bytes.
pub const ENTROPY_SIZE: usize = 32;

/// 2⁻⁵³: the distance of the fractions that a stream gives.
const FRACTION: f64 = 1.0 / 9_007_199_254_740_992.0;

/// The commitment to a bidder's nonce. It is bound to the beacon and the bidder, so that nobody can use another's.
///
/// Spec: CHANCE-2.
pub fn nonce_commitment(beacon: &Digest, bidder: &PublicKey, nonce: &[u8; ENTROPY_SIZE]) -> Digest {
    digest_parts(
        Domain::Nonce,
        &[beacon.as_bytes(), bidder.as_bytes(), nonce],
    )
}

/// The commitment to a coordinator's secret, bound to the place of its beacon: a log and the index of an entry there.
///
/// Spec: CHANCE-1.
pub fn secret_commitment(log: &Digest, index: u64, secret: &[u8; ENTROPY_SIZE]) -> Digest {
    digest_parts(
        Domain::Secret,
        &[log.as_bytes(), &index.to_be_bytes(), secret],
    )
}

/// The seed of a step: its beacon, the coordinator's secret, and key and nonce of each bidder that opened, in the order of
/// their bids.
///
/// Spec: CHANCE-6.
pub fn seed<'a>(
    beacon: &Digest,
    secret: &[u8; ENTROPY_SIZE],
    opened: impl Iterator<Item = (&'a PublicKey, &'a [u8; ENTROPY_SIZE])>,
) -> Digest {
    let mut parts: Vec<&[u8]> = vec![beacon.as_bytes(), secret];
    for (bidder, nonce) in opened {
        parts.extend([bidder.as_bytes().as_slice(), nonce]);
    }
    digest_parts(Domain::Seed, &parts)
}

/// The numbers that a seed gives for one pick.
///
/// Spec: CHANCE-7.
#[derive(Clone, Debug)]
pub struct Stream(DigestStream);

impl Stream {
    /// The numbers for the pick of this slot.
    pub fn new(seed: &Digest, slot: u32) -> Self {
        let mut hasher = DomainHasher::new(Domain::Draw);
        hasher.update(seed.as_bytes()).update(&slot.to_be_bytes());
        Self(hasher.stream())
    }

    /// A whole number from 0 to `count` − 1, each as likely as any other. 0 for a count of 0.
    pub fn below(&mut self, count: u64) -> u64 {
        if count == 0 {
            return 0;
        }
        // How many of the 2⁶⁴ numbers are left over when they are dealt out evenly: the last ones are drawn again.
        let excess = (u64::MAX % count + 1) % count;
        loop {
            let number = self.0.next_u64();
            if number <= u64::MAX - excess {
                return number % count;
            }
        }
    }

    /// A multiple of 2⁻⁵³ in [0, 1), each as likely as any other.
    pub fn fraction(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
        let bits = (self.0.next_u64() >> 11) as f64;
        bits * FRACTION
    }

    /// Two independent numbers of the standard normal distribution, by Marsaglia's polar method.
    pub fn normal_pair(&mut self) -> (f64, f64) {
        loop {
            let u = 2.0 * self.fraction() - 1.0;
            let v = 2.0 * self.fraction() - 1.0;
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                let factor = ((-2.0 * ln(s)) / s).sqrt();
                return (u * factor, v * factor);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use symphony_transparency::{Digest, SecretKey};

    use super::{Stream, nonce_commitment, secret_commitment, seed};

    fn key(seed: u8) -> symphony_transparency::PublicKey {
        SecretKey::from_bytes([seed; 32]).public()
    }

    #[test]
    fn chance_2_a_commitment_to_a_nonce_is_bound_to_beacon_and_bidder() {
        let beacon = Digest::from([1; 32]);
        let one = nonce_commitment(&beacon, &key(1), &[7; 32]);
        assert_ne!(one, nonce_commitment(&beacon, &key(2), &[7; 32]));
        assert_ne!(one, nonce_commitment(&Digest::ZERO, &key(1), &[7; 32]));
        assert_ne!(one, nonce_commitment(&beacon, &key(1), &[8; 32]));
    }

    #[test]
    fn chance_1_a_commitment_to_a_secret_is_bound_to_its_place() {
        let one = secret_commitment(&Digest::ZERO, 1, &[7; 32]);
        assert_ne!(one, secret_commitment(&Digest::ZERO, 2, &[7; 32]));
        assert_ne!(one, secret_commitment(&Digest::from([1; 32]), 1, &[7; 32]));
        assert_ne!(one, secret_commitment(&Digest::ZERO, 1, &[8; 32]));
    }

    #[test]
    fn chance_6_every_part_moves_the_seed() {
        let (beacon, first, second) = (Digest::ZERO, key(1), key(2));
        let of = |secret: u8, opened: &[(u8, u8)]| {
            let keys = [first, second];
            let nonces: Vec<[u8; 32]> = opened.iter().map(|(_, nonce)| [*nonce; 32]).collect();
            seed(
                &beacon,
                &[secret; 32],
                opened
                    .iter()
                    .zip(&nonces)
                    .map(|((peer, _), nonce)| (&keys[usize::from(*peer)], nonce)),
            )
        };
        let whole = of(1, &[(0, 5), (1, 6)]);
        for other in [
            of(2, &[(0, 5), (1, 6)]),
            of(1, &[(0, 5), (1, 7)]),
            of(1, &[(1, 6), (0, 5)]),
            of(1, &[(0, 5)]),
            of(1, &[]),
        ] {
            assert_ne!(other, whole);
        }
    }

    #[test]
    fn chance_7_numbers_below_a_count_are_even() {
        let mut counts = [0_u32; 7];
        for slot in 0..7_000 {
            let number = Stream::new(&Digest::ZERO, slot).below(7);
            counts[usize::try_from(number).expect("below 7")] += 1;
        }
        // Six standard deviations of a binomial with 7,000 trials and p = 1/7.
        assert!(
            counts.iter().all(|count| count.abs_diff(1_000) < 176),
            "{counts:?}"
        );
        assert_eq!(Stream::new(&Digest::ZERO, 0).below(1), 0);
        assert_eq!(Stream::new(&Digest::ZERO, 0).below(0), 0);
    }

    #[test]
    fn chance_7_slots_have_unrelated_streams() {
        let first = Stream::new(&Digest::ZERO, 0).below(u64::MAX);
        assert_ne!(first, Stream::new(&Digest::ZERO, 1).below(u64::MAX));
        assert_ne!(
            first,
            Stream::new(&Digest::from([1; 32]), 0).below(u64::MAX)
        );
    }

    #[test]
    fn chance_7_normal_numbers_have_their_moments() {
        let mut stream = Stream::new(&Digest::ZERO, 0);
        let (mut sum, mut squares, mut fourths) = (0.0, 0.0, 0.0);
        let pairs = 50_000;
        for _ in 0..pairs {
            let (a, b) = stream.normal_pair();
            sum += a + b;
            squares += a * a + b * b;
            fourths += a.powi(4) + b.powi(4);
        }
        let count = f64::from(2 * pairs);
        assert!((sum / count).abs() < 0.02);
        assert!((squares / count - 1.0).abs() < 0.03);
        assert!((fourths / count - 3.0).abs() < 0.25);
    }
}
