//! A conviction in words that need no knowledge of the protocol.

use super::convict::Found;
use crate::fault::Rule;

/// What was done, which rule that breaks, and why the evidence proves it.
pub(super) fn explain(found: &Found, kind: &str) -> String {
    let fault = &found.fault;
    format!(
        "The peer {peer} {did} (rule {rule}, entry {entry} of its own log). By the rules there must be: {expected}. It \
         signed instead: {was}. {why}",
        peer = fault.peer,
        did = did(fault.rule),
        rule = fault.rule.id(),
        entry = fault.entry,
        expected = fault.expected,
        was = fault.found,
        why = why(kind),
    )
}

fn did(rule: Rule) -> &'static str {
    match rule {
        Rule::Malformed => {
            "wrote an entry into its log that is not one, or that holds a statement which nobody signed"
        }
        Rule::Chain => "wrote an entry that does not continue the entry before it",
        Rule::Genesis => "began its log a second time in the middle",
        Rule::Origin => "signed a statement that names another place than the one where it stands",
        Rule::Duty => "did something else where one certain decision was due",
        Rule::Overdue => "went on after a deadline as if it had not passed",
        Rule::Timeout => "declared a deadline passed that was not the next one, or had not passed",
        Rule::CapabilitySequence => "published two different capabilities under one number",
        Rule::Reliance => "relied on a capability that was unknown, expired or withdrawn",
        Rule::BeaconTerms => "announced a step outside the terms that the network agreed on",
        Rule::Match => "claimed another match between its capability and the task than there is",
        Rule::BidTwice => "made two different bids for one step",
        Rule::BidUnexpected => "made or took a bid that the rules do not allow there",
        Rule::Ranking => {
            "ranked the candidates otherwise than the agreed screening does, or left one out"
        }
        Rule::Selection => "selected otherwise than its announced policy does",
        Rule::Assignment => {
            "ordered an execution that is not the one it had selected, or took an order to somebody else"
        }
        Rule::ReceiptTwice => "signed two different receipts for one order",
        Rule::ReceiptUnexpected => {
            "signed or took a receipt for which there was no order, or too late"
        }
        Rule::Reveal => {
            "opened its sealed ballot with something else than it had sealed, or out of turn"
        }
        Rule::Tally => "announced another result of a vote than its ballots give",
        Rule::Reward => {
            "recorded another outcome or reward than the receipts, ballots and its policy give"
        }
        Rule::NotOpen => "decided something that was not open to be decided",
        Rule::StateRoot => "signed another state than the one that its own entries lead to",
        Rule::TaskDecision => "announced another answer of a task than its plans give",
        Rule::TreeRoot => {
            "signed checkpoints of two histories, one of which does not continue the other"
        }
        Rule::Omission => "left out or rewrote an entry that it had vouched for with its signature",
        Rule::Fork => "keeps two histories of one log",
        Rule::Opening => {
            "called for, made or took an opening that the rules do not allow there, or that opens nothing"
        }
        Rule::Seed => {
            "drew with a secret that it had not committed to, or with a seed that secret and nonces do not give"
        }
        Rule::Propensity => "recorded another probability of a pick than its policy gives it",
        Rule::TwoLogs => "keeps two logs under one key",
        Rule::Import => {
            "took in measures that are not those which their source signed for, or that the rules do not allow there"
        }
    }
}

fn why(kind: &str) -> &'static str {
    match kind {
        "two_capabilities" | "two_bids" | "two_receipts" => {
            "Both statements are in this file with the peer's signature; a peer that keeps to the rules signs only one."
        }
        "two_logs" => {
            "Both statements are in this file with the peer's signature, and each names another log as the one where it stands; a \
             key signs for one log, and a peer that has to begin a new one takes a new key."
        }
        "bid_match" => {
            "The signed bid names its capability and the announced step by their digests, both are in this file, and anyone can \
             compute the match of the two again."
        }
        "closed_ballot" => {
            "The receipt with the sealed ballot and the attempt to open it are in this file, both with the peer's signature, and \
             they do not fit."
        }
        "two_checkpoints" => {
            "Both checkpoints are in this file with the peer's signature, and no one log has both."
        }
        "two_entries" => {
            "Both entries are in this file, each with a checkpoint that the peer signed over it; a log has one entry at each place."
        }
        "broken_word" => {
            "The statement that names the place and the entry that stands there are in this file, both under the peer's signature."
        }
        "lone_entry" => {
            "The entry is in this file, with a checkpoint that the peer signed over it."
        }
        "broken_link" => {
            "Both entries are in this file, with checkpoints that the peer signed over them, and they are neighbours there."
        }
        _ => {
            "This file holds the entries with a checkpoint that the peer signed over them, and the parts of the peer's own \
             recorded state that the rules read; computing the entries again from there gives another result than the peer wrote."
        }
    }
}
