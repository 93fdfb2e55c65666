//! Words for what events hold.

use symphony_admin::v1;

/// The key of a peer; empty if it is not known.
pub(super) fn key(peer: Option<&v1::PeerName>) -> &str {
    peer.map_or("", |peer| peer.did_key.as_str())
}

/// The last characters of a key: enough to tell peers apart in a line.
pub(super) fn short(peer: Option<&v1::PeerName>) -> String {
    let key = key(peer);
    let cut = key.char_indices().rev().nth(7).map_or(0, |(at, _)| at);
    format!("…{}", &key[cut..])
}

/// Name of a receipt's result.
pub(super) fn result_word(class: v1::ResultClass) -> &'static str {
    match class {
        v1::ResultClass::Answered => "answered",
        v1::ResultClass::Unparsable => "unparsable",
        v1::ResultClass::Failed => "failed",
        v1::ResultClass::Abstained => "abstained",
        v1::ResultClass::Unspecified => "unknown",
    }
}

/// Name of an outcome.
pub(super) fn outcome_word(class: v1::OutcomeClass) -> &'static str {
    match class {
        v1::OutcomeClass::Won => "won",
        v1::OutcomeClass::Valid => "valid",
        v1::OutcomeClass::Invalid => "invalid",
        v1::OutcomeClass::Timeout => "timeout",
        v1::OutcomeClass::Void => "void",
        v1::OutcomeClass::Unspecified => "unknown",
    }
}

/// Why a task is not carried on.
pub(super) fn stopped_word(by: v1::StoppedBy) -> &'static str {
    match by {
        v1::StoppedBy::Client => "client",
        v1::StoppedBy::Deadline => "deadline",
        v1::StoppedBy::Unspecified => "unknown",
    }
}

/// Name of a device.
pub(super) fn device_word(device: v1::Device) -> &'static str {
    match device {
        v1::Device::Cpu => "cpu",
        v1::Device::Cuda => "cuda",
        v1::Device::Metal => "metal",
        v1::Device::Remote => "remote",
        v1::Device::Unspecified => "unknown",
    }
}
