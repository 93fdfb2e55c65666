//! The ways to cheat: one for each fault that convicts.

use symphony_protocol::Rule;

/// Which side of a step a cheat is about, and so which peer of a network plays it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Of a peer that is given tasks.
    Coordinator,
    /// Of a peer that bids and answers.
    Executor,
}

macro_rules! cheats {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $side:ident, [$($rule:ident),+], $does:literal;)*) => {
        /// A way to cheat. Each is played by a real peer whose entries and statements are changed on their way out, with its
        /// own keys; between two deeds it works as any other peer does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Cheat {
            $($(#[$doc])* $variant,)*
        }

        impl Cheat {
            /// Every cheat, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name, as in the table and on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Who can play it.
            pub const fn side(self) -> Side {
                match self { $(Self::$variant => Side::$side,)* }
            }

            /// The rules that it may be convicted by, the most fitting first.
            pub const fn rules(self) -> &'static [Rule] {
                match self { $(Self::$variant => &[$(Rule::$rule),+],)* }
            }

            /// Whether it can be played under a policy with chance alone.
            pub const fn needs_chance(self) -> bool {
                matches!(
                    self,
                    Self::WrongSeed
                        | Self::WrongSecret
                        | Self::WrongPropensity
                        | Self::WrongDraw
                        | Self::WrongCall
                        | Self::OpeningTwice
                        | Self::NonOpeningNonce
                )
            }

            /// What the cheat does, in a few words.
            pub const fn does(self) -> &'static str {
                match self { $(Self::$variant => $does,)* }
            }
        }
    };
}

cheats! {
    /// Two histories, with checkpoints of every size for both.
    ForkEqual = "fork-equal-sizes", Coordinator, [Fork, TreeRoot],
        "shows two groups two logs, and signs checkpoints of equal sizes for both";
    /// Two histories, never with checkpoints of one size.
    ForkLeaf = "fork-leaf", Coordinator, [Fork, TreeRoot],
        "shows two groups different entries at one index, and never signs one size for both";
    /// An acknowledged bid never stands in the log.
    AcknowledgedMissing = "acknowledged-missing", Coordinator, [Omission, Duty],
        "acknowledges a bid as an entry of its log, where something else stands";
    /// A released bid does not stand where it says.
    NamedChanged = "named-changed", Executor, [Omission, Duty],
        "sends a bid that names an entry of its log, and writes something else there";
    /// A match that capability and beacon do not give.
    WrongMatch = "wrong-match", Executor, [Match, Omission],
        "bids with a better match than its capability gives";
    /// The ranking in another order.
    WrongRanking = "wrong-ranking", Coordinator, [Ranking],
        "ranks the second candidate first";
    /// A candidate that screening keeps is missing.
    CandidateLeftOut = "candidate-left-out", Coordinator, [Ranking],
        "leaves a candidate out of the ranking";
    /// A time-out of bids before its time.
    EarlyClose = "early-close", Coordinator, [Timeout],
        "closes for bids before the deadline and the number that its beacon names";
    /// Other picks than the policy's.
    WrongSelection = "wrong-selection", Coordinator, [Selection],
        "writes selections that its policy does not make";
    /// Another executor than was selected.
    AssignmentAgainst = "assignment-against-selection", Coordinator, [Assignment],
        "assigns to another peer than the one that was selected";
    /// More supporters than ballots.
    WrongTally = "wrong-tally", Coordinator, [Tally],
        "counts one supporter more than there are ballots";
    /// A reveal that does not open its ballot, from the executor.
    NonOpeningReveal = "non-opening-reveal", Executor, [Reveal],
        "reveals another salt than its ballot commits to";
    /// The coordinator counts the vote of a ballot that was not opened.
    NonOpeningCounted = "non-opening-counted", Coordinator, [Reward, Tally],
        "counts a reveal that does not open its ballot as a valid vote";
    /// A better reward.
    WrongReward = "wrong-reward", Coordinator, [Reward],
        "writes a better reward for the first executor";
    /// A settlement a second time.
    SettledTwice = "settled-twice", Coordinator, [NotOpen],
        "settles a step again that was settled before";
    /// Something else in place of a due settlement.
    DueNotSettled = "due-not-settled", Coordinator, [Duty],
        "writes something else where the settlement is due";
    /// Something else in place of a due time-out.
    DeadlinePassedOver = "deadline-passed-over", Coordinator, [Overdue],
        "goes on after a deadline without its time-out";
    /// A state root in an entry that replay does not reach.
    WrongEntryRoot = "wrong-state-root-entry", Coordinator, [StateRoot],
        "records a state root in a settlement that its log does not lead to";
    /// No root where one is due.
    RootLeftOut = "root-left-out", Executor, [Duty],
        "writes something else where its state root is due";
    /// A recorded root that replay does not reach.
    WrongRecordedRoot = "wrong-recorded-root", Executor, [StateRoot],
        "records a state root where it is due that its log does not lead to";
    /// A state root in a checkpoint that replay does not reach.
    WrongCheckpointRoot = "wrong-state-root-checkpoint", Coordinator, [StateRoot],
        "signs a checkpoint with a state root that its log does not lead to";
    /// Another answer of a task than its plans give.
    WrongAnswer = "wrong-task-answer", Coordinator, [TaskDecision],
        "decides a task with an answer that its plans do not give";
    /// Two capabilities under one number.
    TwoCapabilities = "two-capabilities", Executor, [CapabilitySequence, Omission],
        "signs two different capabilities under one number";
    /// Two bids for one beacon.
    TwoBids = "two-bids", Executor, [BidTwice, Omission],
        "sends two different bids for one beacon";
    /// Statements of two logs.
    TwoLogs = "two-logs", Executor, [TwoLogs],
        "signs bids of two logs with one key";
    /// Two receipts for one assignment.
    TwoReceipts = "two-receipts", Executor, [ReceiptTwice, Omission],
        "sends two different receipts for one assignment";
    /// A bid that rests on a revoked capability.
    RevokedReliance = "revoked-capability", Executor, [Reliance],
        "revokes its capability in its log and goes on bidding with it";
    /// A bid that rests on an expired capability.
    ExpiredReliance = "expired-capability", Executor, [Reliance],
        "goes on bidding with a capability whose validity is over";
    /// An entry that is not canonical.
    Malformed = "malformed-entry", Coordinator, [Malformed],
        "appends an entry with a byte too many";
    /// An entry earlier than the one before it.
    TimeBackwards = "time-backwards", Coordinator, [Chain],
        "dates an entry before the one that it follows";
    /// A statement that names another place than its own.
    OutOfPlace = "statement-out-of-place", Executor, [Origin, Omission],
        "sends a bid that names another entry than the one where it stands";
    /// A receipt whose assignment its log does not hold.
    ReceiptWithoutAssignment = "receipt-without-assignment", Executor, [ReceiptUnexpected, Omission, Duty],
        "answers an assignment that its log does not hold";
    /// A beacon whose terms nobody agreed to.
    BeaconTerms = "beacon-terms", Coordinator, [BeaconTerms, Omission],
        "announces a step under another policy than the one in force";
    /// A seed that secret and openings do not give.
    WrongSeed = "wrong-seed", Coordinator, [Seed],
        "draws with a seed that secret and nonces do not give";
    /// A secret that the beacon does not commit to.
    WrongSecret = "wrong-secret", Coordinator, [Seed],
        "draws with another secret than its beacon commits to";
    /// A propensity that makes a pick look rarer than it was.
    WrongPropensity = "wrong-propensity", Coordinator, [Propensity],
        "writes a smaller propensity for its first pick than the draw had";
    /// The own record, a second time, as that of another.
    WrongImport = "wrong-import", Coordinator, [Import],
        "takes its own measures in as those of another peer, so that they count twice";
    /// Other picks than the seed's.
    WrongDraw = "wrong-draw", Coordinator, [Selection],
        "picks in another order than the seed gives";
    /// A call that names another close.
    WrongCall = "wrong-call", Coordinator, [Opening, Omission],
        "calls for openings with the digest of another close than its own";
    /// An opening a second time.
    OpeningTwice = "opening-twice", Coordinator, [Opening],
        "takes an opening again that it has drawn with before";
    /// A nonce that the bid does not commit to.
    NonOpeningNonce = "non-opening-nonce", Executor, [Opening, Omission],
        "opens another nonce than its bid commits to";
}
