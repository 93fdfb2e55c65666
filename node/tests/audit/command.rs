//! `symphony audit` as a script sees it.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use symphony_protocol::{
    policy::{PolicyKind, PolicyParameters},
    records::Policy,
};

use crate::{
    cheats::lying_coordinator,
    network::{Network, false_match, honest},
};

fn symphony(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_symphony"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_clean_log_gives_one_object_with_the_keys_of_the_contract_and_code_0() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(0);
    log.write(folder.path(), "log.symlog");
    let output = symphony(folder.path(), &["audit", "log.symlog", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let objects = lines(&output);
    assert_eq!(objects.len(), 1);
    let object = &objects[0];
    assert_eq!(object["peer"], log.key().to_string());
    assert_eq!(object["verdict"], "clean");
    assert_eq!(object["entries"], log.entries.len());
    assert_eq!(object["selections"], 9);
    assert_eq!(object["settlements"], 9);
    assert_eq!(object["void"], 0);
    assert_eq!(object["timeouts"], 0);
    assert_eq!(object["state_root"].as_str().unwrap().len(), 64);
    assert_eq!(object["claimed_state_root"], object["state_root"]);
    assert!(object["entries_per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(object["fault"], Value::Null);
}

#[test]
fn without_a_checkpoint_nothing_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    honest()
        .log(0)
        .unsigned()
        .write(folder.path(), "log.symlog");
    let output = symphony(folder.path(), &["audit", "log.symlog", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(lines(&output)[0]["claimed_state_root"], Value::Null);
}

#[test]
fn a_liar_gives_code_3_and_its_fault() {
    let folder = tempfile::tempdir().unwrap();
    let network = honest();
    let (liar, index) = lying_coordinator(&network.log(0));
    liar.clone().signed().write(folder.path(), "0.symlog");
    network.log(1).write(folder.path(), "1.symlog");
    let output = symphony(folder.path(), &["audit", "0.symlog", "1.symlog", "--json"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let objects = lines(&output);
    assert_eq!(objects.len(), 2);
    let fault = &objects[0]["fault"];
    assert_eq!(objects[0]["verdict"], "exposed");
    assert_eq!(fault["peer"], liar.key().to_string());
    assert_eq!(fault["rule"], "REPLAY-40");
    assert_eq!(fault["entry"], index);
    assert!(fault["expected"].is_string() && fault["found"].is_string());
    assert_eq!(objects[1]["verdict"], "clean");
}

#[test]
fn a_false_bidder_gives_code_3_without_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut network = Network::new(4, Some(false_match));
    network.ask("True and True is");
    network.log(0).write(folder.path(), "0.symlog");
    let output = symphony(folder.path(), &["audit", "0.symlog", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let objects = lines(&output);
    assert_eq!(objects[0]["verdict"], "clean");
    assert_eq!(objects[1]["peer"], network.log(1).key().to_string());
    assert_eq!(objects[1]["fault"]["rule"], "REPLAY-30");
    assert_eq!(objects[1]["state_root"], Value::Null);
}

#[test]
fn a_short_log_gives_code_4() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(0);
    log.cut(log.entries.len() - 1)
        .write(folder.path(), "log.symlog");
    let output = symphony(folder.path(), &["audit", "log.symlog"]);
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}

#[test]
fn a_flipped_byte_gives_code_2_and_names_the_entry() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(0);
    let mut bytes = log.export();
    let last = log.entries.len() - 1;
    let position = bytes.len() - 32 - log.entries[last].len() / 2;
    bytes[position] ^= 0x10;
    std::fs::write(folder.path().join("log.symlog"), bytes).unwrap();
    let output = symphony(folder.path(), &["audit", "log.symlog", "--json"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(said.contains(&format!("entry {last} ")), "{said}");
    assert_eq!(lines(&output)[0]["verdict"], "unusable");
}

#[test]
fn bad_inputs_give_code_2_and_a_clear_reason() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty"), b"").unwrap();
    std::fs::write(folder.path().join("text"), b"hello").unwrap();
    for (input, word) in [
        ("empty", "empty"),
        ("text", "symlog"),
        (".", "folder"),
        ("missing", "open"),
    ] {
        let output = symphony(folder.path(), &["audit", input]);
        assert_eq!(output.status.code(), Some(2), "{input}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(word), "{input}: {said}");
    }
    let output = symphony(folder.path(), &["audit"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn people_read_verdict_fault_and_peer() {
    let folder = tempfile::tempdir().unwrap();
    let (liar, index) = lying_coordinator(&honest().log(0));
    liar.clone().signed().write(folder.path(), "log.symlog");
    let output = symphony(folder.path(), &["audit", "log.symlog"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for word in [
        "exposed".to_owned(),
        liar.key().to_string(),
        "REPLAY-40".to_owned(),
        format!("entry {index}"),
        "expected".to_owned(),
        "found".to_owned(),
    ] {
        assert!(text.contains(&word), "{word} in\n{text}");
    }
}

#[test]
fn log_show_and_policy_explain_read_files() {
    let folder = tempfile::tempdir().unwrap();
    let log = honest().log(0);
    log.write(folder.path(), "log.symlog");
    let shown = symphony(
        folder.path(),
        &["log", "show", "--file", "log.symlog", "--json"],
    );
    assert_eq!(shown.status.code(), Some(0), "{shown:?}");
    assert_eq!(lines(&shown).len(), log.entries.len());
    let last = symphony(
        folder.path(),
        &["log", "show", "--file", "log.symlog", "--last", "2"],
    );
    assert_eq!(String::from_utf8(last.stdout).unwrap().lines().count(), 2);

    let close = log.first("close").to_string();
    let explain = [
        "policy",
        "explain",
        &close,
        "--file",
        "log.symlog",
        "--json",
    ];
    let explained = symphony(folder.path(), &explain);
    assert_eq!(explained.status.code(), Some(0), "{explained:?}");
    assert_eq!(
        lines(&explained)[0]["candidates"].as_array().unwrap().len(),
        3
    );
}

#[test]
fn policy_counterfactual_compares_and_says_why_there_is_no_value() {
    let folder = tempfile::tempdir().unwrap();
    honest().log(0).write(folder.path(), "log.symlog");
    let ask = |arguments: &[&str]| {
        let command = ["policy", "counterfactual", "log.symlog"];
        symphony(folder.path(), &[&command[..], arguments].concat())
    };
    let output = ask(&["--json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let own = &lines(&output)[0];
    assert_eq!(
        (&own["selections"], &own["coincide"]),
        (&9.into(), &9.0.into())
    );
    assert_eq!(own["value"], Value::Null);
    assert!(
        own["no_value"].as_str().unwrap().contains("chance"),
        "{own}"
    );
    let other = ask(&["--kind", "screening", "--alpha", "0.1", "--list", "--json"]);
    let other = &lines(&other)[0];
    assert_eq!(other["target"]["kind"], "screening");
    assert_eq!(other["target"]["alpha_ppm"], 100_000);
    assert_eq!(other["compared"].as_array().unwrap().len(), 9);
    let text = String::from_utf8(ask(&[]).stdout).unwrap();
    assert!(
        text.contains("of 9 selections it would have made 9 (100.0 %)"),
        "{text}"
    );
    for wrong in [["--alpha", "-1"], ["--kind", "oracle"], ["--error", "0"]] {
        assert_eq!(ask(&wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn policy_counterfactual_estimates_where_the_log_left_its_picks_to_chance() {
    let folder = tempfile::tempdir().unwrap();
    let policy = Policy {
        parameters: PolicyParameters {
            kind: PolicyKind::RandomTop,
            ..PolicyParameters::SHARED
        },
        ..Policy::shared()
    };
    let mut network = Network::under(&policy, 6, None);
    for question in ["a", "b", "c", "d"] {
        network.ask(question);
    }
    network.log(0).write(folder.path(), "log.symlog");
    let ask = |kind: &str| {
        let command = [
            "policy",
            "counterfactual",
            "log.symlog",
            "--json",
            "--kind",
            kind,
        ];
        let output = symphony(folder.path(), &command);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        lines(&output).remove(0)
    };
    let own = ask("random-top");
    let value = &own["value"];
    assert_eq!(
        (&own["no_value"], &value["votes"]),
        (&Value::Null, &4.into())
    );
    assert_eq!(value["weight_max"], 1.0);
    assert_eq!(value["ips"], value["logged"]);
    let number = |value: &Value| value.as_f64().unwrap();
    assert!(number(&value["ips_interval"]["low"]) < number(&value["ips"]));
    assert!(number(&value["ips_interval"]["high"]) > number(&value["ips"]));
    assert_eq!(own["draws"], 4);
    // Of 60 ordered picks of three of five one is made.
    assert!(number(&own["same_picks"]) < 1.0);
    let strongest = ask("strongest");
    assert!(strongest["value"]["ips"].is_number(), "{strongest}");
    assert_eq!(number(&strongest["coincide"]).fract(), 0.0);
    let output = symphony(folder.path(), &["policy", "counterfactual", "log.symlog"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("doubly robust") && text.contains("95% INTERVAL"),
        "{text}"
    );
}

#[test]
fn a_node_that_does_not_exist_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let output = symphony(folder.path(), &["peers"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("node init"), "{said}");
}
