//! The messages that entries consist of, as they are read in place. Params and what holds them are rare, and decoded.
//!
//! Whoever changes one of these messages in the schema lists the field here too: otherwise this does not compile.

use symphony_proto::{log::v1 as log, statement::v1 as statement};
use symphony_transparency::{
    canonical::{Fields, View},
    canonical_views, decode_canonical,
};

canonical_views! {
    pub(super) OriginView<'a> of statement::Origin {
        log_id: &'a [u8] = 1,
        index: u64 = 2,
    }

    pub(super) CapabilityView<'a> of statement::Capability {
        origin: Option<OriginView<'a>> = 1,
        sequence: u64 = 2,
        tags: Vec<&'a str> = 3,
        embedding: &'a [u8] = 4,
        models: Vec<ModelView<'a>> = 5,
        price_microunits: u64 = 6,
        parallel_max: u32 = 7,
        valid_from_ms: u64 = 8,
        valid_until_ms: u64 = 9,
    }

    pub(super) ModelView<'a> of statement::Model {
        name: &'a str = 1,
        digest: &'a [u8] = 2,
        context_tokens: u32 = 3,
    }

    pub(super) RevocationView<'a> of statement::Revocation {
        origin: Option<OriginView<'a>> = 1,
        sequence: u64 = 2,
    }

    pub(super) BeaconView<'a> of statement::Beacon {
        origin: Option<OriginView<'a>> = 1,
        task: u64 = 2,
        plan: u32 = 3,
        step: u32 = 4,
        tags: Vec<&'a str> = 5,
        embedding: &'a [u8] = 6,
        form: i32 = 7,
        close_bids: u32 = 8,
        close_deadline_ms: u64 = 9,
        execute_ms: u32 = 10,
        reveal_ms: u32 = 11,
        reach: i32 = 12,
        hop_limit: u32 = 13,
        asked: Vec<&'a [u8]> = 14,
        shortlist: u32 = 15,
        executors: u32 = 16,
        policy: &'a [u8] = 17,
        own_bid: Option<OwnBidView> = 18,
        secret_commitment: &'a [u8] = 19,
        hop_anchor: &'a [u8] = 20,
    }

    pub(super) OwnBidView of statement::OwnBid {
        capability: u64 = 1,
        match_ppm: u32 = 2,
        load_ppm: u32 = 3,
        queue: u32 = 4,
    }

    pub(super) BidView<'a> of statement::Bid {
        origin: Option<OriginView<'a>> = 1,
        beacon: &'a [u8] = 2,
        capability: &'a [u8] = 3,
        match_ppm: u32 = 4,
        load_ppm: u32 = 5,
        queue: u32 = 6,
        price_microunits: u64 = 7,
        coordinator: &'a [u8] = 8,
        nonce_commitment: &'a [u8] = 9,
    }

    pub(super) CallView<'a> of statement::Call {
        origin: Option<OriginView<'a>> = 1,
        beacon: &'a [u8] = 2,
        close: &'a [u8] = 3,
    }

    pub(super) OpeningView<'a> of statement::Opening {
        origin: Option<OriginView<'a>> = 1,
        beacon: &'a [u8] = 2,
        coordinator: &'a [u8] = 3,
        nonce: &'a [u8] = 4,
    }

    pub(super) AssignmentView<'a> of statement::Assignment {
        origin: Option<OriginView<'a>> = 1,
        beacon: &'a [u8] = 2,
        slot: u32 = 3,
        executor: &'a [u8] = 4,
        prompt: &'a [u8] = 5,
        key_commitment: &'a [u8] = 6,
        execute_ms: u32 = 7,
        reveal_ms: u32 = 8,
    }

    pub(super) ReceiptView<'a> of statement::Receipt {
        origin: Option<OriginView<'a>> = 1,
        assignment: &'a [u8] = 2,
        model: &'a [u8] = 3,
        device: i32 = 4,
        temperature_ppm: u32 = 5,
        output_tokens_max: u32 = 6,
        output: &'a [u8] = 7,
        prompt_tokens: u32 = 8,
        output_tokens: u32 = 9,
        duration_ms: u64 = 10,
        class: i32 = 11,
        ballot: &'a [u8] = 12,
    }

    pub(super) RevealView<'a> of statement::Reveal {
        origin: Option<OriginView<'a>> = 1,
        assignment: &'a [u8] = 2,
        answer: &'a [u8] = 3,
        confidence_ppm: u32 = 4,
        salt: &'a [u8] = 5,
    }

    pub(super) AcknowledgementView<'a> of statement::Acknowledgement {
        origin: Option<OriginView<'a>> = 1,
        statement: &'a [u8] = 2,
    }

    /// Each kind of entry that holds a statement of the author has this shape.
    pub(super) IssuedView<'a> of log::CapabilityIssued {
        payload: &'a [u8] = 1,
    }

    /// Each kind of entry that holds a foreign statement and nothing else has this shape.
    pub(super) ReceivedView<'a> of log::CapabilityReceived {
        statement: &'a [u8] = 1,
    }

    pub(super) BidIssuedView<'a> of log::BidIssued {
        payload: &'a [u8] = 1,
        beacon: &'a [u8] = 2,
    }

    pub(super) RevealReceivedView<'a> of log::RevealReceived {
        statement: &'a [u8] = 1,
        check: i32 = 2,
        checker: i32 = 3,
    }

    pub(super) TaskOpenedView<'a> of log::TaskOpened {
        key_commitment: &'a [u8] = 1,
        plan_steps: Vec<u32> = 2,
    }

    pub(super) TimeoutView of log::Timeout {
        beacon: u64 = 1,
        phase: i32 = 2,
        slot: u32 = 3,
    }

    pub(super) CloseView<'a> of log::Close {
        beacon: u64 = 1,
        ranking: Vec<RankedView<'a>> = 2,
        selections: Vec<SelectionView<'a>> = 3,
        state_root: &'a [u8] = 4,
    }

    pub(super) RankedView<'a> of log::Ranked {
        bid: u64 = 1,
        score: &'a [u8] = 2,
    }

    pub(super) SelectionView<'a> of log::Selection {
        bid: u64 = 1,
        features: &'a [u8] = 2,
        estimate: &'a [u8] = 3,
        width: &'a [u8] = 4,
        propensity: &'a [u8] = 5,
    }

    pub(super) ReplacementView<'a> of log::Replacement {
        beacon: u64 = 1,
        slot: u32 = 2,
        selection: Option<SelectionView<'a>> = 3,
    }

    pub(super) OutcomeView<'a> of log::Outcome {
        class: i32 = 1,
        latency_ms: u64 = 2,
        reward: &'a [u8] = 3,
    }

    pub(super) SettlementView<'a> of log::Settlement {
        beacon: u64 = 1,
        answer: &'a [u8] = 2,
        weight: &'a [u8] = 3,
        supporters: u32 = 4,
        outcomes: Vec<OutcomeView<'a>> = 5,
        state_root: &'a [u8] = 6,
    }

    pub(super) OpeningIssuedView<'a> of log::OpeningIssued {
        payload: &'a [u8] = 1,
        call: &'a [u8] = 2,
    }

    pub(super) DrawView<'a> of log::Draw {
        beacon: u64 = 1,
        secret: &'a [u8] = 2,
        seed: &'a [u8] = 3,
        selections: Vec<SelectionView<'a>> = 4,
        state_root: &'a [u8] = 5,
    }

    pub(super) TaskDecidedView<'a> of log::TaskDecided {
        task: u64 = 1,
        answer: &'a [u8] = 2,
        weight: &'a [u8] = 3,
    }

    pub(super) RootRecordedView<'a> of log::RootRecorded {
        state_root: &'a [u8] = 1,
    }
}

/// An entry. Its body is a oneof, which a list of fields cannot say.
pub(super) struct EntryView<'a> {
    pub(super) index: u64,
    pub(super) previous: &'a [u8],
    pub(super) time_ms: u64,
    pub(super) body: Option<BodyView<'a>>,
}

/// What an entry says.
pub(super) enum BodyView<'a> {
    Genesis(Box<log::Genesis>),
    PolicySet(Box<log::PolicySet>),
    CapabilityIssued(IssuedView<'a>),
    RevocationIssued(IssuedView<'a>),
    TaskOpened(TaskOpenedView<'a>),
    BeaconIssued(IssuedView<'a>),
    BidIssued(BidIssuedView<'a>),
    AssignmentIssued(IssuedView<'a>),
    ReceiptIssued(IssuedView<'a>),
    RevealIssued(IssuedView<'a>),
    CapabilityReceived(ReceivedView<'a>),
    RevocationReceived(ReceivedView<'a>),
    BidReceived(ReceivedView<'a>),
    AssignmentReceived(ReceivedView<'a>),
    ReceiptReceived(ReceivedView<'a>),
    RevealReceived(RevealReceivedView<'a>),
    AcknowledgementReceived(ReceivedView<'a>),
    Timeout(TimeoutView),
    Resumed,
    Close(CloseView<'a>),
    Replacement(ReplacementView<'a>),
    Settlement(SettlementView<'a>),
    TaskDecided(TaskDecidedView<'a>),
    CallIssued(IssuedView<'a>),
    OpeningIssued(OpeningIssuedView<'a>),
    OpeningReceived(ReceivedView<'a>),
    Draw(DrawView<'a>),
    RootRecorded(RootRecordedView<'a>),
    MeasuresImported(Box<log::MeasuresImported>),
}

impl<'a> View<'a> for EntryView<'a> {
    type Message = log::Entry;

    fn read(fields: &mut Fields<'a>) -> Option<Self> {
        Some(Self {
            index: fields.field(1)?,
            previous: fields.field(2)?,
            time_ms: fields.field(3)?,
            body: match fields.member(4..=32)? {
                Some((number, content)) => Some(BodyView::read(number, content)?),
                None => None,
            },
        })
    }
}

impl<'a> BodyView<'a> {
    fn read(number: u8, content: &'a [u8]) -> Option<Self> {
        Some(match number {
            4 => Self::Genesis(Box::new(decoded(content)?)),
            5 => Self::PolicySet(Box::new(decoded(content)?)),
            6 => Self::CapabilityIssued(View::whole(content)?),
            7 => Self::RevocationIssued(View::whole(content)?),
            8 => Self::TaskOpened(View::whole(content)?),
            9 => Self::BeaconIssued(View::whole(content)?),
            10 => Self::BidIssued(View::whole(content)?),
            11 => Self::AssignmentIssued(View::whole(content)?),
            12 => Self::ReceiptIssued(View::whole(content)?),
            13 => Self::RevealIssued(View::whole(content)?),
            14 => Self::CapabilityReceived(View::whole(content)?),
            15 => Self::RevocationReceived(View::whole(content)?),
            16 => Self::BidReceived(View::whole(content)?),
            17 => Self::AssignmentReceived(View::whole(content)?),
            18 => Self::ReceiptReceived(View::whole(content)?),
            19 => Self::RevealReceived(View::whole(content)?),
            20 => Self::AcknowledgementReceived(View::whole(content)?),
            21 => Self::Timeout(View::whole(content)?),
            22 if content.is_empty() => Self::Resumed,
            23 => Self::Close(View::whole(content)?),
            24 => Self::Replacement(View::whole(content)?),
            25 => Self::Settlement(View::whole(content)?),
            26 => Self::TaskDecided(View::whole(content)?),
            27 => Self::CallIssued(View::whole(content)?),
            28 => Self::OpeningIssued(View::whole(content)?),
            29 => Self::OpeningReceived(View::whole(content)?),
            30 => Self::Draw(View::whole(content)?),
            31 => Self::RootRecorded(View::whole(content)?),
            32 => Self::MeasuresImported(Box::new(decoded(content)?)),
            _ => return None,
        })
    }
}

/// A part of a message that is rare: decoded and encoded again, within the size that the whole message may have.
fn decoded<M: prost::Message + Default>(content: &[u8]) -> Option<M> {
    decode_canonical(content, content.len()).ok()
}
