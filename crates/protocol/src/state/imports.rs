//! What other peers measured: taken in with its proof, weighed by how well it foretells the own outcomes.
//!
//! A source's word is one forecast beside that of the own record. Each settlement multiplies what it weighs by how much more
//! probable it called the outcome. So a liar costs next to nothing, whatever it says, and an honest source is soon believed.
//!
//! Spec: chapter 21.

use std::collections::BTreeMap;

use symphony_proto::evidence::v1::{MapNode, map_node::Node};
use symphony_transparency::{Digest, PublicKey, SignedCheckpoint};

use super::{BucketMeasures, Key, State, encoding, openings, values};
use crate::{
    fault::{Breach, Rule},
    map::{Opening, StateMap, Wanted},
    number::normalised,
    records::{MeasuresImported, Params, RecordError, TakenMeasures},
};

/// Most sources at a time. Spec: IMPORT-4.
pub const SOURCES_MAX: usize = 4;
/// Most claims in one entry. Spec: IMPORT-2.
pub const CLAIMS_MAX: usize = 8;
/// More settlements of a source than these say no more than these. Spec: IMPORT-6.
const SETTLEMENTS_MAX: u64 = 20;
/// What a source may weigh at most against the own record: one that begins to lie is out after a few lies. Spec: IMPORT-7.
pub(super) const ODDS_MAX: f64 = 16.0;
/// A source that weighs less weighs nothing.
const ODDS_MIN: f64 = 1e-12;
/// No forecast is held to be surer than this. Spec: IMPORT-7.
const SURE: f64 = 0.99;

/// A peer whose measures are taken in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Source {
    /// Size of the checkpoint that they were taken from.
    pub size: u64,
    /// What its word weighs now against the own record.
    pub odds: f64,
}

/// What a source measured of a peer at one kind of step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Claim {
    /// Size of the checkpoint; if it is not that of the source any more, the claim says nothing.
    pub size: u64,
    /// Settled selections, at least 1.
    pub settlements: u64,
    /// Settled selections that succeeded.
    pub wins: u64,
    /// Mean of rewards, in 0 to 1.
    pub reputation: f64,
}

/// Sources by their log keys.
pub(super) type Sources = BTreeMap<PublicKey, Source>;
/// Claims by the log keys of their sources.
pub(super) type Claims = BTreeMap<PublicKey, Claim>;

/// What is expected of a peer, before or after sources were heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Belief {
    pub(super) prior: f64,
    pub(super) reputation: f64,
}

impl Claim {
    /// The same numbers, had the source's settlements been the own ones, of which so many count. Spec: IMPORT-6.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts are at most 2^53; the cast rounds to nearest everywhere"
    )]
    fn belief(&self, own: &BucketMeasures, params: &Params) -> Belief {
        let success = f64::from(params.prior_success_milli());
        let failure = f64::from(params.prior_failure_milli());
        let settlements = self.settlements.min(SETTLEMENTS_MAX) as f64;
        let wins = settlements * self.wins as f64 / self.settlements as f64;
        let (own_settlements, own_wins) = (own.settlements as f64, own.wins as f64);
        let samples = own_settlements + 1.0;
        Belief {
            prior: (1000.0 * (own_wins + wins) + success)
                / (1000.0 * (own_settlements + settlements) + (success + failure)),
            reputation: (samples * own.reputation + settlements * self.reputation)
                / (samples + settlements),
        }
    }
}

impl Belief {
    fn own(measures: &BucketMeasures, params: &Params) -> Self {
        Self {
            prior: measures.prior(params),
            reputation: measures.reputation,
        }
    }

    /// The probability that this belief gave to what happened.
    fn of(&self, succeeded: bool) -> f64 {
        let success = self.prior.clamp(1.0 - SURE, SURE);
        if succeeded { success } else { 1.0 - success }
    }
}

impl State {
    /// Peers whose measures are taken in, by their log keys.
    pub fn sources(&self) -> BTreeMap<PublicKey, Source> {
        self.imports.rows().get(&()).cloned().unwrap_or_default()
    }

    /// What is taken in of a peer at one kind of step: claims that still say something, with what their sources weigh.
    /// Nothing is looked up where there is no source. Spec: IMPORT-5, EVIDENCE-12.
    fn heard(&self, bucket: &Digest, peer: &PublicKey) -> Option<(Sources, Claims)> {
        if self.counters.sources == 0 || *peer == self.author {
            return None;
        }
        let sources = self.imports.get(&()).cloned().unwrap_or_default();
        let mut claims = self
            .imported
            .get(&(*bucket, *peer))
            .cloned()
            .unwrap_or_default();
        claims.retain(|source, claim| holds(&sources, source, claim));
        Some((sources, claims))
    }

    /// What is expected of a peer at one kind of step, all sources heard. Spec: IMPORT-6.
    pub(super) fn belief(
        &self,
        bucket: &Digest,
        peer: &PublicKey,
        measures: &BucketMeasures,
    ) -> Belief {
        let own = Belief::own(measures, &self.params);
        let Some((sources, claims)) = self.heard(bucket, peer) else {
            return own;
        };
        let (mut prior, mut reputation, mut weight) = (own.prior, own.reputation, 1.0);
        for (peer, source) in &sources {
            let said = claims
                .get(peer)
                .map_or(own, |claim| claim.belief(measures, &self.params));
            prior += source.odds * said.prior;
            reputation += source.odds * said.reputation;
            weight += source.odds;
        }
        Belief {
            prior: normalised(prior / weight),
            reputation: normalised(reputation / weight),
        }
    }

    /// What sources foretold is compared with what happened. Spec: IMPORT-7.
    pub(super) fn judge_sources(
        &mut self,
        bucket: &Digest,
        peer: &PublicKey,
        measures: &BucketMeasures,
        succeeded: bool,
    ) {
        let Some((mut sources, claims)) = self.heard(bucket, peer) else {
            return;
        };
        if claims.is_empty() {
            return;
        }
        let own = Belief::own(measures, &self.params).of(succeeded);
        for (peer, claim) in &claims {
            if let Some(source) = sources.get_mut(peer) {
                let said = claim.belief(measures, &self.params).of(succeeded);
                let odds = normalised(source.odds * (said / own)).min(ODDS_MAX);
                source.odds = if odds < ODDS_MIN { 0.0 } else { odds };
            }
        }
        self.imports.insert((), sources);
        self.touch(Key::Imports);
    }

    /// A peer is measured anew: what sources said of it is older than the change. Spec: IMPORT-8.
    pub(super) fn forget_claims(&mut self, bucket: &Digest, peer: &PublicKey) {
        if self.counters.sources > 0 && *peer != self.author {
            self.imported.remove(&(*bucket, *peer));
            self.touch(Key::Imported(*bucket, *peer));
        }
    }

    /// What an import shows by itself: claims of the source, under the root that it signed for. Spec: IMPORT-2, IMPORT-3.
    pub(super) fn check_import(&self, import: &MeasuresImported) -> Result<(), Breach> {
        if import.source == self.author {
            return Err(wrong("another peer's measures", "the author's own"));
        }
        if let Some(taken) = &import.taken {
            let claims = claims_of(&import.source, taken)?;
            if claims.iter().any(|(_, peer, _)| *peer == self.author) {
                return Err(wrong("measures of others", "measures of the author"));
            }
        }
        Ok(())
    }

    /// Spec: IMPORT-4, IMPORT-5.
    pub(super) fn apply_measures_imported(
        &mut self,
        import: &MeasuresImported,
    ) -> Result<(), Breach> {
        let mut sources = if self.counters.sources > 0 {
            self.imports.get(&()).cloned().unwrap_or_default()
        } else {
            Sources::new()
        };
        let known = sources.get(&import.source).copied();
        let Some(taken) = &import.taken else {
            if known.is_none() {
                return Err(wrong("a source that is taken in", "another peer"));
            }
            sources.remove(&import.source);
            self.keep_sources(sources);
            return Ok(());
        };
        let size = taken.checkpoint.size;
        let weight = crate::number::ratio_ppm(taken.weight_ppm.into());
        let odds = match known {
            Some(known) if size < known.size => {
                return Err(wrong(
                    format_args!("a checkpoint of size {} or more", known.size),
                    size,
                ));
            }
            Some(known) => known.odds.min(weight),
            None if sources.len() >= SOURCES_MAX => {
                return Err(wrong(
                    format_args!("{SOURCES_MAX} sources at most"),
                    "one more",
                ));
            }
            None => weight,
        };
        let claims = claims_of(&import.source, taken)?;
        sources.insert(import.source, Source { size, odds });
        for (bucket, peer, claim) in claims {
            let mut held = self
                .imported
                .get(&(bucket, peer))
                .cloned()
                .unwrap_or_default();
            self.weight.add(super::weight::claims(held.len()));
            held.retain(|source, claim| holds(&sources, source, claim));
            held.insert(import.source, claim);
            self.imported.insert((bucket, peer), held);
            self.touch(Key::Imported(bucket, peer));
        }
        self.keep_sources(sources);
        Ok(())
    }

    fn keep_sources(&mut self, sources: Sources) {
        self.counters.sources = sources.len() as u64;
        if sources.is_empty() {
            self.imports.remove(&());
        } else {
            self.imports.insert((), sources);
        }
        self.touch(Key::Counters);
        self.touch(Key::Imports);
    }

    /// What another peer may take in of this log's measures: those of the peers that were settled most often, of everybody but the
    /// author and `importer`, in as many imports as they fill. `checkpoint` is the author's, over this very state.
    ///
    /// # Errors
    /// A weight outside 1 to 1,000,000, in parts per million, or a claim that does not fit into [`IMPORT_SIZE_MAX`](crate::records::IMPORT_SIZE_MAX)
    /// bytes by itself.
    ///
    /// Spec: IMPORT-1 to IMPORT-3.
    pub fn imports_for(
        &mut self,
        importer: &PublicKey,
        checkpoint: &SignedCheckpoint,
        weight_ppm: u32,
        claims_max: usize,
    ) -> Result<Vec<MeasuresImported>, RecordError> {
        self.root();
        let mut rows: Vec<(u64, Digest, PublicKey)> = self
            .buckets
            .rows()
            .iter()
            .filter(|((_, peer), _)| *peer != self.author && peer != importer)
            .map(|((bucket, peer), measures)| (measures.settlements, *bucket, *peer))
            .collect();
        rows.sort_by(|left, right| right.cmp(left));
        rows.truncate(claims_max);
        let mut imports = Vec::new();
        let mut rest = rows.as_slice();
        while !rest.is_empty() {
            let mut count = rest.len().min(CLAIMS_MAX);
            let import = loop {
                let (now, _) = rest.split_at(count);
                match self.import_of(now, checkpoint, weight_ppm) {
                    Err(_) if count > 1 => count -= 1,
                    other => break other?,
                }
            };
            imports.push(import);
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(imports)
    }

    fn import_of(
        &self,
        rows: &[(u64, Digest, PublicKey)],
        checkpoint: &SignedCheckpoint,
        weight_ppm: u32,
    ) -> Result<MeasuresImported, RecordError> {
        let mut wanted = Wanted::default();
        for (_, bucket, peer) in rows {
            wanted.add_key(&encoding::name(&Key::Bucket(*bucket, *peer)));
        }
        let openings = self.map.openings(&wanted);
        let nodes = openings.into_iter().map(openings::bare).collect();
        MeasuresImported::new(self.author, weight_ppm, checkpoint, nodes)
    }
}

fn holds(sources: &Sources, source: &PublicKey, claim: &Claim) -> bool {
    sources
        .get(source)
        .is_some_and(|source| source.size == claim.size)
}

/// The claims that an import proves: every value that its nodes open. Spec: IMPORT-2, IMPORT-3.
fn claims_of(
    source: &PublicKey,
    taken: &TakenMeasures,
) -> Result<Vec<(Digest, PublicKey, Claim)>, Breach> {
    let bare = |node: &MapNode| match &node.node {
        Some(Node::Leaf(leaf)) => leaf.payload.is_empty(),
        _ => true,
    };
    if !taken.nodes.iter().all(bare) {
        return Err(wrong("nodes with no payload", "one with a payload"));
    }
    let nodes = taken
        .nodes
        .iter()
        .map(openings::read)
        .collect::<Result<Vec<Opening>, RecordError>>()
        .map_err(|error| wrong("nodes of a state", error))?;
    let map = StateMap::from_openings(&nodes).map_err(|error| wrong("a part of a state", error))?;
    if map.root() != taken.checkpoint.state_root {
        return Err(wrong(
            format_args!("a part of the state {}", taken.checkpoint.state_root),
            map.root(),
        ));
    }
    let mut claims = Vec::new();
    for (key, value) in map.iter() {
        let Some(Key::Bucket(bucket, peer)) = encoding::parse_name(key) else {
            return Err(wrong(
                "measures of peers at kinds of steps",
                "another value",
            ));
        };
        if peer == *source {
            // What a peer measured of itself it could choose.
            return Err(wrong("measures of others", "measures of the source"));
        }
        let measures = values::bucket_measures(value).map_err(|error| wrong("measures", error))?;
        let reputation = measures.reputation;
        let sound = measures.settlements >= 1
            && measures.wins <= measures.settlements
            && (0.0..=1.0).contains(&reputation);
        if !sound {
            return Err(wrong(
                "measures that a log can lead to",
                format_args!("{measures:?}"),
            ));
        }
        claims.push((
            bucket,
            peer,
            Claim {
                size: taken.checkpoint.size,
                settlements: measures.settlements,
                wins: measures.wins,
                reputation,
            },
        ));
    }
    if (1..=CLAIMS_MAX).contains(&claims.len()) {
        Ok(claims)
    } else {
        Err(wrong("1 to 8 claims", claims.len()))
    }
}

fn wrong(expected: impl std::fmt::Display, found: impl std::fmt::Display) -> Breach {
    Breach::new(Rule::Import, expected, found)
}
