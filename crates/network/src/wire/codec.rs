//! Framing: one message on each half of a stream, preceded by its size as four big-endian bytes.
//!
//! The size is compared with its limit before anything else is read, and memory grows with the bytes that arrive, out of
//! a budget shared by all peers. Spec: NET-17, NET-18.

use std::io;
use std::sync::Arc;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use libp2p::StreamProtocol;
use libp2p::request_response::Codec;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{WireError, size_in_range};
use crate::limits::{READ_PIECE_SIZE, REQUEST_SIZE_MAX, RESPONSE_SIZE_MAX};

/// Bytes that one permit of the memory budget stands for; a semaphore counts at most 2^29 permits on small machines.
const PERMIT_SIZE: usize = 1024;

/// Moves frames; what is in them is decoded elsewhere.
#[derive(Debug, Clone)]
pub(crate) struct ExchangeCodec {
    budget: Arc<Semaphore>,
}

/// The bytes of a request, and the part of the memory budget that they hold until they are dropped.
///
/// A size outside the limits is handed on as an error, not ended as a failed stream: libp2p reports no failure of a
/// request that was never read, so the sender would not be held to account.
#[derive(Debug)]
pub(crate) struct RequestFrame {
    pub(crate) bytes: Result<Vec<u8>, WireError>,
    pub(crate) memory: Option<OwnedSemaphorePermit>,
}

impl RequestFrame {
    /// A frame of our own.
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes: Ok(bytes),
            memory: None,
        }
    }
}

/// The bytes of a response. Only responses that we asked for are read, so their number is bounded by our own requests.
#[derive(Debug)]
pub(crate) struct ResponseFrame {
    pub(crate) bytes: Vec<u8>,
}

impl ExchangeCodec {
    /// A codec whose inbound requests hold at most `memory_max` bytes together.
    pub(crate) fn new(memory_max: usize) -> Self {
        Self {
            budget: Arc::new(Semaphore::new(memory_max / PERMIT_SIZE)),
        }
    }
}

impl Codec for ExchangeCodec {
    type Protocol = StreamProtocol;
    type Request = RequestFrame;
    type Response = ResponseFrame;

    async fn read_request<T>(&mut self, _: &StreamProtocol, io: &mut T) -> io::Result<RequestFrame>
    where
        T: AsyncRead + Unpin + Send,
    {
        let mut memory = None;
        let bytes = match read_size(io, REQUEST_SIZE_MAX).await? {
            Ok(size) => Ok(read_bytes(io, size, Some((&self.budget, &mut memory))).await?),
            Err(error) => Err(error),
        };
        Ok(RequestFrame { bytes, memory })
    }

    async fn read_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<ResponseFrame>
    where
        T: AsyncRead + Unpin + Send,
    {
        let size = read_size(io, RESPONSE_SIZE_MAX).await?.map_err(invalid)?;
        let bytes = read_bytes(io, size, None).await?;
        Ok(ResponseFrame { bytes })
    }

    async fn write_request<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        request: RequestFrame,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &request.bytes.map_err(invalid)?, REQUEST_SIZE_MAX).await
    }

    async fn write_response<T>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        response: ResponseFrame,
    ) -> io::Result<()>
    where
        T: AsyncWrite + Unpin + Send,
    {
        write_frame(io, &response.bytes, RESPONSE_SIZE_MAX).await
    }
}

/// Reads the size of a frame; the inner error says that it is outside the limits.
async fn read_size<T>(io: &mut T, size_max: usize) -> io::Result<Result<usize, WireError>>
where
    T: AsyncRead + Unpin + Send,
{
    let mut header = [0; 4];
    io.read_exact(&mut header).await?;
    let size = u32::from_be_bytes(header) as usize;
    Ok(size_in_range("frame", size, 1..=size_max).map(|()| size))
}

/// Reads so many bytes, piece by piece, each out of the budget first if there is one.
async fn read_bytes<T>(
    io: &mut T,
    size: usize,
    mut budget: Option<(&Arc<Semaphore>, &mut Option<OwnedSemaphorePermit>)>,
) -> io::Result<Vec<u8>>
where
    T: AsyncRead + Unpin + Send,
{
    let mut bytes = Vec::new();
    while bytes.len() < size {
        let piece = READ_PIECE_SIZE.min(size - bytes.len());
        if let Some((budget, memory)) = &mut budget {
            extend_memory(memory, budget, piece)?;
        }
        let start = bytes.len();
        bytes.resize(start + piece, 0);
        io.read_exact(&mut bytes[start..]).await?;
    }
    Ok(bytes)
}

async fn write_frame<T>(io: &mut T, bytes: &[u8], size_max: usize) -> io::Result<()>
where
    T: AsyncWrite + Unpin + Send,
{
    size_in_range("frame", bytes.len(), 1..=size_max).map_err(invalid)?;
    let header = u32::try_from(bytes.len())
        .expect("the size was compared with a limit far below 2^32")
        .to_be_bytes();
    io.write_all(&header).await?;
    io.write_all(bytes).await?;
    io.flush().await
}

fn invalid(error: WireError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn extend_memory(
    memory: &mut Option<OwnedSemaphorePermit>,
    budget: &Arc<Semaphore>,
    size: usize,
) -> io::Result<()> {
    let permits = u32::try_from(size.div_ceil(PERMIT_SIZE)).expect("a piece is small");
    let more = Arc::clone(budget)
        .try_acquire_many_owned(permits)
        .map_err(|_| {
            io::Error::new(
                io::ErrorKind::OutOfMemory,
                "the memory for requests is used up",
            )
        })?;
    match memory {
        Some(held) => held.merge(more),
        None => *memory = Some(more),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::io::Cursor;

    use super::*;

    fn protocol() -> StreamProtocol {
        StreamProtocol::new("/test")
    }

    fn framed(bytes: &[u8]) -> Vec<u8> {
        let mut frame = (bytes.len() as u32).to_be_bytes().to_vec();
        frame.extend_from_slice(bytes);
        frame
    }

    fn read(codec: &mut ExchangeCodec, frame: Vec<u8>) -> io::Result<RequestFrame> {
        block_on(codec.read_request(&protocol(), &mut Cursor::new(frame)))
    }

    #[test]
    fn net_17_a_frame_is_its_size_and_its_bytes() {
        let mut codec = ExchangeCodec::new(1 << 20);
        let mut written = Cursor::new(Vec::new());
        let request = RequestFrame::new(vec![1, 2, 3]);
        block_on(codec.write_request(&protocol(), &mut written, request)).unwrap();
        assert_eq!(written.get_ref().as_slice(), &[0, 0, 0, 3, 1, 2, 3]);
        let frame = read(&mut codec, written.into_inner()).unwrap();
        assert_eq!(frame.bytes, Ok(vec![1, 2, 3]));
    }

    #[test]
    fn net_17_every_truncation_of_a_frame_is_refused() {
        let mut codec = ExchangeCodec::new(1 << 20);
        let frame = framed(&[9; 20]);
        for size in 0..frame.len() {
            let error = read(&mut codec, frame[..size].to_vec()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{size}");
        }
    }

    #[test]
    fn net_18_a_size_outside_the_limits_is_refused_before_its_bytes_are_read() {
        let mut codec = ExchangeCodec::new(1 << 30);
        for size in [0, REQUEST_SIZE_MAX as u32 + 1, u32::MAX] {
            let frame = read(&mut codec, size.to_be_bytes().to_vec()).unwrap();
            assert!(
                matches!(frame.bytes, Err(WireError::OutOfRange { actual, .. }) if actual == u64::from(size))
            );
        }
        let largest = read(&mut codec, framed(&vec![1; REQUEST_SIZE_MAX])).unwrap();
        assert_eq!(largest.bytes.unwrap().len(), REQUEST_SIZE_MAX);
    }

    #[test]
    fn net_18_a_response_may_be_larger_than_a_request_but_has_its_own_limit() {
        let mut codec = ExchangeCodec::new(0);
        let mut respond = |size: usize| {
            let frame = framed(&vec![1; size]);
            block_on(codec.read_response(&protocol(), &mut Cursor::new(frame)))
        };
        assert_eq!(
            respond(RESPONSE_SIZE_MAX).unwrap().bytes.len(),
            RESPONSE_SIZE_MAX
        );
        let error = respond(RESPONSE_SIZE_MAX + 1).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn net_18_requests_share_one_memory_budget() {
        let mut codec = ExchangeCodec::new(64 * 1024);
        let held = read(&mut codec, framed(&vec![1; 60 * 1024])).unwrap();
        let mut other_stream = codec.clone();
        let error = read(&mut other_stream, framed(&vec![1; 8 * 1024])).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        drop(held);
        assert!(read(&mut other_stream, framed(&vec![1; 8 * 1024])).is_ok());
    }

    #[test]
    fn net_18_a_claimed_size_takes_no_memory_before_its_bytes_arrive() {
        let mut codec = ExchangeCodec::new(1 << 20);
        let mut frame = framed(&vec![1; REQUEST_SIZE_MAX]);
        frame.truncate(4 + 10);
        assert!(read(&mut codec, frame).is_err());
        assert_eq!(codec.budget.available_permits(), (1 << 20) / PERMIT_SIZE);
    }
}
