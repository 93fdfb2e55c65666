//! A peer that tries to have others exposed: it repeats, copies, forges and withholds, and breaks no rule that would convict
//! the others.

use symphony_protocol::records::{Acknowledgement, Issued, Origin};
use symphony_transparency::{
    Checkpoint, Digest, NodeHash, SecretKey, StatementKind, VerifiedStatement, sign_statement,
};

use crate::random::Random;

/// Statements of others that a framer keeps for later.
const HEARD_MAX: usize = 128;

/// A framer's double face.
pub(crate) struct Framer {
    secret: SecretKey,
    network: Digest,
    random: Random,
    heard: Vec<VerifiedStatement>,
    evidence: Vec<Vec<u8>>,
}

/// What a framer sends, to anyone.
pub(crate) enum Mischief {
    /// Bytes that look like a statement, and what accompanies them.
    Statement(Vec<u8>, Vec<u8>),
    /// A note that looks like a checkpoint.
    Checkpoint(String),
    /// Bytes that look like evidence.
    Evidence(Vec<u8>),
}

impl Framer {
    pub(crate) fn new(secret: [u8; 32], network: Digest, seed: u64) -> Self {
        Self {
            secret: SecretKey::from_bytes(secret),
            network,
            random: Random::new(seed),
            heard: Vec::new(),
            evidence: Vec::new(),
        }
    }

    /// Keeps what it hears.
    pub(crate) fn hear(&mut self, statement: &VerifiedStatement) {
        if self.heard.len() < HEARD_MAX {
            self.heard.push(statement.clone());
        } else if let Some(place) = self.draw(HEARD_MAX) {
            self.heard[place] = statement.clone();
        }
    }

    /// Keeps evidence, to change it.
    pub(crate) fn hear_evidence(&mut self, bytes: &[u8]) {
        if self.evidence.len() < HEARD_MAX {
            self.evidence.push(bytes.to_vec());
        }
    }

    fn draw(&mut self, count: usize) -> Option<usize> {
        let most = u64::try_from(count.checked_sub(1)?).ok()?;
        usize::try_from(self.random.within(0, most)).ok()
    }

    /// What is sent in place of an own statement: reveals are withheld, or come with a text that they do not commit to.
    pub(crate) fn send(
        &mut self,
        statement: &VerifiedStatement,
        private: Vec<u8>,
    ) -> Option<Vec<u8>> {
        if statement.kind() != StatementKind::Reveal {
            return Some(private);
        }
        match self.random.within(0, 2) {
            0 => None,
            1 => Some(flipped(private, &mut self.random)),
            _ => Some(Vec::new()),
        }
    }

    /// Another peer's entries, as a framer serves them.
    pub(crate) fn serve(&mut self, mut entries: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        if let Some(place) = self.draw(entries.len()) {
            entries[place] = flipped(std::mem::take(&mut entries[place]), &mut self.random);
        }
        entries
    }

    /// Something to send, if it comes to mind.
    pub(crate) fn mischief(&mut self) -> Option<Mischief> {
        let place = self.draw(self.heard.len())?;
        let heard = self.heard[place].clone();
        let (kind, payload) = (heard.kind(), heard.payload().to_vec());
        Some(match self.random.within(0, 7) {
            0 => Mischief::Statement(heard.into_bytes(), Vec::new()),
            1 => {
                let foreign = sign_statement(&self.secret, &Digest::ZERO, kind, payload);
                Mischief::Statement(foreign.into_bytes(), Vec::new())
            }
            2 => {
                let copy = sign_statement(&self.secret, &self.network, kind, payload);
                Mischief::Statement(copy.into_bytes(), Vec::new())
            }
            3 => Mischief::Statement(flipped(heard.into_bytes(), &mut self.random), Vec::new()),
            4 | 5 => {
                let place = crate::audit::word(&heard)?.place;
                let forged = Issued::new(Acknowledgement {
                    origin: Origin {
                        log: place.log,
                        index: place.index.saturating_sub(self.random.within(0, 3)),
                    },
                    statement: heard.payload_digest(),
                });
                let kind = StatementKind::Acknowledgement;
                let forged = sign_statement(&self.secret, &self.network, kind, forged.payload);
                Mischief::Statement(forged.into_bytes(), Vec::new())
            }
            6 => {
                let place = self.draw(self.evidence.len())?;
                let bytes = self.evidence[place].clone();
                Mischief::Evidence(flipped(bytes, &mut self.random))
            }
            _ => {
                let place = crate::audit::word(&heard)?.place;
                let root: NodeHash = self.random.bytes();
                let forged = Checkpoint {
                    network: self.network,
                    log: place.log,
                    size: place.index.max(1),
                    root,
                    state_root: Digest::from_bytes(self.random.bytes()),
                };
                Mischief::Checkpoint(forged.sign(&self.secret).text())
            }
        })
    }
}

/// The same bytes but for one bit.
fn flipped(mut bytes: Vec<u8>, random: &mut Random) -> Vec<u8> {
    let Some(most) = bytes
        .len()
        .checked_sub(1)
        .and_then(|most| u64::try_from(most).ok())
    else {
        return bytes;
    };
    let place = usize::try_from(random.within(0, most)).unwrap_or(0);
    bytes[place] ^= 1 << random.within(0, 7);
    bytes
}
