//! Ports on loopback for servers of tests.

use std::{
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

use anyhow::{Result, bail};

/// First of the ports that are tried: below those that the system gives to clients, so that a server which is
/// stopped for a while finds its port free again.
const FIRST_PORT: u16 = 20_000;
/// Number of ports that are tried.
const PORTS: u16 = 10_000;
/// Ports handed out by this process; none is handed out twice.
static HANDED_OUT: AtomicU16 = AtomicU16::new(0);

/// A port that is free now and that this process has not handed out before.
pub(crate) fn free_port() -> Result<u16> {
    // Another process begins somewhere else.
    let begin = u16::try_from(std::process::id() * 61 % u32::from(PORTS))?;
    for _ in 0..PORTS {
        let port = FIRST_PORT + (begin + HANDED_OUT.fetch_add(1, Ordering::SeqCst) % PORTS) % PORTS;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port from {FIRST_PORT} on is free")
}
