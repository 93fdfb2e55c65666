//! Ports below those that the system hands out, so that no outgoing connection takes one between choice and use.

use std::{
    net::{TcpListener, UdpSocket},
    sync::atomic::{AtomicU16, Ordering},
};

/// Ports that one test process may use up: all tests together, where one process runs them all.
const PORTS_EACH: u32 = 200;
/// First port.
const FIRST: u16 = 20_000;
/// Places for test processes: the last port is below 32,768, where Linux begins to hand out.
const PLACES: u32 = 60;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that is free for TCP and UDP.
///
/// # Errors
/// All ports of this process are taken.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let place = u16::try_from((std::process::id() % PLACES) * PORTS_EACH)?;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        anyhow::ensure!(u32::from(number) < PORTS_EACH, "no free port is left");
        let port = FIRST + place + number;
        if TcpListener::bind(("127.0.0.1", port)).is_ok()
            && UdpSocket::bind(("127.0.0.1", port)).is_ok()
        {
            return Ok(port);
        }
    }
}
