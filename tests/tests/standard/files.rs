//! `symphony log tiles`: the files are those of the log, and only those of a log that its author signed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use symphony_node::tiles::{PublishError, Published, publish};
use symphony_transparency::{
    Cosigner, SignedCheckpoint,
    merkle::root_at,
    note::verifier_key,
    tiles::{TileKind, TilePath, TileTree, decode_bundle},
};

use crate::{
    go,
    sample::{Sample, files_under},
};

fn published(sample: &Sample, export: &Path) -> Result<Published, PublishError> {
    publish(export, &sample.path("tiles"), &mut |_, _| {})
}

#[tokio::test]
async fn tile_3_the_folder_holds_exactly_the_tiles_of_the_checkpoint() -> Result<()> {
    let sample = Sample::new(600).await?;
    let done = published(&sample, &sample.export("log.symlog")?)?;
    let mut expected: Vec<String> = TilePath::all_at(600).map(|path| path.to_string()).collect();
    expected.push("checkpoint".to_owned());
    expected.sort();
    let folder = sample.path("tiles");
    let found = files_under(&folder)?;
    let found: Vec<String> = found
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    assert_eq!(found, expected);
    assert_eq!((done.written, done.kept), (expected.len() as u64, 0));

    // What a reader computes from the files alone is what the author signed.
    let text = fs::read_to_string(folder.join("checkpoint"))?;
    let key = sample.home.secret("log")?.public();
    let signed = SignedCheckpoint::parse_and_verify(&text, &key)?;
    let read = |path: &TilePath| fs::read(folder.join(path.to_string())).ok();
    let root = root_at(&TileTree::new(600, read), 600)?;
    assert_eq!(root, signed.checkpoint().root);
    let reader = sample.ledger.own().context("entry 0 is there")?;
    for path in TilePath::all_at(600).filter(|path| path.kind() == TileKind::Entries) {
        let bytes = read(&path).context("the bundle is there")?;
        for (index, entry) in (path.start()..).zip(decode_bundle(&bytes, path.width())?) {
            assert_eq!(reader.entry(index)?.as_deref(), Some(entry));
        }
    }
    Ok(())
}

#[tokio::test]
async fn tile_7_a_second_run_keeps_what_is_there_and_mends_what_is_damaged() -> Result<()> {
    let sample = Sample::new(300).await?;
    let export = sample.export("log.symlog")?;
    let first = published(&sample, &export)?;
    let again = published(&sample, &export)?;
    assert_eq!((again.written, again.kept), (0, first.written));

    // A run that was interrupted: a file is missing, one is damaged, and one was half written under its other name.
    let folder = sample.path("tiles");
    fs::remove_file(folder.join("tile/0/000"))?;
    let bundle = folder.join("tile/entries/000");
    let mut bytes = fs::read(&bundle)?;
    bytes[100] ^= 1;
    fs::write(&bundle, &bytes)?;
    fs::write(folder.join("tile/0/000.part"), b"half")?;
    let resumed = published(&sample, &export)?;
    assert_eq!((resumed.written, resumed.kept), (2, first.written - 2));
    bytes[100] ^= 1;
    assert_eq!(fs::read(&bundle)?, bytes);
    assert!(!folder.join("tile/0/000.part").exists());
    Ok(())
}

#[tokio::test]
async fn tile_7_a_folder_grows_with_its_log_and_never_goes_back() -> Result<()> {
    let sample = Sample::new(300).await?;
    let older = sample.export("older.symlog")?;
    published(&sample, &older)?;
    sample.grow(900).await?;
    sample.sign().await?;
    let newer = sample.export("newer.symlog")?;
    let grown = published(&sample, &newer)?;
    assert_eq!(grown.signed.checkpoint().size, 900);
    assert_eq!(grown.kept, 2, "the full tile and the full bundle of before");
    let folder = sample.path("tiles");
    assert!(
        folder.join("tile/0/001.p/44").exists(),
        "older readers go on"
    );

    let before = fs::read(folder.join("checkpoint"))?;
    let error = published(&sample, &older).expect_err("the folder would go back");
    assert!(matches!(error, PublishError::Folder { .. }), "{error}");
    assert_eq!(fs::read(folder.join("checkpoint"))?, before);
    Ok(())
}

#[tokio::test]
async fn tile_7_the_folder_of_another_log_is_left_alone() -> Result<()> {
    let (sample, other) = (Sample::new(3).await?, Sample::new(3).await?);
    let folder = sample.path("tiles");
    publish(&other.export("log.symlog")?, &folder, &mut |_, _| {})?;
    let before = files_under(&folder)?;
    let export = sample.export("log.symlog")?;
    let error = published(&sample, &export).expect_err("another log's folder");
    assert!(matches!(error, PublishError::Folder { .. }), "{error}");
    assert_eq!(files_under(&folder)?, before);
    fs::write(folder.join("checkpoint"), "a web page\n")?;
    assert!(published(&sample, &export).is_err());
    Ok(())
}

/// Nothing is written of a log whose author did not sign exactly these entries.
#[tokio::test]
async fn tile_7_nothing_is_written_of_what_its_author_did_not_sign() -> Result<()> {
    let sample = Sample::new(300).await?;
    let key = sample.home.secret("log")?;
    let stored = sample
        .ledger
        .latest_checkpoint(&sample.log)?
        .context("signed")?;
    let root = stored.checkpoint.root;
    let wrong_root = sample.checkpoint(300, [7; 32]).sign(&key).text();
    let more = sample.checkpoint(301, root).sign(&key).text();
    let wrong_key = sample
        .checkpoint(300, root)
        .sign(&sample.home.secret("witness")?)
        .text();
    let mut other_log = sample.checkpoint(300, root);
    other_log.log = symphony_transparency::Digest::ZERO;
    let other_log = other_log.sign(&key).text();
    for (name, size, checkpoint) in [
        ("none", 300, None),
        ("wrong-root", 300, Some(wrong_root)),
        ("more", 300, Some(more)),
        ("wrong-key", 300, Some(wrong_key)),
        ("other-log", 300, Some(other_log)),
        ("fewer", 299, Some(stored.text.clone())),
    ] {
        let export = sample.export_with(name, size, checkpoint)?;
        assert!(published(&sample, &export).is_err(), "{name}");
        assert!(!sample.path("tiles").exists(), "{name}");
    }
    let export = sample.export("damaged.symlog")?;
    let mut bytes = fs::read(&export)?;
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&export, bytes)?;
    assert!(published(&sample, &export).is_err(), "damaged at its end");
    assert!(!sample.path("tiles").exists());
    Ok(())
}

/// The command's output is a contract, and its key is what Go takes.
#[tokio::test]
async fn tile_1_the_command_prints_the_verifier_key() -> Result<()> {
    let sample = Sample::new(3).await?;
    let export = sample.export("log.symlog")?;
    let run = |out: &Path| {
        Command::new(symphony())
            .args(["log", "tiles"])
            .arg(&export)
            .arg("--out")
            .arg(out)
            .arg("--json")
            .output()
    };
    let output = run(&sample.path("tiles"))?;
    ensure!(output.status.success(), "{output:?}");
    let printed: Value = serde_json::from_slice(&output.stdout)?;
    let origin = sample.checkpoint(3, [0; 32]).origin();
    let key = verifier_key(&origin, &sample.home.secret("log")?.public());
    assert_eq!(printed["verifier_key"], Value::from(key));
    assert_eq!(printed["origin"], Value::from(origin));
    assert_eq!(printed["size"], Value::from(3));
    assert_eq!(printed["files_written"], Value::from(3));
    fs::write(sample.path("tiles").join("checkpoint"), "something else\n")?;
    let refused = run(&sample.path("tiles"))?;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    Ok(())
}

/// The command tells whether a checkpoint is witnessed, and its exit code says so too.
#[tokio::test]
async fn witness_10_the_command_judges_by_a_policy_file() -> Result<()> {
    let sample = Sample::new(3).await?;
    let secret = sample.home.secret("witness")?;
    let cosigner = Cosigner::new("witness.example/w", secret.public())?;
    let stored = sample
        .ledger
        .latest_checkpoint(&sample.log)?
        .context("signed")?;
    let log_key = sample.home.secret("log")?.public();
    let mut signed = SignedCheckpoint::parse_and_verify(&stored.text, &log_key)?;
    let policy = sample.path("policy");
    let log = verifier_key(&signed.checkpoint().origin(), &log_key);
    let witness = cosigner.verifier_key();
    fs::write(
        &policy,
        format!("log {log}\nwitness w {witness}\nquorum w\n"),
    )?;
    let judge = |name: &str, signed: &SignedCheckpoint| -> Result<(Option<i32>, Value)> {
        let checkpoint = sample.path("checkpoint");
        fs::write(&checkpoint, signed.text())?;
        let export = sample.export_with(name, 3, Some(signed.text()))?;
        let run = |file: &Path| {
            Command::new(symphony())
                .args(["log", "witnessed", "--json", "--policy"])
                .args([&policy, file])
                .output()
        };
        let (of_checkpoint, of_export) = (run(&checkpoint)?, run(&export)?);
        assert_eq!(of_checkpoint.stdout, of_export.stdout);
        assert_eq!(of_checkpoint.status, of_export.status);
        let printed = serde_json::from_slice(&of_export.stdout)?;
        Ok((of_export.status.code(), printed))
    };
    let (status, printed) = judge("plain.symlog", &signed)?;
    assert_eq!(
        (status, &printed["witnessed"]),
        (Some(1), &Value::from(false))
    );
    signed.add_line(cosigner.cosign(signed.note().text(), 1_700_000_000, &secret)?)?;
    let (status, printed) = judge("cosigned.symlog", &signed)?;
    assert_eq!(
        (status, &printed["witnessed"]),
        (Some(0), &Value::from(true))
    );
    assert_eq!(printed["by"][0]["witness"], Value::from("w"));
    assert_eq!(printed["by"][0]["time_s"], Value::from(1_700_000_000));
    fs::write(&policy, "quorum w\n")?;
    let export = sample.export("again.symlog")?;
    let refused = Command::new(symphony())
        .args(["log", "witnessed", "--policy"])
        .args([&policy, &export])
        .output()?;
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("line 1: no earlier line defines w"));
    Ok(())
}

/// Go's note and tlog packages verify note, tiles, record proofs and tree proofs of a log that fills tiles of two levels, and
/// that it grew from an older checkpoint.
#[tokio::test]
async fn tile_5_go_verifies_the_files() -> Result<()> {
    let Some(program) = go::program() else {
        return Ok(());
    };
    let sample = Sample::new(1_000).await?;
    let older = sample.path("older");
    let signed = sample
        .ledger
        .latest_checkpoint(&sample.log)?
        .context("signed")?;
    fs::write(&older, signed.text)?;
    sample.grow(66_000).await?;
    sample.sign().await?;
    let done = published(&sample, &sample.export("log.symlog")?)?;
    let found = go::verify(
        &program,
        &done.verifier_key.to_string(),
        sample.path("tiles").as_os_str(),
        Some(older.as_os_str()),
    )?;
    assert_eq!(found["size"], Value::from(66_000));
    assert_eq!(found["grew_from"], Value::from(1_000));
    assert!(found["record_proofs"].as_u64() > Some(250), "{found}");
    assert!(found["tree_proofs"].as_u64() > Some(250), "{found}");
    Ok(())
}

/// A flipped byte of any file makes Go refuse the log, and so does another key.
#[tokio::test]
async fn tile_5_go_refuses_every_changed_file() -> Result<()> {
    let Some(program) = go::program() else {
        return Ok(());
    };
    let sample = Sample::new(600).await?;
    let done = published(&sample, &sample.export("log.symlog")?)?;
    let (folder, key) = (sample.path("tiles"), done.verifier_key.to_string());
    let verify = |key: &str| go::verify(&program, key, folder.as_os_str(), None);
    verify(&key)?;
    for file in files_under(&folder)? {
        let path = folder.join(&file);
        let bytes = fs::read(&path)?;
        for at in [0, bytes.len() / 2, bytes.len() - 1] {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            fs::write(&path, changed)?;
            assert!(verify(&key).is_err(), "byte {at} of {}", file.display());
        }
        fs::write(&path, bytes)?;
    }
    verify(&key)?;
    let origin = done.signed.checkpoint().origin();
    let other = verifier_key(&origin, &sample.home.secret("witness")?.public());
    assert!(verify(&other).is_err());
    Ok(())
}

/// The binary `symphony`, which cargo puts beside this package's programs.
pub(crate) fn symphony() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_scripted-answerer")).with_file_name("symphony")
}
