use core::ops::Range;
use std::{
    net::{TcpListener, UdpSocket},
    sync::Mutex,
};

/// A port of the loopback device that nothing listens on now, for programs that cannot choose one
/// themselves. It lies below those that the system gives to whoever asks for port 0, and in a block
/// that no other process of these tests takes ports from.
#[must_use]
pub fn free_port() -> u16 {
    static BLOCK: Mutex<Option<PortBlock>> = Mutex::new(None);
    let mut block = BLOCK.lock().unwrap();
    loop {
        let port = block.as_mut().and_then(|block| block.left.next());
        match port {
            Some(port) if TcpListener::bind(("127.0.0.1", port)).is_ok() => return port,
            Some(_) => {}
            None => *block = Some(PortBlock::take(block.take())),
        }
    }
}

/// Ports that are one process's until it ends: a UDP socket at the first of them says so.
struct PortBlock {
    left: Range<u16>,
    taken: Vec<UdpSocket>,
}

impl PortBlock {
    const SIZE: u16 = 100;

    /// A block that nobody has, beside the one before.
    fn take(before: Option<Self>) -> Self {
        let mut taken = before.map(|block| block.taken).unwrap_or_default();
        let (first, socket) = (20_000..32_000)
            .step_by(Self::SIZE.into())
            .find_map(|first| Some((first, UdpSocket::bind(("127.0.0.1", first)).ok()?)))
            .expect("there are free ports");
        taken.push(socket);
        Self {
            left: first..first + Self::SIZE,
            taken,
        }
    }
}
