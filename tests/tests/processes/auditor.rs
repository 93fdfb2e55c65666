//! The auditor believes no claim, and says of every damaged file what is wrong with it.

use std::path::{Path, PathBuf};

use serde_json::Value;
use symphony_ledger::symlog::ExportHeader;
use symphony_node::home::Home;
use symphony_protocol::records::{Body, Entry};
use symphony_transparency::{
    Checkpoint, Digest, Frontier, SecretKey, SignedCheckpoint, entry_digest,
};

use crate::support::{
    Network, Role, ask, audit, audit_with, read_export, scripted, sum_question, write_export,
};

/// A sound log, and the key that signed it.
struct Sound {
    network: Network,
    file: PathBuf,
    header: ExportHeader,
    entries: Vec<Vec<u8>>,
    secret: SecretKey,
    state_root: String,
}

impl Sound {
    async fn make() -> anyhow::Result<Self> {
        let network = Network::start(vec![
            Role::asker("asker"),
            Role::answerer("ada", scripted(100, 0)),
            Role::answerer("bob", scripted(0, 0)),
            Role::answerer("cyd", scripted(100, 0)),
        ])
        .await?;
        let client = network.peers[0].client().await?;
        for number in 0..6 {
            let (question, sum) = sum_question(number);
            let answered = ask(&client, &question, 3, 3).await?;
            assert_eq!(answered.answer, Some(sum), "{answered:?}");
        }
        let file = network.export(0).await?;
        let audited = audit(std::slice::from_ref(&file)).await?;
        audited.assert_clean();
        let (header, entries) = read_export(&file)?;
        Ok(Self {
            secret: Home::open(&network.peers[0].home)?.secret("log")?,
            state_root: audited.reports[0]["state_root"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            network,
            file,
            header,
            entries,
        })
    }

    /// Writes a log with one entry changed, chained and signed anew by its author: only replay can tell.
    fn forge(
        &self,
        name: &str,
        index: usize,
        change: impl FnOnce(&mut Body),
    ) -> anyhow::Result<PathBuf> {
        let mut entries = self.entries[..index].to_vec();
        let mut change = Some(change);
        for bytes in &self.entries[index..] {
            let mut entry = Entry::parse(bytes, Some(&self.header.network_id))?;
            match change.take() {
                Some(change) => change(&mut entry.body),
                None => entry.previous = entry_digest(entries.last().map_or(&[], Vec::as_slice)),
            }
            entries.push(entry.encode());
        }
        let checkpoint = self.checkpoint()?;
        self.write(name, &entries, Some(checkpoint))
    }

    /// What the author signed.
    fn checkpoint(&self) -> anyhow::Result<Checkpoint> {
        let note = self.header.checkpoint.as_deref().unwrap_or_default();
        Ok(SignedCheckpoint::parse_unverified(note)?)
    }

    /// Writes entries under a checkpoint that the author signs over just these.
    fn write(
        &self,
        name: &str,
        entries: &[Vec<u8>],
        checkpoint: Option<Checkpoint>,
    ) -> anyhow::Result<PathBuf> {
        let mut tree = Frontier::new();
        for entry in entries {
            tree.append(entry);
        }
        let checkpoint = checkpoint.map(|checkpoint| Checkpoint {
            root: tree.root(),
            ..checkpoint
        });
        let header = ExportHeader {
            checkpoint: checkpoint.map(|checkpoint| checkpoint.sign(&self.secret).text()),
            ..self.header.clone()
        };
        let file = self.network.file(name);
        write_export(&file, &header, entries)?;
        Ok(file)
    }

    /// The last entry with a body that fits.
    fn last(&self, fits: impl Fn(&Body) -> bool) -> anyhow::Result<(usize, Body)> {
        for (index, bytes) in self.entries.iter().enumerate().skip(1).rev() {
            let body = Entry::parse(bytes, Some(&self.header.network_id))?.body;
            if fits(&body) {
                return Ok((index, body));
            }
        }
        anyhow::bail!("no such entry")
    }
}

fn assert_names(fault: &Value, field: &str, value: &str) {
    let words = fault[field].as_str().unwrap_or_default();
    assert!(
        words.contains(value),
        "{field} should name {value}: {fault}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_log_claims_does_not_change_what_the_auditor_computes() -> anyhow::Result<()> {
    let sound = Sound::make().await?;
    let lie = Digest::from_bytes([7; 32]);

    // Without any claim: the same root.
    let bare = sound.write("bare.symlog", &sound.entries, None)?;
    let audited = audit(&[bare]).await?;
    assert_eq!(audited.code, Some(0), "{audited:?}");
    assert_eq!(audited.reports[0]["state_root"], sound.state_root);
    assert!(audited.reports[0]["claimed_state_root"].is_null());

    // With a false, well-signed claim at the end: the same root, and the author exposed.
    let claim = Checkpoint {
        state_root: lie,
        ..sound.checkpoint()?
    };
    let file = sound.write("claim.symlog", &sound.entries, Some(claim))?;
    let audited = audit(&[file]).await?;
    assert_eq!(audited.code, Some(3), "{audited:?}");
    let report = &audited.reports[0];
    assert_eq!(report["state_root"], sound.state_root);
    assert_eq!(report["claimed_state_root"], lie.to_string());
    assert_eq!(report["fault"]["expected"], sound.state_root);
    assert_eq!(report["fault"]["found"], lie.to_string());

    // With a false root inside the log: named there, with the root that the honest log had.
    for kind in ["settlement", "close"] {
        let (index, body) = sound.last(|body| body.name() == kind)?;
        let honest = match body {
            Body::Settlement(settlement) => settlement.state_root,
            Body::Close(close) => close.state_root,
            other => anyhow::bail!("found a {}", other.name()),
        };
        let file = sound.forge(&format!("{kind}.symlog"), index, |body| match body {
            Body::Settlement(settlement) => settlement.state_root = lie,
            Body::Close(close) => close.state_root = lie,
            _ => {}
        })?;
        let audited = audit(&[file]).await?;
        assert_eq!(audited.code, Some(3), "{audited:?}");
        let fault = &audited.reports[0]["fault"];
        assert_eq!(fault["entry"], index as u64, "{fault}");
        assert_names(fault, "expected", &honest.to_string());
        assert_names(fault, "found", &lie.to_string());
    }

    // With a false reward: named, and the expected one is the honest log's.
    let (index, body) = sound.last(|body| matches!(body, Body::Settlement(_)))?;
    let Body::Settlement(settlement) = body else {
        anyhow::bail!("no settlement")
    };
    let file = sound.forge("reward.symlog", index, |body| {
        if let Body::Settlement(settlement) = body {
            settlement.outcomes[0].reward = 0.123;
        }
    })?;
    let audited = audit(&[file]).await?;
    assert_eq!(audited.code, Some(3), "{audited:?}");
    let fault = &audited.reports[0]["fault"];
    assert_eq!(fault["rule"], "REPLAY-40", "{fault}");
    assert_eq!(fault["entry"], index as u64, "{fault}");
    assert_names(
        fault,
        "expected",
        &settlement.outcomes[0].reward.to_string(),
    );
    assert_names(fault, "found", "0.123");
    sound.network.assert_no_panic();
    Ok(())
}

/// The file cannot be judged, nobody is blamed, and the words are there.
async fn assert_unusable(file: &Path, words: &str) -> anyhow::Result<()> {
    let audited = audit(&[file.to_owned()]).await?;
    assert_eq!(audited.code, Some(2), "{}: {audited:?}", file.display());
    assert!(
        audited.errors.contains(words),
        "{words:?} in {}",
        audited.errors
    );
    for report in &audited.reports {
        assert_eq!(report["verdict"], "unusable", "{report}");
        assert!(report["fault"].is_null(), "{report}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_judged_ends_with_2_and_says_why() -> anyhow::Result<()> {
    let sound = Sound::make().await?;
    let whole = std::fs::read(&sound.file)?;
    let damaged = sound.network.file("damaged.symlog");

    let count = sound.entries.len();
    for index in [0, 1, count / 2, count - 1] {
        let entry = &sound.entries[index];
        let place = whole
            .windows(entry.len())
            .position(|window| window == entry.as_slice())
            .ok_or_else(|| anyhow::anyhow!("entry {index} is not in the file"))?;
        let mut bytes = whole.clone();
        bytes[place + entry.len() / 2] ^= 0x01;
        std::fs::write(&damaged, bytes)?;
        assert_unusable(&damaged, &format!("entry {index} ")).await?;
    }
    for size in [7, 40, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&damaged, &whole[..size])?;
        assert_unusable(&damaged, "error: ").await?;
    }
    std::fs::write(&damaged, b"")?;
    assert_unusable(&damaged, "empty").await?;
    std::fs::write(&damaged, b"{\"not\": \"a log\"}\n".repeat(100))?;
    assert_unusable(&damaged, "not a symlog file").await?;
    assert_unusable(sound.network.folder(), "folder").await?;
    assert_unusable(&sound.network.file("missing.symlog"), "error: ").await?;

    // Of another network than the one asked for.
    let foreign = Digest::from_bytes([9; 32]).to_string();
    let audited = audit_with(&["--network", &foreign], std::slice::from_ref(&sound.file)).await?;
    assert_eq!(audited.code, Some(2), "{audited:?}");
    assert!(audited.errors.contains("network"), "{}", audited.errors);

    // The one sound file among bad ones is still judged.
    let audited = audit(&[sound.file.clone(), damaged]).await?;
    assert_eq!(audited.code, Some(2), "{audited:?}");
    assert_eq!(audited.reports[0]["verdict"], "clean");
    assert_eq!(audited.reports[0]["state_root"], sound.state_root);
    sound.network.assert_no_panic();
    Ok(())
}
