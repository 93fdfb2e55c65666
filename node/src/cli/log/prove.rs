//! `symphony log prove`.

use std::num::NonZeroU64;

use anyhow::Context as _;
use clap::Args;
use data_encoding::HEXLOWER;
use serde_json::json;
use symphony_admin::{AdminClient, ConsistencyQuery, EntryRange, InclusionQuery};
use symphony_transparency::{
    NodeHash, PublicKey, SignedCheckpoint, TreeHead, leaf_hash, verify_consistency,
    verify_inclusion,
};

use crate::cli::{
    arguments::OutputArgs,
    connect::{LogArgs, NodeArgs},
    exit::ExitStatus,
    output::{print_json, print_line},
};

/// Proves and verifies.
#[derive(Args, Debug)]
#[command(
    after_help = "The proof is verified here, from the entry's bytes up to the root; if the root is that of the newest
checkpoint, the author's signature is verified too.

Examples:
  symphony log prove 512
  symphony log prove --grew-from 1000"
)]
pub(in crate::cli) struct ProveCommand {
    /// Index of the entry
    #[arg(
        value_name = "INDEX",
        required_unless_present = "grew_from",
        conflicts_with = "grew_from"
    )]
    index: Option<u64>,
    /// Proves instead that the log of this many entries is the beginning of the log
    #[arg(long, value_name = "SIZE")]
    grew_from: Option<NonZeroU64>,
    /// Entries of the log that the proof is for [default: those of the newest checkpoint]
    #[arg(long, value_name = "SIZE")]
    size: Option<NonZeroU64>,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    node: NodeArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl ProveCommand {
    pub(in crate::cli) async fn run(self) -> anyhow::Result<ExitStatus> {
        let client = self.node.connect().await?;
        match (self.index, self.grew_from) {
            (_, Some(old_size)) => self.prove_consistency(&client, old_size).await?,
            (Some(index), None) => self.prove_inclusion(&client, index).await?,
            (None, None) => anyhow::bail!("name an entry, or a size with --grew-from"),
        }
        Ok(ExitStatus::Success)
    }

    async fn prove_inclusion(&self, client: &AdminClient, index: u64) -> anyhow::Result<()> {
        let log = self.log.name();
        let query = InclusionQuery {
            index,
            size: self.size,
        };
        let proof = client.prove_inclusion(log, query).await?;
        let range = EntryRange {
            start: index,
            end: Some(index + 1),
        };
        let entry = client.entries(log, range).await?.message().await?;
        let entry = entry.context("the node does not send the entry")?;
        let leaf = leaf_hash(&entry.bytes);
        let head = TreeHead {
            size: proof.size,
            root: node_hash(&proof.root)?,
        };
        verify_inclusion(&leaf, index, head.size, &hashes(&proof.hashes)?, &head.root)
            .context("the node's proof does not hold")?;
        let signed = self.signature(client, head).await?;
        if self.output.json {
            return print_json(&json!({
                "index": index,
                "size": head.size,
                "leaf": HEXLOWER.encode(&leaf),
                "root": proof.root,
                "hashes": proof.hashes.iter().map(|hash| HEXLOWER.encode(hash)).collect::<Vec<_>>(),
                "verified": true,
                "signed": signed,
            }));
        }
        print_line(&format!(
            "entry {index} ({}) is in the log of {} entries",
            entry.kind, head.size
        ))?;
        self.print_proof(&proof.root, &proof.hashes, signed)
    }

    async fn prove_consistency(
        &self,
        client: &AdminClient,
        old_size: NonZeroU64,
    ) -> anyhow::Result<()> {
        let query = ConsistencyQuery {
            old_size,
            new_size: self.size,
        };
        let proof = client.prove_consistency(self.log.name(), query).await?;
        let (old, new) = (
            TreeHead {
                size: proof.old_size,
                root: node_hash(&proof.old_root)?,
            },
            TreeHead {
                size: proof.new_size,
                root: node_hash(&proof.new_root)?,
            },
        );
        verify_consistency(&old, &new, &hashes(&proof.hashes)?)
            .context("the node's proof does not hold")?;
        let signed = self.signature(client, new).await?;
        if self.output.json {
            return print_json(&json!({
                "old_size": old.size,
                "old_root": proof.old_root,
                "new_size": new.size,
                "new_root": proof.new_root,
                "hashes": proof.hashes.iter().map(|hash| HEXLOWER.encode(hash)).collect::<Vec<_>>(),
                "verified": true,
                "signed": signed,
            }));
        }
        print_line(&format!(
            "the log of {} entries is the beginning of that of {}",
            old.size, new.size
        ))?;
        self.print_proof(&proof.new_root, &proof.hashes, signed)
    }

    /// Whether the newest checkpoint, by the author's signature, is of this size and root.
    async fn signature(&self, client: &AdminClient, head: TreeHead) -> anyhow::Result<bool> {
        let log = self.log.name();
        let Ok(newest) = client.checkpoint(log).await else {
            return Ok(false);
        };
        let status = client.log_status(log).await?;
        let key: PublicKey = status
            .log
            .context("the node does not name the author")?
            .did_key
            .parse()
            .context("key of the log's author")?;
        let signed = SignedCheckpoint::parse_and_verify(&newest.note, &key)
            .context("the node's checkpoint")?;
        Ok(signed.checkpoint().head() == head)
    }

    fn print_proof(&self, root: &str, hashes: &[Vec<u8>], signed: bool) -> anyhow::Result<()> {
        print_line(&format!("root   {root}"))?;
        for hash in hashes {
            print_line(&format!("hash   {}", HEXLOWER.encode(hash)))?;
        }
        print_line(if signed {
            "verified, up to the author's signed checkpoint"
        } else {
            "verified up to the root, which is not that of the newest checkpoint"
        })
    }
}

fn node_hash(text: &str) -> anyhow::Result<NodeHash> {
    let bytes = HEXLOWER
        .decode(text.as_bytes())
        .ok()
        .and_then(|bytes| bytes.try_into().ok());
    bytes.with_context(|| format!("the node sends {text:?} as a root"))
}

fn hashes(hashes: &[Vec<u8>]) -> anyhow::Result<Vec<NodeHash>> {
    hashes
        .iter()
        .map(|hash| {
            NodeHash::try_from(hash.as_slice())
                .context("the node sends a hash that has not 32 bytes")
        })
        .collect()
}
