//! Asking witnesses over HTTP to cosign a published log.

use std::{path::Path, time::Duration};

use reqwest::{Client, Response, StatusCode, Url, header::CONTENT_TYPE, redirect::Policy};
use symphony_protocol::records::{Body, Entry};
use symphony_transparency::{
    CHECKPOINT_SIZE_MAX, CheckpointError, Cosigner, NoteSignature, ProofError, SignedCheckpoint,
    TrustPolicy, consistency_proof,
    tiles::{BUNDLE_SIZE_MAX, TILE_WIDTH, TileKind, TilePath, TileTree, decode_bundle},
    trust_policy::PolicyName,
    witness::{AddCheckpoint, SIZE_CONTENT_TYPE},
};

use super::folder::{CHECKPOINT, Folder};

/// Time for one request.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Requests to one witness: the first tells its size, and others may ask it at the same time.
const ATTEMPTS_MAX: usize = 4;
/// Largest answer in bytes: a few cosignatures, post-quantum ones included.
const ANSWER_SIZE_MAX: usize = 64 * 1024;
/// Largest hash tile in bytes.
const TILE_SIZE_MAX: u64 = 32 * TILE_WIDTH as u64;

/// What a witness answered.
#[derive(Debug)]
pub struct Asked {
    /// The witness' name in the policy.
    pub witness: PolicyName,
    /// Time of its cosignature in seconds since 1970-01-01 UTC, or why there is none.
    pub outcome: Result<u64, AskError>,
}

/// Why a witness does not cosign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The policy gives no address.
    #[error("the policy gives no address for it")]
    NoAddress,
    /// The address is none of HTTP.
    #[error("{0:?} is no address such as https://witness.example/")]
    BadAddress(String),
    /// It cannot be reached.
    #[error("not reached: {0}")]
    Unreached(String),
    /// It refuses.
    #[error("refused with status {status}: {reason}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says.
        reason: String,
    },
    /// It cosigned a larger tree: the folder is behind the log.
    #[error("it has cosigned {actual} entries already, more than the folder's {expected}")]
    Ahead {
        /// Entries of the folder's checkpoint.
        expected: u64,
        /// Entries that it cosigned.
        actual: u64,
    },
    /// It cosigned another root at this size: the log shows two histories.
    #[error("it has cosigned another root at {size} entries")]
    Fork {
        /// The size.
        size: u64,
    },
    /// Others kept asking it at the same time.
    #[error("others asked it at the same time, {ATTEMPTS_MAX} times")]
    Busy,
    /// Its answer holds no cosignature of its key.
    #[error("its answer holds no cosignature of its key")]
    NoCosignature,
    /// The folder's tiles give no proof from the size that it cosigned.
    #[error("the folder's tiles: {0}")]
    Proof(#[from] ProofError),
}

/// Why a folder's checkpoint cannot be cosigned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CosignError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder holds no log, or a part of one.
    #[error("the folder holds no published log: {0}")]
    NoLog(String),
    /// The checkpoint is none, or not signed, or has no room for another line.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The folder got another checkpoint meanwhile.
    #[error("the folder got another checkpoint meanwhile; ask again")]
    Changed,
    /// The client cannot be made.
    #[error("HTTP: {0}")]
    Client(String),
}

/// Asks each witness of a policy that has an address to cosign the checkpoint of a folder that
/// [`publish`](super::publish) wrote, and adds the cosignatures that hold to it.
///
/// Proofs are made from the folder's tiles, so memory does not grow with the log.
///
/// # Errors
/// [`CosignError`]; the folder's checkpoint is then as before. That a witness does not cosign is no error.
///
/// Spec: WITNESS-3, WITNESS-4, WITNESS-7.
pub async fn cosign(
    folder: &Path,
    policy: &TrustPolicy,
) -> Result<(SignedCheckpoint, Vec<Asked>), CosignError> {
    let folder = Folder::new(folder);
    let before = signed(&folder)?;
    let mut cosigned = before.clone();
    let client = client()?;
    let mut asked = Vec::new();
    for witness in policy.witnesses() {
        let outcome = match address(witness.url.as_deref()) {
            Ok(url) => ask(&client, &url, &witness.cosigner, &before, &folder).await,
            Err(error) => Err(error),
        };
        let outcome = match outcome {
            Ok((line, time_s)) => {
                cosigned.add_line(line)?;
                Ok(time_s)
            }
            Err(error) => Err(error),
        };
        asked.push(Asked {
            witness: witness.name.clone(),
            outcome,
        });
    }
    if signed(&folder)?.note().text() != before.note().text() {
        return Err(CosignError::Changed);
    }
    let path = || folder.path(CHECKPOINT).display().to_string();
    folder
        .put_last(CHECKPOINT, cosigned.text().as_bytes())
        .map_err(|source| CosignError::File {
            path: path(),
            source,
        })?;
    Ok((cosigned, asked))
}

/// The folder's checkpoint, signed by the key that its entry 0 names.
fn signed(folder: &Folder) -> Result<SignedCheckpoint, CosignError> {
    let text = String::from_utf8(read(folder, CHECKPOINT, CHECKPOINT_SIZE_MAX as u64)?)
        .map_err(|_| CosignError::NoLog("its checkpoint is no text".to_owned()))?;
    let size = SignedCheckpoint::parse_unverified(&text)?.size;
    let width = u16::try_from(size).unwrap_or(TILE_WIDTH).min(TILE_WIDTH);
    let path = TilePath::new(TileKind::Entries, 0, width)
        .ok_or_else(|| CosignError::NoLog("it has no entries".to_owned()))?;
    let bundle = read(folder, &path.to_string(), BUNDLE_SIZE_MAX as u64)?;
    let entries =
        decode_bundle(&bundle, width).map_err(|error| CosignError::NoLog(error.to_string()))?;
    let entry_0 = entries.first().copied().unwrap_or_default();
    match Entry::parse(entry_0, None).map(|entry| entry.body) {
        Ok(Body::Genesis(genesis)) => Ok(SignedCheckpoint::parse_and_verify(
            &text,
            &genesis.keys.log,
        )?),
        Ok(body) => Err(CosignError::NoLog(format!("entry 0 is a {}", body.name()))),
        Err(error) => Err(CosignError::NoLog(format!("entry 0: {error}"))),
    }
}

fn read(folder: &Folder, name: &str, size_max: u64) -> Result<Vec<u8>, CosignError> {
    let failed = |source| CosignError::File {
        path: folder.path(name).display().to_string(),
        source,
    };
    let found = folder.read(name, size_max).map_err(failed)?;
    found.ok_or_else(|| CosignError::NoLog(format!("{name} is missing")))
}

async fn ask(
    client: &Client,
    url: &Url,
    cosigner: &Cosigner,
    signed: &SignedCheckpoint,
    folder: &Folder,
) -> Result<(NoteSignature, u64), AskError> {
    let size = signed.checkpoint().size;
    let tile = |path: &TilePath| folder.read(&path.to_string(), TILE_SIZE_MAX).ok().flatten();
    let tree = TileTree::new(size, tile);
    let mut old_size = 0;
    for _ in 0..ATTEMPTS_MAX {
        let proof = consistency_proof(&tree, old_size, size)?;
        let body = AddCheckpoint::new(old_size, proof, signed).to_string();
        let response = client.post(url.clone()).body(body).send().await;
        let (status, is_size, answer) = read_answer(response.map_err(unreached)?).await?;
        match status {
            StatusCode::OK => return cosignature(cosigner, signed, &answer),
            StatusCode::CONFLICT if is_size => {
                let latest = answer.strip_suffix('\n').unwrap_or(&answer).parse();
                let latest: u64 = latest.map_err(|_| AskError::NoCosignature)?;
                if latest > size {
                    return Err(AskError::Ahead {
                        expected: size,
                        actual: latest,
                    });
                }
                if latest == old_size {
                    return Err(AskError::Fork { size: latest });
                }
                old_size = latest;
            }
            status => {
                return Err(AskError::Refused {
                    status: status.as_u16(),
                    reason: answer.trim_end().chars().take(200).collect(),
                });
            }
        }
    }
    Err(AskError::Busy)
}

/// The line of an answer that is the witness' and holds.
fn cosignature(
    cosigner: &Cosigner,
    signed: &SignedCheckpoint,
    answer: &str,
) -> Result<(NoteSignature, u64), AskError> {
    let lines = answer.lines().filter_map(|line| line.parse().ok());
    lines
        .filter_map(|line: NoteSignature| {
            let time_s = cosigner.verify_line(signed.note().text(), &line).ok()?;
            Some((line, time_s))
        })
        .next()
        .ok_or(AskError::NoCosignature)
}

/// Status, whether the body tells a size, and the body, read no further than the limit.
async fn read_answer(mut response: Response) -> Result<(StatusCode, bool, String), AskError> {
    let status = response.status();
    let content_type = response.headers().get(CONTENT_TYPE);
    let is_size = content_type.is_some_and(|found| found == SIZE_CONTENT_TYPE);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreached)? {
        if body.len().saturating_add(chunk.len()) > ANSWER_SIZE_MAX {
            return Err(AskError::Unreached(format!(
                "an answer of more than {ANSWER_SIZE_MAX} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, is_size, String::from_utf8_lossy(&body).into_owned()))
}

/// `<submission prefix>/add-checkpoint`.
fn address(url: Option<&[u8]>) -> Result<Url, AskError> {
    let text = String::from_utf8_lossy(url.ok_or(AskError::NoAddress)?).into_owned();
    let bad = || AskError::BadAddress(text.clone());
    let url: Url = format!("{}/add-checkpoint", text.trim_end_matches('/'))
        .parse()
        .map_err(|_| bad())?;
    if matches!(url.scheme(), "http" | "https") {
        Ok(url)
    } else {
        Err(bad())
    }
}

fn client() -> Result<Client, CosignError> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, which is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    }
    Client::builder()
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .build()
        .map_err(|error| CosignError::Client(error.to_string()))
}

fn unreached(error: reqwest::Error) -> AskError {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    AskError::Unreached(reason)
}
