//! The signing record, as a check sees it: read without its lock, compared with the log, and left as it is.

use std::path::Path;

use symphony_transparency::Digest;
use symphony_transparency::merkle::root_at;

use crate::check::Damages;
use crate::damage::Damage;
use crate::head::Head;
use crate::signing::{Inspection, Slot};
use crate::store::{LogNodes, Store};

/// A signing record as its file holds it.
pub(super) struct Record {
    newest: Option<Slot>,
    /// What is wrong with the record itself.
    pub(super) damages: Vec<Damage>,
}

impl Record {
    pub(super) fn inspect(path: &Path) -> Self {
        let unreadable = |reason: String| Self {
            newest: None,
            damages: vec![Damage::SigningRecordUnreadable { reason }],
        };
        let inspection = match Inspection::of(path) {
            Ok(Some(inspection)) => inspection,
            Ok(None) => return unreadable("there is none".to_owned()),
            Err(error) => return unreadable(error.to_string()),
        };
        let Some(newest) = inspection.newest().cloned() else {
            return unreadable("neither slot is intact".to_owned());
        };
        let damages = (0..)
            .zip(&inspection.slots)
            .filter(|(_, content)| content.is_none())
            .map(|(slot, _)| Damage::SigningSlot { slot })
            .collect();
        Self {
            newest: Some(newest),
            damages,
        }
    }

    /// The own log must hold all that was signed. Spec: STORE-14.
    pub(super) fn compare(&self, store: &Store, log: &Digest, head: &Head, damages: &mut Damages) {
        let Some(newest) = &self.newest else { return };
        let Some(recorded) = newest.logs.get(log) else {
            damages.add(Damage::SigningRecordMissing { log: *log });
            return;
        };
        if head.size() < recorded.size {
            damages.add(Damage::LogBehind {
                size: head.size(),
                recorded: recorded.size,
            });
            return;
        }
        // A node that is missing was reported with the tree.
        let nodes = LogNodes { store, log: *log };
        if let Ok(found) = root_at(&nodes, recorded.size)
            && found != recorded.root
        {
            damages.add(Damage::LogDiverged {
                size: recorded.size,
                expected: recorded.root,
                found,
            });
        }
    }
}
