//! Entries from a recorded state to one that breaks a rule. Spec: EVIDENCE-8 to EVIDENCE-13.

use symphony_proto::evidence::v1 as wire;
use symphony_transparency::{ChainEnd, Checkpoint, Digest, NodeHash};

use super::{
    Evidence, EvidenceError,
    checked::{Log, covers, record, require},
    convict::Found,
    make::minimal_note,
};
use crate::{
    fault::{Breach, Fault, Rule},
    map::{Opening, StateMap, Wanted},
    records::{Body, Entry},
    replay::link,
    state::{Payloads, State, openings},
};

/// Most rounds of finding out what the rules read: more keys than an evidence file has room for.
const ROUNDS_MAX: usize = 4096;

/// Where the state root before a window is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base<'a> {
    /// Nowhere: the window begins with entry 1.
    Genesis,
    /// In the window's first entry.
    FirstEntry,
    /// In this signed checkpoint, whose size is the index of the window's first entry.
    Checkpoint(&'a str),
}

/// What a window is made of.
#[derive(Debug)]
pub struct WindowParts<'a> {
    /// Exact bytes of entry 0.
    pub genesis: &'a [u8],
    /// Where the state root before the window is recorded.
    pub base: Base<'a>,
    /// The state before the window's first entry, with everything.
    pub state: &'a mut State,
    /// Exact bytes of the entries; the last one breaks the rule, or the checkpoint over it does.
    pub entries: &'a [Vec<u8>],
    /// The checkpoint over the last entry.
    pub checkpoint: &'a str,
    /// Proof that the last entry is in its tree.
    pub hashes: &'a [NodeHash],
}

/// A window whose parts were checked, up to its state.
struct Window {
    log: Log,
    entries: Vec<Entry>,
    checkpoint: Checkpoint,
    /// Number of entries with the window.
    size: u64,
}

pub(super) fn verify(proof: &wire::Window) -> Result<Found, EvidenceError> {
    let log = Log::begin(&proof.genesis)?;
    let base = proof
        .base
        .as_ref()
        .ok_or_else(|| EvidenceError::mismatch("window", "a base", "none"))?;
    let (state, first) = match base {
        wire::window::Base::FromGenesis(wire::GenesisBase {}) => (log.begun.state().clone(), 1),
        wire::window::Base::FromEntry(open) => {
            let bytes = proof.entries.first().map_or(&[][..], Vec::as_slice);
            let entry = Entry::parse(bytes, Some(&log.network)).map_err(record("first entry"))?;
            let root = recorded_root(&entry.body).ok_or_else(|| {
                EvidenceError::mismatch("first entry", "one that records a root", entry.body.name())
            })?;
            let state = restore(&log, open, &root)?;
            require("state", "entries", &entry.index, &state.entries())?;
            (state, entry.index)
        }
        wire::window::Base::FromCheckpoint(base) => {
            let checkpoint = log.checkpoint("base", &base.checkpoint)?;
            let open = base
                .state
                .as_ref()
                .ok_or_else(|| EvidenceError::mismatch("base", "a state", "nothing"))?;
            let state = restore(&log, open, &checkpoint.state_root)?;
            require("state", "entries", &checkpoint.size, &state.entries())?;
            (state, checkpoint.size)
        }
    };
    let window = Window::check(log, proof, first, state.time_ms())?;
    let fault = window.replay(state)?;
    Ok(Found::about(&window.log, fault))
}

/// The state root before an entry, where the entry records it.
pub(super) fn recorded_root(body: &Body) -> Option<Digest> {
    match body {
        Body::Close(close) => Some(close.state_root),
        Body::Settlement(settlement) => Some(settlement.state_root),
        Body::Draw(draw) => Some(draw.state_root),
        Body::RootRecorded(recorded) => Some(recorded.state_root),
        _ => None,
    }
}

impl Window {
    /// Checks that these are the author's entries from `first` on, each continuing the one before it.
    fn check(
        log: Log,
        proof: &wire::Window,
        first: u64,
        time_ms: u64,
    ) -> Result<Self, EvidenceError> {
        let checkpoint = log.checkpoint("checkpoint", &proof.checkpoint)?;
        let entries = proof
            .entries
            .iter()
            .map(|bytes| Entry::parse(bytes, Some(&log.network)).map_err(record("entries")))
            .collect::<Result<Vec<Entry>, _>>()?;
        let mut end = match (proof.base.as_ref(), entries.first()) {
            (Some(wire::window::Base::FromGenesis(_)), _) => *log.begun.end(),
            // That the entry before the window is the one that the first names follows from the last being the author's.
            (_, Some(entry)) => ChainEnd {
                size: first,
                last: entry.previous,
                time_ms,
            },
            // A state with nothing after it is compared with nothing.
            (_, None) => return Err(EvidenceError::mismatch("entries", "an entry", "none")),
        };
        for (entry, bytes) in entries.iter().zip(&proof.entries) {
            end = end.follow(&link(entry), bytes)?;
        }
        let last = proof.entries.last().unwrap_or(&proof.genesis);
        covers(
            "hashes",
            &checkpoint,
            end.size.saturating_sub(1),
            last,
            &proof.hashes,
        )?;
        Ok(Self {
            log,
            entries,
            checkpoint,
            size: end.size,
        })
    }

    /// Applies the entries: all but the last must keep to the rules, and the last, or the checkpoint right after it, must not.
    /// Spec: EVIDENCE-9.
    fn replay(&self, mut state: State) -> Result<Fault, EvidenceError> {
        let last = self.entries.len().saturating_sub(1);
        for (number, entry) in self.entries.iter().enumerate() {
            let applied = state.apply(entry);
            // Before anything else: what follows from a part that is not known means nothing.
            opened(&state)?;
            match applied {
                Ok(_) => {}
                Err(fault) if number == last => return Ok(fault),
                Err(fault) => return Err(EvidenceError::EarlierFault(fault)),
            }
        }
        if self.checkpoint.size != self.size {
            return Err(EvidenceError::NoFault);
        }
        let root = state.root();
        opened(&state)?;
        if root == self.checkpoint.state_root {
            return Err(EvidenceError::NoFault);
        }
        let breach = Breach::new(Rule::StateRoot, root, self.checkpoint.state_root);
        Ok(breach.at(self.log.author, self.size.saturating_sub(1)))
    }
}

fn opened(state: &State) -> Result<(), EvidenceError> {
    state
        .unopened()
        .map_or(Ok(()), |unopened| Err(EvidenceError::NotOpened(unopened)))
}

/// The part of a state that these nodes show, if its root is the recorded one.
fn restore(log: &Log, open: &wire::OpenState, root: &Digest) -> Result<State, EvidenceError> {
    let mut payloads = Payloads::new();
    let openings = open
        .nodes
        .iter()
        .map(|node| opening(node, &mut payloads))
        .collect::<Result<Vec<_>, _>>()?;
    let mut map = StateMap::from_openings(&openings)?;
    require("state", "root", root, &map.settled_root())?;
    State::restore(log.begun.state().clone(), map, &payloads).map_err(record("state"))
}

/// A node, with the payload beside it kept apart.
fn opening(node: &wire::MapNode, payloads: &mut Payloads) -> Result<Opening, EvidenceError> {
    if let Some(wire::map_node::Node::Leaf(leaf)) = &node.node
        && !leaf.payload.is_empty()
    {
        payloads.insert(leaf.key.clone(), leaf.payload.clone());
    }
    openings::read(node).map_err(record("state"))
}

fn node(opening: Opening, state: &State) -> wire::MapNode {
    let mut node = openings::bare(opening);
    if let Some(wire::map_node::Node::Leaf(leaf)) = &mut node.node {
        leaf.payload = state.payload(&leaf.key).unwrap_or_default();
    }
    node
}

impl Evidence {
    /// A window with no more of the state than the rules read, found by asking them: what is missing is opened until they convict.
    ///
    /// # Errors
    /// [`EvidenceError`]: the parts do not fit, are too large together, or break no rule.
    ///
    /// Spec: EVIDENCE-13.
    pub fn window(parts: WindowParts<'_>) -> Result<Self, EvidenceError> {
        let mut proof = wire::Window {
            genesis: parts.genesis.to_vec(),
            base: None,
            entries: parts.entries.to_vec(),
            checkpoint: minimal_note(parts.checkpoint),
            hashes: parts.hashes.iter().map(|hash| hash.to_vec()).collect(),
        };
        parts.state.root();
        let mut wanted = Wanted::default();
        wanted.add_key(b"clock");
        wanted.add_key(b"counters");
        // No rule asks for a step whose deadline it does not know, so where nothing convicts these are opened one by one.
        let mut with_deadlines = parts.state.steps_with_deadlines().into_iter();
        for _ in 0..ROUNDS_MAX {
            let open = wire::OpenState {
                nodes: parts
                    .state
                    .map()
                    .openings(&wanted)
                    .into_iter()
                    .map(|opening| node(opening, parts.state))
                    .collect(),
            };
            proof.base = Some(match parts.base {
                Base::Genesis => wire::window::Base::FromGenesis(wire::GenesisBase {}),
                Base::FirstEntry => wire::window::Base::FromEntry(open),
                Base::Checkpoint(note) => {
                    wire::window::Base::FromCheckpoint(wire::CheckpointBase {
                        checkpoint: minimal_note(note),
                        state: Some(open),
                    })
                }
            });
            match verify(&proof) {
                Ok(_) => return Self::new(wire::evidence::Proof::Window(proof)),
                Err(EvidenceError::NotOpened(unopened)) if wanted.add(&unopened) => {}
                Err(error @ EvidenceError::NoFault) => match with_deadlines.next() {
                    Some(key) => wanted.add_key(&key),
                    None => return Err(error),
                },
                Err(error) => return Err(error),
            }
        }
        Err(EvidenceError::NoFault)
    }
}
