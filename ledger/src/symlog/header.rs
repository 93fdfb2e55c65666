//! The header of a `.symlog` file.

use symphony_proto::export::v1 as wire;
use symphony_transparency::{Digest, PublicKey, decode_canonical, encode};

use super::SymlogError;

/// Largest size of the parameters in a header, in bytes.
pub const EXPORT_PARAMS_SIZE_MAX: usize = 1 << 16;
/// Largest size of the checkpoint in a header, in bytes: a note with a few hundred signatures.
pub const EXPORT_CHECKPOINT_SIZE_MAX: usize = 1 << 16;
/// Largest size of a header in bytes.
pub const EXPORT_HEADER_SIZE_MAX: usize = EXPORT_PARAMS_SIZE_MAX + EXPORT_CHECKPOINT_SIZE_MAX + 256;

/// What the file says of the log in it. All of it is a claim until it is checked against the entries and the checkpoint's
/// signature.
///
/// Spec: STORE-21.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportHeader {
    /// Digest of the agreed parameters.
    pub network_id: Digest,
    /// Digest of entry 0.
    pub log_id: Digest,
    /// Key with which the author signed the checkpoint.
    pub log_key: PublicKey,
    /// Number of entries in the file, from entry 0.
    pub size: u64,
    /// Canonical bytes of the parameters, at most [`EXPORT_PARAMS_SIZE_MAX`].
    pub params: Vec<u8>,
    /// The author's signed checkpoint at a size of at most `size`, if it signed one; at most
    /// [`EXPORT_CHECKPOINT_SIZE_MAX`] bytes.
    pub checkpoint: Option<String>,
}

impl ExportHeader {
    /// The canonical bytes.
    ///
    /// # Errors
    /// [`SymlogError::HeaderField`] when a part exceeds its limit.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, SymlogError> {
        self.check_limits()?;
        Ok(encode(&wire::ExportHeader {
            network_id: self.network_id.as_bytes().to_vec(),
            log_id: self.log_id.as_bytes().to_vec(),
            log_key: self.log_key.as_bytes().to_vec(),
            size: self.size,
            params: self.params.clone(),
            checkpoint: self.checkpoint.clone().unwrap_or_default().into_bytes(),
        }))
    }

    /// Reads canonical bytes.
    ///
    /// # Errors
    /// [`SymlogError::HeaderCanonical`] or [`SymlogError::HeaderField`].
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, SymlogError> {
        let wire: wire::ExportHeader = decode_canonical(bytes, EXPORT_HEADER_SIZE_MAX)?;
        let field = |field, reason: String| SymlogError::HeaderField { field, reason };
        let checkpoint = String::from_utf8(wire.checkpoint)
            .map_err(|_| field("checkpoint", "is not UTF-8 text".to_owned()))?;
        let header = Self {
            network_id: Digest::from_slice(&wire.network_id)
                .map_err(|error| field("network_id", error.to_string()))?,
            log_id: Digest::from_slice(&wire.log_id)
                .map_err(|error| field("log_id", error.to_string()))?,
            log_key: PublicKey::from_slice(&wire.log_key)
                .map_err(|error| field("log_key", error.to_string()))?,
            size: wire.size,
            params: wire.params,
            checkpoint: (!checkpoint.is_empty()).then_some(checkpoint),
        };
        header.check_limits()?;
        Ok(header)
    }

    fn check_limits(&self) -> Result<(), SymlogError> {
        let too_large = |field, actual: usize, limit: usize| SymlogError::HeaderField {
            field,
            reason: format!("{actual} bytes exceed {limit}"),
        };
        if self.params.len() > EXPORT_PARAMS_SIZE_MAX {
            return Err(too_large(
                "params",
                self.params.len(),
                EXPORT_PARAMS_SIZE_MAX,
            ));
        }
        let checkpoint_size = self.checkpoint.as_ref().map_or(0, String::len);
        if checkpoint_size > EXPORT_CHECKPOINT_SIZE_MAX {
            return Err(too_large(
                "checkpoint",
                checkpoint_size,
                EXPORT_CHECKPOINT_SIZE_MAX,
            ));
        }
        if self.size == super::HEADER_PLACE {
            return Err(SymlogError::HeaderField {
                field: "size",
                reason: "no log is that long".to_owned(),
            });
        }
        Ok(())
    }
}
