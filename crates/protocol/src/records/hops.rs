//! Hops that a gossiped beacon may travel, counted by a chain of hashes.
//!
//! The author draws a *seed*; the token of the first hop is the seed, that of each further hop the hash of the one before, and
//! the beacon carries the hash of the last one as its *anchor*. A peer at hop j holds the j-th token and passes on the next.
//! To give itself hops that it did not get it would have to invert the hash; it can only pass on fewer, or fail to take its
//! own one off, which is one hop for each peer that cheats.
//!
//! Spec: BEACON-14, BEACON-15, NET-68.

use symphony_proto::gossip::v1 as wire;
use symphony_transparency::{Digest, Domain, PublicKey, digest, encode};

use super::{beacon::Beacon, error::Reader, error::RecordError};

/// Largest wrapped beacon, in bytes: the largest statement that holds a beacon, a token, a key, and the framing.
pub const RELAYED_SIZE_MAX: usize = 5 * 1024;
/// Largest statement of a beacon in it, in bytes.
const STATEMENT_SIZE_MAX: usize = 4_608;

/// The anchor of a beacon that may travel `hop_limit` hops: its seed, hashed as often. `None` for no hop.
///
/// Spec: BEACON-14.
pub fn hop_anchor(seed: &Digest, hop_limit: u32) -> Option<Digest> {
    (hop_limit > 0).then(|| (0..hop_limit).fold(*seed, |token, _| next_hop(&token)))
}

/// The token of the next hop.
///
/// Spec: BEACON-14.
pub fn next_hop(token: &Digest) -> Digest {
    digest(Domain::Hop, token.as_bytes())
}

/// The chain of tokens of one beacon, as anybody knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HopChain {
    /// Its end.
    pub anchor: Digest,
    /// How many tokens it has.
    pub hop_limit: u32,
}

impl HopChain {
    /// The chain of a beacon that travels.
    pub fn of(beacon: &Beacon) -> Option<Self> {
        Some(Self {
            anchor: beacon.hop_anchor?,
            hop_limit: beacon.hop_limit,
        })
    }

    /// The hop at which whoever holds this token is, from 1 to the limit; `None` if it is no token of this chain.
    ///
    /// Spec: BEACON-14.
    pub fn hop(&self, token: &Digest) -> Option<u32> {
        let mut hashed = *token;
        for hop in (1..=self.hop_limit).rev() {
            hashed = next_hop(&hashed);
            if hashed == self.anchor {
                return Some(hop);
            }
        }
        None
    }
}

/// A beacon on its way by gossip: the statement is its author's, everything else is the word of the peer that passes it on.
///
/// Spec: NET-68.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayedBeacon {
    /// Exact bytes of the beacon's statement, not looked at here: 1 to 4,608.
    pub statement: Vec<u8>,
    /// Token of the hop at which the receiver is.
    pub token: Digest,
    /// Log key of the peer that passes it on. It makes the copies of different peers different messages, so that gossip does
    /// not take one for the other.
    pub relay: PublicKey,
}

impl RelayedBeacon {
    /// Reads a message of the topic.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    ///
    /// Spec: NET-68.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("RelayedBeacon");
        let value: wire::RelayedBeacon = reader.decode(bytes, RELAYED_SIZE_MAX)?;
        reader.within(
            "statement",
            value.statement.len(),
            1..=STATEMENT_SIZE_MAX,
            "1 to 4608 bytes",
        )?;
        Ok(Self {
            token: reader.digest("token", &value.token)?,
            relay: reader.key("relay", &value.relay)?,
            statement: value.statement,
        })
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::RelayedBeacon {
            statement: self.statement.clone(),
            token: self.token.as_bytes().to_vec(),
            relay: self.relay.as_bytes().to_vec(),
        })
    }
}
