//! Beacons and bids. Spec: chapter 06.

use symphony_proto::statement::v1 as wire;
use symphony_transparency::{Digest, Domain, PublicKey, digest_parts, encode};

use super::{
    capability::read_embedding,
    error::{Reader, RecordError},
    origin::{Origin, check_tags, owned},
    views::{BeaconView, BidView},
};
use crate::embedding::Embedding;

/// Largest encoding of a beacon, in bytes: 64 asked peers and 8 tags fit.
const BEACON_SIZE_MAX: usize = 4 * 1024;
/// Most tags that a step requires.
pub const REQUIREMENT_TAGS_MAX: usize = 8;
/// Most peers that a directed beacon names.
pub const ASKED_MAX: usize = 64;

/// Form that a valid answer has. Spec: BEACON-4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerForm {
    /// True or False.
    Boolean,
    /// Yes or No.
    YesNo,
    /// A decimal integer.
    Integer,
    /// One capital letter in brackets, such as (B).
    Choice,
    /// Closing brackets separated by spaces.
    Brackets,
    /// Any text of 1 to 1,024 bytes.
    Text,
    /// A plan: steps that follow one another, as JSON.
    Plan,
}

impl AnswerForm {
    fn read(reader: Reader, value: i32) -> Result<Self, RecordError> {
        Ok(match wire::AnswerForm::try_from(value) {
            Ok(wire::AnswerForm::Boolean) => Self::Boolean,
            Ok(wire::AnswerForm::YesNo) => Self::YesNo,
            Ok(wire::AnswerForm::Integer) => Self::Integer,
            Ok(wire::AnswerForm::Option) => Self::Choice,
            Ok(wire::AnswerForm::Brackets) => Self::Brackets,
            Ok(wire::AnswerForm::Text) => Self::Text,
            Ok(wire::AnswerForm::Plan) => Self::Plan,
            Ok(wire::AnswerForm::Unspecified) | Err(_) => {
                return reader.refuse("form", "a known answer form", value);
            }
        })
    }

    fn write(self) -> i32 {
        match self {
            Self::Boolean => wire::AnswerForm::Boolean,
            Self::YesNo => wire::AnswerForm::YesNo,
            Self::Integer => wire::AnswerForm::Integer,
            Self::Choice => wire::AnswerForm::Option,
            Self::Brackets => wire::AnswerForm::Brackets,
            Self::Text => wire::AnswerForm::Text,
            Self::Plan => wire::AnswerForm::Plan,
        }
        .into()
    }
}

/// How a beacon travels. Spec: BEACON-3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Sent to the peers that it names.
    Directed,
    /// Gossiped within the hop limit.
    Gossip,
}

/// Announces one step. Spec: BEACON-1.
#[derive(Clone, Debug, PartialEq)]
pub struct Beacon {
    /// Where this stands in the coordinator's log.
    pub origin: Origin,
    /// Index of the entry that opened the task.
    pub task: u64,
    /// Number of the plan, from 0.
    pub plan: u32,
    /// Number of the step in its plan, from 0.
    pub step: u32,
    /// Required skills, strictly sorted.
    pub tags: Vec<String>,
    /// Embedding of the step.
    pub embedding: Embedding,
    /// Form that a valid answer has.
    pub form: AnswerForm,
    /// The beacon closes at this many foreign bids ...
    pub close_bids: u32,
    /// ... or at this time, in milliseconds since 1970.
    pub close_deadline_ms: u64,
    /// Time for an execution, in milliseconds.
    pub execute_ms: u32,
    /// Time for reveals, in milliseconds.
    pub reveal_ms: u32,
    /// How the beacon travels.
    pub reach: Reach,
    /// Hops that it may travel by gossip, 0 to 16.
    pub hop_limit: u32,
    /// End of the chain of hop tokens; without one it is not passed on. Spec: BEACON-14.
    pub hop_anchor: Option<Digest>,
    /// Log keys of the peers that are asked, strictly sorted; empty when gossiped.
    pub asked: Vec<PublicKey>,
    /// L: candidates kept by screening, 1 to 32.
    pub shortlist: u32,
    /// P: executors picked, 1 to 16 and at most L.
    pub executors: u32,
    /// Digest of the policy in force.
    pub policy: Digest,
    /// The coordinator's own bid.
    pub own_bid: Option<OwnBid>,
    /// Commitment to the coordinator's secret; none under a policy without chance.
    pub secret_commitment: Option<Digest>,
}

/// The coordinator's bid on its own beacon. Spec: BEACON-6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnBid {
    /// Index of the capability in the coordinator's log.
    pub capability: u64,
    /// Match, in parts per million.
    pub match_ppm: u32,
    /// Load, in parts per million.
    pub load_ppm: u32,
    /// Answers that wait.
    pub queue: u32,
}

impl Beacon {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Beacon");
        let value: BeaconView<'_> = reader.read(payload, BEACON_SIZE_MAX)?;
        check_tags(reader, "tags", &value.tags, REQUIREMENT_TAGS_MAX)?;
        let asked = value
            .asked
            .iter()
            .map(|key| reader.key("asked", key))
            .collect::<Result<Vec<_>, _>>()?;
        reader.strictly_sorted("asked", &asked, ASKED_MAX)?;
        let reach = match wire::Reach::try_from(value.reach) {
            Ok(wire::Reach::Directed) => Reach::Directed,
            Ok(wire::Reach::Gossip) => Reach::Gossip,
            Ok(wire::Reach::Unspecified) | Err(_) => {
                return reader.refuse("reach", "a known reach", value.reach);
            }
        };
        let own_bid = match value.own_bid {
            None => None,
            Some(bid) => Some(OwnBid {
                capability: bid.capability,
                match_ppm: reader.ppm("own_bid.match_ppm", bid.match_ppm)?,
                load_ppm: reader.ppm("own_bid.load_ppm", bid.load_ppm)?,
                queue: bid.queue,
            }),
        };
        Ok(Self {
            origin: Origin::read(reader, value.origin)?,
            task: value.task,
            plan: value.plan,
            step: value.step,
            embedding: read_embedding(reader, value.embedding)?,
            form: AnswerForm::read(reader, value.form)?,
            close_bids: reader.within("close_bids", value.close_bids, 1..=256, "1 to 256 bids")?,
            close_deadline_ms: value.close_deadline_ms,
            execute_ms: reader.within(
                "execute_ms",
                value.execute_ms,
                1..=86_400_000,
                "1 to 86400000 ms",
            )?,
            reveal_ms: reader.within(
                "reveal_ms",
                value.reveal_ms,
                1..=3_600_000,
                "1 to 3600000 ms",
            )?,
            reach,
            hop_limit: reader.within("hop_limit", value.hop_limit, 0..=16, "0 to 16 hops")?,
            hop_anchor: if value.hop_anchor.is_empty() {
                None
            } else {
                Some(reader.digest("hop_anchor", value.hop_anchor)?)
            },
            shortlist: reader.within("shortlist", value.shortlist, 1..=32, "1 to 32 candidates")?,
            executors: reader.within(
                "executors",
                value.executors,
                1..=16.min(value.shortlist),
                "1 to 16 executors, at most the shortlist",
            )?,
            policy: reader.digest("policy", value.policy)?,
            tags: owned(&value.tags),
            asked,
            own_bid,
            secret_commitment: reader
                .optional_digest("secret_commitment", value.secret_commitment)?,
        })
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        let reach = match self.reach {
            Reach::Directed => wire::Reach::Directed,
            Reach::Gossip => wire::Reach::Gossip,
        };
        encode(&wire::Beacon {
            origin: self.origin.write(),
            task: self.task,
            plan: self.plan,
            step: self.step,
            tags: self.tags.clone(),
            embedding: self.embedding.to_bytes().to_vec(),
            form: self.form.write(),
            close_bids: self.close_bids,
            close_deadline_ms: self.close_deadline_ms,
            execute_ms: self.execute_ms,
            reveal_ms: self.reveal_ms,
            reach: reach.into(),
            hop_limit: self.hop_limit,
            hop_anchor: self
                .hop_anchor
                .map_or_else(Vec::new, |anchor| anchor.as_bytes().to_vec()),
            asked: self
                .asked
                .iter()
                .map(|key| key.as_bytes().to_vec())
                .collect(),
            shortlist: self.shortlist,
            executors: self.executors,
            policy: self.policy.as_bytes().to_vec(),
            own_bid: self.own_bid.map(|bid| wire::OwnBid {
                capability: bid.capability,
                match_ppm: bid.match_ppm,
                load_ppm: bid.load_ppm,
                queue: bid.queue,
            }),
            secret_commitment: optional_bytes(self.secret_commitment),
        })
    }

    /// The requirement bucket: steps with the same tags are one kind of work. Spec: BEACON-5.
    pub fn bucket(&self) -> Digest {
        let parts: Vec<&[u8]> = self.tags.iter().map(String::as_bytes).collect();
        digest_parts(Domain::Bucket, &parts)
    }
}

/// A peer's answer to a beacon. Spec: BEACON-7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bid {
    /// Where this stands in the bidder's log.
    pub origin: Origin,
    /// Digest of the beacon's statement.
    pub beacon: Digest,
    /// Digest of the capability's statement.
    pub capability: Digest,
    /// Match, in parts per million.
    pub match_ppm: u32,
    /// Load, in parts per million (a claim).
    pub load_ppm: u32,
    /// Answers that wait (a claim).
    pub queue: u32,
    /// Price, in microunits (a claim).
    pub price_microunits: u64,
    /// Log key of the beacon's author: another peer can sign a copy of its payload, which has the same digest.
    pub coordinator: PublicKey,
    /// Commitment to the bidder's nonce; none where the beacon has no commitment to a secret.
    pub nonce_commitment: Option<Digest>,
}

impl Bid {
    /// Reads a payload.
    ///
    /// # Errors
    /// Bytes that are not canonical, or a field outside its range.
    pub fn parse(payload: &[u8]) -> Result<Self, RecordError> {
        let reader = Reader("Bid");
        let value: BidView<'_> = reader.read(payload, 512)?;
        Ok(Self {
            origin: Origin::read(reader, value.origin)?,
            beacon: reader.digest("beacon", value.beacon)?,
            capability: reader.digest("capability", value.capability)?,
            match_ppm: reader.ppm("match_ppm", value.match_ppm)?,
            load_ppm: reader.ppm("load_ppm", value.load_ppm)?,
            queue: value.queue,
            price_microunits: value.price_microunits,
            coordinator: reader.key("coordinator", value.coordinator)?,
            nonce_commitment: reader.optional_digest("nonce_commitment", value.nonce_commitment)?,
        })
    }

    /// The canonical payload.
    pub fn encode(&self) -> Vec<u8> {
        encode(&wire::Bid {
            origin: self.origin.write(),
            beacon: self.beacon.as_bytes().to_vec(),
            capability: self.capability.as_bytes().to_vec(),
            match_ppm: self.match_ppm,
            load_ppm: self.load_ppm,
            queue: self.queue,
            price_microunits: self.price_microunits,
            coordinator: self.coordinator.as_bytes().to_vec(),
            nonce_commitment: optional_bytes(self.nonce_commitment),
        })
    }
}

fn optional_bytes(digest: Option<Digest>) -> Vec<u8> {
    digest.map_or_else(Vec::new, |digest| digest.as_bytes().to_vec())
}
