//! The bytes that Symphony's trust rests on: canonical encodings, digests, keys, signed statements, the chain of entries,
//! the Merkle tree over them, signed notes and checkpoints, proofs, tiles, cosignatures of witnesses and trust policies.
//!
//! This crate decides whether bytes are well formed, who signed them, and whether one log is a continuation of another. It
//! never decides what an entry *means* (that is `symphony-protocol`), and it has no clock, entropy, file or network: all of
//! it comes in as arguments, so that an auditor computes exactly what the author did.
//!
//! Spec: chapters 01 (conventions), 02 (canonical bytes), 03 (keys and statements), 04 (log and checkpoints) and 17 (tiles
//! and witnesses).
//!
//! ```
//! use symphony_transparency::{
//!     Checkpoint, Digest, Domain, SecretKey, SignedCheckpoint, StatementKind, UnverifiedStatement,
//!     digest, merkle::MerkleTree, merkle::{leaf_hash, verify_inclusion}, sign_statement,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = SecretKey::from_bytes([7; 32]); // a real peer takes them from the operating system
//! let network = digest(Domain::NetworkId, b"canonical bytes of the network's Params");
//!
//! // A statement survives the trip, and only on its own network.
//! let statement = sign_statement(&secret, &network, StatementKind::Bid, vec![1, 2, 3]);
//! let received = UnverifiedStatement::parse(statement.bytes())?.verify(&network)?;
//! assert_eq!(received.author(), &secret.public());
//! assert!(UnverifiedStatement::parse(statement.bytes())?.verify(&Digest::ZERO).is_err());
//!
//! // A log commits to its entries, and proves each of them.
//! let mut tree = MerkleTree::new();
//! let entries = [&b"entry 0"[..], b"entry 1", b"entry 2"];
//! for entry in entries {
//!     tree.append(entry);
//! }
//! let checkpoint = Checkpoint {
//!     network,
//!     log: digest(Domain::LogId, entries[0]),
//!     size: tree.size(),
//!     root: tree.root(),
//!     state_root: Digest::ZERO,
//! };
//! let text = checkpoint.sign(&secret).to_string();
//! let seen = SignedCheckpoint::parse_and_verify(&text, &secret.public())?;
//! let proof = tree.inclusion_proof(1, 3)?;
//! verify_inclusion(&leaf_hash(entries[1]), 1, 3, &proof, &seen.checkpoint().root)?;
//! # Ok(())
//! # }
//! ```

mod base58;
mod base64;
mod binding;
pub mod canonical;
pub mod chain;
mod checkpoint;
mod cosignature;
mod digest;
mod domain;
mod keys;
pub mod merkle;
pub mod note;
mod statement;
mod statement_kind;
pub mod tiles;
pub mod trust_policy;
pub mod witness;

pub use binding::{BindingError, KeyBinding, KeyRole, PeerKeys, PeerSecrets};
pub use canonical::{CanonicalError, decode_canonical, encode, f64_from_field, f64_to_field};
pub use chain::{ChainEnd, ChainError, ENTRY_SIZE_MAX, Link, entry_digest, log_id};
pub use checkpoint::{CHECKPOINT_SIZE_MAX, Checkpoint, CheckpointError, SignedCheckpoint};
pub use cosignature::{COSIGNATURE_TIME_MAX_S, CosignatureError, Cosigner, cosigned_bytes};
pub use digest::{
    Digest, DigestError, DigestStream, DomainHasher, digest, digest_parts, keyed_digest,
};
pub use domain::Domain;
pub use keys::{KeyError, PublicKey, SecretKey, Signature, SignatureError};
pub use merkle::{
    Frontier, MerkleTree, NodeHash, NodeStore, ProofError, TreeHead, consistency_proof,
    inclusion_proof, leaf_hash, node_hash, verify_consistency, verify_inclusion,
};
pub use note::{NoteError, NoteSignature, SignedNote, VerifierKey};
pub use statement::{
    STATEMENT_SIZE_MAX, StatementError, UnverifiedStatement, VerifiedStatement, payload_digest,
    sign_statement, signing_bytes, statement_digest, statement_without_signature,
};
pub use statement_kind::StatementKind;
pub use trust_policy::{NotWitnessed, TrustPolicy, Witnessed};
