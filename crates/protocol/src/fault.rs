//! Broken rules. A fault is a result of replay, not an error. Spec: chapter 12.

use std::fmt;

use symphony_transparency::PublicKey;

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $id:literal, $name:literal;)*) => {
        /// A rule whose breach convicts. Each has one requirement id. Spec: REPLAY-10.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* $variant,)*
        }

        impl Rule {
            /// Every rule, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The requirement id in the specification.
            pub const fn id(self) -> &'static str {
                match self { $(Self::$variant => $id,)* }
            }

            /// The rule's breach in a few words.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

rules! {
    /// An entry is not canonical, a field lies outside its range, or a foreign statement does not verify.
    Malformed = "REPLAY-20", "malformed entry";
    /// Index, previous digest or time do not continue the log.
    Chain = "REPLAY-21", "broken chain";
    /// Entry 0 is not a genesis of this network with a sufficient stamp, or a genesis stands elsewhere.
    Genesis = "REPLAY-22", "wrong genesis";
    /// A statement of the author names another place than the one where it stands.
    Origin = "REPLAY-23", "statement out of place";
    /// The very next entry is not the decision that is due.
    Duty = "REPLAY-24", "due and not settled";
    /// An entry at or after a deadline precedes the deadline's time-out.
    Overdue = "REPLAY-25", "deadline passed over";
    /// A time-out of a deadline that does not exist or has not passed.
    Timeout = "REPLAY-26", "time-out without a deadline";
    /// Two capabilities under one number, or a number that does not rise.
    CapabilitySequence = "REPLAY-27", "two capabilities under one number";
    /// A statement relies on a capability that is unknown, expired or revoked.
    Reliance = "REPLAY-28", "expired or revoked capability relied on";
    /// A beacon outside the agreed terms.
    BeaconTerms = "REPLAY-29", "beacon outside the agreed terms";
    /// A bid's match is not that of capability and beacon.
    Match = "REPLAY-30", "wrong match";
    /// Two bids of one peer for one beacon.
    BidTwice = "REPLAY-31", "two bids for one beacon";
    /// A bid that may not be made or taken: no open beacon, not asked, or below the threshold.
    BidUnexpected = "REPLAY-32", "bid out of turn";
    /// A ranking that screening does not give, or a candidate left out.
    Ranking = "REPLAY-33", "wrong ranking";
    /// A selection that the policy does not make.
    Selection = "REPLAY-34", "wrong selection";
    /// An assignment that does not carry out its selection.
    Assignment = "REPLAY-35", "assignment against its selection";
    /// Two receipts for one assignment.
    ReceiptTwice = "REPLAY-36", "two receipts for one assignment";
    /// A receipt without an assignment to its author, or after its time.
    ReceiptUnexpected = "REPLAY-37", "receipt without an assignment";
    /// A reveal that does not open its commitment, or stands before its time.
    Reveal = "REPLAY-38", "reveal that does not open its ballot";
    /// A winner, weight or support that the ballots do not give.
    Tally = "REPLAY-39", "wrong tally";
    /// An outcome or reward that the receipts, ballots and policy do not give.
    Reward = "REPLAY-40", "wrong reward";
    /// A decision on a step or task that is not open: settled twice, or never begun.
    NotOpen = "REPLAY-41", "settled twice";
    /// A recorded state root that replay does not reach.
    StateRoot = "REPLAY-42", "wrong state root";
    /// A task's answer that its plans do not give.
    TaskDecision = "REPLAY-43", "wrong answer of a task";
    /// A checkpoint whose tree root is not that of the entries.
    TreeRoot = "REPLAY-44", "checkpoint of another history";
    /// An acknowledged or named entry is missing or changed.
    Omission = "REPLAY-45", "acknowledged or named entry missing or changed";
    /// One log, two histories.
    Fork = "REPLAY-46", "fork";
    /// A call or an opening out of turn, or an opening that does not open its commitment.
    Opening = "REPLAY-47", "opening out of turn";
    /// A secret that does not open its commitment, or a seed that secret and openings do not give.
    Seed = "REPLAY-48", "wrong secret or seed";
    /// A propensity that the draw does not have.
    Propensity = "REPLAY-49", "wrong propensity";
    /// One log key, two logs.
    TwoLogs = "REPLAY-50", "two logs under one key";
    /// An import of measures that its source did not sign for, or out of turn.
    Import = "REPLAY-51", "wrong import";
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.id(), self.name())
    }
}

/// A broken rule: who, where, what the rules give and what stands there. Spec: REPLAY-11.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The peer that broke the rule, by its log key.
    pub peer: PublicKey,
    /// The rule.
    pub rule: Rule,
    /// Index of the entry that shows it, in the log that was replayed.
    pub entry: u64,
    /// What the rules give.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            peer,
            rule,
            entry,
            expected,
            found,
        } = self;
        write!(
            formatter,
            "{} broke {rule} at entry {entry}: expected {expected}, found {found}",
            peer.fmt_short()
        )
    }
}

/// A breach, before it is known who did it and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) rule: Rule,
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Breach {
    pub(crate) fn new(rule: Rule, expected: impl fmt::Display, found: impl fmt::Display) -> Self {
        Self {
            rule,
            expected: expected.to_string(),
            found: found.to_string(),
        }
    }

    pub(crate) fn at(self, peer: PublicKey, entry: u64) -> Fault {
        Fault {
            peer,
            rule: self.rule,
            entry,
            expected: self.expected,
            found: self.found,
        }
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Refuses unless two values are equal. Numbers are compared by value: −0 and NaN are not representable in entries.
pub(crate) fn require_equal<T: PartialEq + fmt::Debug>(
    rule: Rule,
    what: impl fmt::Display,
    expected: &T,
    found: &T,
) -> Result<(), Breach> {
    if expected == found {
        Ok(())
    } else {
        Err(Breach::new(
            rule,
            format_args!("{what} {expected:?}"),
            format_args!("{what} {found:?}"),
        ))
    }
}
