//! Two statements where a peer may sign one only.

use std::rc::Rc;

use symphony_protocol::{
    Fault, Rule,
    records::{Bid, Capability, Receipt, origin_of},
};
use symphony_transparency::{Digest, PublicKey, StatementKind, VerifiedStatement};

use super::auditor::{Auditor, Basis, Exposure};

/// First statements kept, to be compared with later ones on the same matter; the oldest matters go first.
const FIRSTS_MAX: usize = 4_096;

/// A matter on which a peer may sign one statement only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Matter {
    Capability(Digest, u64),
    Bid(PublicKey, Digest),
    Receipt(Digest),
}

impl Auditor {
    pub(super) fn compare_first(&mut self, statement: &VerifiedStatement) -> Option<Exposure> {
        let payload = statement.payload();
        let (matter, rule, entry) = match statement.kind() {
            StatementKind::Capability => {
                let record = Capability::parse(payload).ok()?;
                let matter = Matter::Capability(record.origin.log, record.sequence);
                (matter, Rule::CapabilitySequence, record.origin.index)
            }
            StatementKind::Bid => {
                let record = Bid::parse(payload).ok()?;
                (
                    Matter::Bid(record.coordinator, record.beacon),
                    Rule::BidTwice,
                    record.origin.index,
                )
            }
            StatementKind::Receipt => {
                let record = Receipt::parse(payload).ok()?;
                let matter = Matter::Receipt(record.assignment);
                (matter, Rule::ReceiptTwice, record.origin.index)
            }
            _ => return None,
        };
        let key = (*statement.author(), matter);
        let Some(first) = self.firsts.get(&key) else {
            if self.firsts.len() >= FIRSTS_MAX {
                self.firsts.pop_first();
            }
            self.firsts.insert(key, Rc::new(statement.clone()));
            return None;
        };
        if first.payload_digest() == statement.payload_digest() {
            return None;
        }
        // Under two logs they are no two statements of one matter: that there are two logs convicts by itself (STORE-24).
        let log = |statement| origin_of(statement).map(|origin| origin.log);
        let rule = if log(first) == log(statement) {
            rule
        } else {
            Rule::TwoLogs
        };
        Some(Exposure {
            fault: Fault {
                peer: *statement.author(),
                rule,
                entry,
                expected: format!("statement {}", first.payload_digest()),
                found: format!("statement {}", statement.payload_digest()),
            },
            basis: Basis::Pair {
                first: first.clone(),
                second: Rc::new(statement.clone()),
            },
        })
    }
}
