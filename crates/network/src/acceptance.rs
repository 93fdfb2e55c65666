//! The judgement on a gossip message: Accepted, Rejected or Ignored, by a written rule.
//!
//! Rejecting costs the *forwarder* part of its score, so only what every correct forwarder could have seen for itself is
//! rejected: what the message's own bytes prove. What depends on a clock, on what a node has already seen, or on how
//! busy it is, is ignored: an honest forwarder may have known less.
//!
//! | rule | what was found | judgement |
//! |---|---|---|
//! | NET-40 | larger than 64 KiB, or empty | Reject [`RejectReason::Size`] |
//! | NET-41 | does not decode, or is not canonical | Reject [`RejectReason::Encoding`] |
//! | NET-42 | a statement of a kind that this topic does not carry | Reject [`RejectReason::Kind`] |
//! | NET-45 | its network id is another one | Ignore [`IgnoreReason::OtherNetwork`] |
//! | NET-43 | the signature does not verify | Reject [`RejectReason::Signature`] |
//! | NET-44 | its own bytes break a rule of its kind (limits, order, proof of work, hop count) | Reject [`RejectReason::Content`] |
//! | NET-46 | expired, or not valid yet, by the receiver's clock | Ignore [`IgnoreReason::OutsideValidity`] |
//! | NET-47 | known already, or older than what is known of its author | Ignore [`IgnoreReason::Known`] |
//! | NET-48 | its author, or what it refers to, is not known here | Ignore [`IgnoreReason::Unknown`] |
//! | NET-49 | its author or its forwarder is over a quota | Ignore [`IgnoreReason::OverQuota`] |
//! | NET-50 | nobody judged it in time, or too many wait | Ignore [`IgnoreReason::NotJudged`] |
//! | NET-51 | it is our own message coming back | Ignore [`IgnoreReason::Own`] |
//! | NET-53 | a beacon that is passed on with the token of the next hop, or was used up here | Ignore [`IgnoreReason::Relayed`] |
//! | NET-52 | none of these | Accept |
//!
//! This crate applies NET-40 and the forwarder's half of NET-49 and NET-50; the node applies the others, in
//! this order.

use libp2p::gossipsub::MessageAcceptance;

/// The judgement on one gossip message. See the [module](self) for the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Acceptance {
    /// The message is right and is forwarded. Spec: NET-52.
    Accept,
    /// The message is wrong by its own bytes: it is not forwarded, and its forwarder loses score.
    Reject(RejectReason),
    /// The message is of no use here: it is not forwarded, and nobody loses score.
    Ignore(IgnoreReason),
}

/// Why a message is wrong by its own bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// Spec: NET-40.
    Size,
    /// Spec: NET-41.
    Encoding,
    /// Spec: NET-42.
    Kind,
    /// Spec: NET-43.
    Signature,
    /// Spec: NET-44.
    Content,
}

/// Why a message is of no use here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IgnoreReason {
    /// Spec: NET-45.
    OtherNetwork,
    /// Spec: NET-46.
    OutsideValidity,
    /// Spec: NET-47.
    Known,
    /// Spec: NET-48.
    Unknown,
    /// Spec: NET-49.
    OverQuota,
    /// Spec: NET-50.
    NotJudged,
    /// Spec: NET-51.
    Own,
    /// The message was taken; what goes on is another one. Spec: NET-53.
    Relayed,
}

impl Acceptance {
    /// One word for a metric's label: `accepted`, or the reason.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Reject(RejectReason::Size) => "rejected_size",
            Self::Reject(RejectReason::Encoding) => "rejected_encoding",
            Self::Reject(RejectReason::Kind) => "rejected_kind",
            Self::Reject(RejectReason::Signature) => "rejected_signature",
            Self::Reject(RejectReason::Content) => "rejected_content",
            Self::Ignore(IgnoreReason::OtherNetwork) => "ignored_other_network",
            Self::Ignore(IgnoreReason::OutsideValidity) => "ignored_outside_validity",
            Self::Ignore(IgnoreReason::Known) => "ignored_known",
            Self::Ignore(IgnoreReason::Unknown) => "ignored_unknown",
            Self::Ignore(IgnoreReason::OverQuota) => "ignored_over_quota",
            Self::Ignore(IgnoreReason::NotJudged) => "ignored_not_judged",
            Self::Ignore(IgnoreReason::Own) => "ignored_own",
            Self::Ignore(IgnoreReason::Relayed) => "relayed",
        }
    }

    pub(crate) fn to_gossip(self) -> MessageAcceptance {
        match self {
            Self::Accept => MessageAcceptance::Accept,
            Self::Reject(_) => MessageAcceptance::Reject,
            Self::Ignore(_) => MessageAcceptance::Ignore,
        }
    }
}
