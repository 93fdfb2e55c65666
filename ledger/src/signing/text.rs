//! The record as text, to be moved by hand from machine to machine.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use symphony_transparency::Digest;
use symphony_transparency::merkle::{NodeHash, TREE_SIZE_MAX, TreeHead};

use super::record::SigningRecordError;
use super::slot::SIGNING_RECORD_LOGS_COUNT_MAX;

const FORMAT: &str = "symphony signing record";
const VERSION: u32 = 1;

/// Largest text in bytes: 32 logs need about 6,000.
const TEXT_SIZE_MAX: usize = 64 << 10;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordText {
    format: String,
    version: u32,
    network: String,
    logs: Vec<LogText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogText {
    log: String,
    size: u64,
    root: String,
}

pub(super) fn write(network: &Digest, logs: &BTreeMap<Digest, TreeHead>) -> String {
    let record = RecordText {
        format: FORMAT.to_owned(),
        version: VERSION,
        network: network.to_string(),
        logs: logs
            .iter()
            .map(|(log, head)| LogText {
                log: log.to_string(),
                size: head.size,
                root: HEXLOWER.encode(&head.root),
            })
            .collect(),
    };
    let mut text =
        serde_json::to_string_pretty(&record).expect("texts and numbers have a JSON form");
    text.push('\n');
    text
}

pub(super) fn read(text: &str) -> Result<(Digest, BTreeMap<Digest, TreeHead>), SigningRecordError> {
    let wrong = |reason: String| SigningRecordError::Text { reason };
    if text.len() > TEXT_SIZE_MAX {
        return Err(wrong(format!(
            "{} bytes exceed {TEXT_SIZE_MAX}",
            text.len()
        )));
    }
    let record: RecordText =
        serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    if record.format != FORMAT || record.version != VERSION {
        return Err(wrong(format!(
            "format {:?} version {}",
            record.format, record.version
        )));
    }
    if record.logs.len() > SIGNING_RECORD_LOGS_COUNT_MAX {
        return Err(SigningRecordError::TooManyLogs {
            limit: SIGNING_RECORD_LOGS_COUNT_MAX,
        });
    }
    let network = digest(&record.network)?;
    let mut logs = BTreeMap::new();
    for log in record.logs {
        let root: NodeHash = *digest(&log.root)?.as_bytes();
        if log.size > TREE_SIZE_MAX {
            return Err(wrong(format!("size {} exceeds {TREE_SIZE_MAX}", log.size)));
        }
        if logs
            .insert(
                digest(&log.log)?,
                TreeHead {
                    size: log.size,
                    root,
                },
            )
            .is_some()
        {
            return Err(wrong(format!("log {} is named twice", log.log)));
        }
    }
    Ok((network, logs))
}

fn digest(text: &str) -> Result<Digest, SigningRecordError> {
    text.parse().map_err(|_| SigningRecordError::Text {
        reason: format!("{text:?} is not 64 hexadecimal digits"),
    })
}
