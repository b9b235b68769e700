//! Standard input, read by a thread: a read that waits would keep tokio's runtime from ending.

use std::{
    io::{self, Read as _},
    thread,
};

use tokio::sync::mpsc::{self, Receiver};

/// How many pieces wait to be read. The thread waits for room.
const WAITING: usize = 16;

/// Returns what arrives, in pieces. The channel ends with the input.
pub(crate) fn read() -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(WAITING);
    thread::spawn(move || {
        let mut buffer = [0; 1024];
        loop {
            match io::stdin().lock().read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => {
                    if sender.blocking_send(buffer[..count].to_vec()).is_err() {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    });
    receiver
}

/// Waits for the end of the input. A process that has a pipe from its parent ends with it, also if the parent was killed.
pub(crate) async fn ended() {
    let mut input = read();
    while input.recv().await.is_some() {}
}
