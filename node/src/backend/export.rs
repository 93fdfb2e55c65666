//! A log as a portable file, in pieces.

use std::io::{self, BufWriter, Write};

use futures::{StreamExt as _, stream};
use symphony_admin::{BackendError, Events, LogName};
use symphony_ledger::ExportAbout;
use tokio::sync::mpsc;

use super::{
    NodeBackend,
    failure::{internal, stopped},
    logs::Note,
};

/// Bytes of a piece, and pieces that may wait for the client.
const PIECE_BYTES: usize = 256 * 1024;
const PIECES_MAX: usize = 4;

impl NodeBackend {
    /// Everything that the author signed: up to a checkpoint of this moment for the own log, up to the newest known one for
    /// another's, all entries without one.
    pub(super) async fn export_of(&self, log: LogName) -> Result<Events<Vec<u8>>, BackendError> {
        let source = self.source(log)?;
        let genesis = source.genesis()?;
        let note = if source.own {
            let text = self.node.checkpoint_now().await.map_err(|_| stopped())?;
            Some(self.cosigned(Note::parse(text)?)?)
        } else {
            self.newest_note(&source, source.size()?)?
        };
        let about = ExportAbout {
            network_id: genesis.params.network_id(),
            params: genesis.params.to_bytes(),
            log_key: genesis.keys.log,
            size: match &note {
                Some(note) => note.checkpoint.size,
                None => source.size()?,
            },
            checkpoint: note.map(|note| note.text),
        };
        let (sender, receiver) = mpsc::channel(PIECES_MAX);
        tokio::task::spawn_blocking(move || {
            let output = BufWriter::with_capacity(PIECE_BYTES, Pieces(sender.clone()));
            let exported = source.reader.export(about, output);
            if let Err(error) = exported {
                // Nobody listens any more if this fails.
                let _ = sender.blocking_send(Err(internal(error)));
            }
        });
        Ok(stream::unfold(receiver, |mut receiver| async move {
            let piece = receiver.recv().await?;
            Some((piece, receiver))
        })
        .boxed())
    }
}

/// Hands written bytes to a call; fails when the client is gone.
struct Pieces(mpsc::Sender<Result<Vec<u8>, BackendError>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Ok(bytes.to_vec()))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
