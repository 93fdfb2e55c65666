//! Whether a checkpoint is witnessed.

use super::{Member, PolicyName, Quorum, TrustPolicy};
use crate::SignedCheckpoint;

/// A checkpoint that a policy takes for witnessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// All witnesses of the policy whose cosignatures hold, in the order of the file; more than the quorum needs, perhaps.
    pub by: Vec<WitnessedBy>,
}

/// One cosignature that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessedBy {
    /// The witness' name in the policy.
    pub witness: PolicyName,
    /// When it cosigned, in seconds since 1970-01-01 UTC, as it says; the latest if it did so repeatedly.
    pub time_s: u64,
}

/// Why a checkpoint is not witnessed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotWitnessed {
    /// The policy lists logs, and not this one under this key.
    #[error("the policy does not list the log {origin} with the key that signed")]
    UnknownLog {
        /// Origin of the checkpoint.
        origin: String,
    },
    /// Too few of the policy's witnesses cosigned.
    #[error("the quorum {quorum} is not reached: {}", by_whom(.by))]
    Quorum {
        /// The witness or group that had to witness.
        quorum: PolicyName,
        /// The witnesses whose cosignatures hold.
        by: Vec<WitnessedBy>,
    },
}

impl TrustPolicy {
    /// Decides whether a checkpoint is witnessed: signed by a listed log (by any, if none is listed: that its log signed was
    /// checked before), and cosigned as the quorum asks. Times of cosignatures are told, not judged.
    ///
    /// # Errors
    /// [`NotWitnessed`].
    ///
    /// Spec: WITNESS-10.
    pub fn witnessed(&self, signed: &SignedCheckpoint) -> Result<Witnessed, NotWitnessed> {
        let origin = signed.checkpoint().origin();
        let is_listed = self.logs.iter().any(|log| {
            log.key.name() == origin && signed.note().verify(&origin, log.key.key()).is_ok()
        });
        if !self.logs.is_empty() && !is_listed {
            return Err(NotWitnessed::UnknownLog { origin });
        }

        // A group names earlier members only, so one pass over the lines decides all of them.
        let mut by = Vec::new();
        let mut has_witnessed: Vec<bool> = Vec::with_capacity(self.members.len());
        for member in &self.members {
            let holds = match member {
                Member::Witness(witness) => match witness.cosigner.verify(signed.note()) {
                    Ok(time_s) => {
                        by.push(WitnessedBy {
                            witness: witness.name.clone(),
                            time_s,
                        });
                        true
                    }
                    Err(_) => false,
                },
                Member::Group {
                    threshold, members, ..
                } => {
                    let count = members.iter().filter(|member| has_witnessed[**member]);
                    count.count() >= *threshold
                }
            };
            has_witnessed.push(holds);
        }
        match self.quorum {
            Quorum::Member(position) if !has_witnessed[position] => Err(NotWitnessed::Quorum {
                quorum: self.members[position].name().clone(),
                by,
            }),
            Quorum::Member(_) | Quorum::None => Ok(Witnessed { by }),
        }
    }
}

fn by_whom(by: &[WitnessedBy]) -> String {
    if by.is_empty() {
        return "none of its witnesses cosigned".to_owned();
    }
    let names: Vec<String> = by.iter().map(|by| by.witness.to_string()).collect();
    format!("only {} cosigned", names.join(", "))
}
