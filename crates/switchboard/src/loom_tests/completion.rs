//! Completion: the terminal frame of a request.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use loom::thread;
use switchboard_core::CloseCode;

use super::{Member, Pipe, check, check_some, conn, frame, letters};
use crate::{outbox::FlushBy, request::Completion};

/// Two threads end a request with the frames `1` and `2`, while a third reports progress, `p`.
#[test]
fn one_terminal_frame_and_no_progress_after_it() {
    check(|| {
        let pipe = Pipe::new(64);
        let (conn, terminal) = (conn(1, &pipe), Arc::new(Completion::default()));
        let others: Vec<_> = ["1", "2"]
            .into_iter()
            .map(|letter| {
                let (conn, terminal) = (Arc::clone(&conn), Arc::clone(&terminal));
                thread::spawn(move || {
                    if terminal.end() {
                        conn.outbox.push(frame(letter), FlushBy::Caller);
                    }
                })
            })
            .collect();
        let reported = terminal.before_end(|| conn.outbox.push_anyway(frame("p"), FlushBy::Owner)).is_some();
        for other in others {
            other.join().unwrap();
        }
        assert!(terminal.before_end(|| ()).is_none() && !terminal.end());
        conn.outbox.flush();
        let letters = letters(&pipe);
        let expected: &[&str] = if reported { &["p1", "p2"] } else { &["1", "2"] };
        assert!(expected.contains(&letters.as_str()), "{letters}");
    });
}

/// Sends a terminal frame, if none was sent.
fn end(conn: &Member, terminal: &Completion, letter: &str, ended: &AtomicUsize) {
    if terminal.end() {
        ended.fetch_add(1, SeqCst);
        conn.outbox.push(frame(letter), FlushBy::Caller);
    }
}

/// A reply, a deadline, an error, an abort and the end of the connection end a request at the same
/// time, while progress is reported. Three preemptions took thirteen seconds, and passed.
#[test]
fn a_request_ends_once() {
    check_some(2, || {
        let pipe = Pipe::new(64);
        let (conn, terminal, ended) = (conn(1, &pipe), Arc::new(Completion::default()), Arc::new(AtomicUsize::new(0)));
        let others: Vec<_> = [["r", "d"], ["e", "a"]]
            .into_iter()
            .map(|letters| {
                let (conn, terminal, ended) = (Arc::clone(&conn), Arc::clone(&terminal), Arc::clone(&ended));
                thread::spawn(move || letters.iter().for_each(|letter| end(&conn, &terminal, letter, &ended)))
            })
            .collect();
        let gone = {
            let (conn, terminal, ended) = (Arc::clone(&conn), Arc::clone(&terminal), Arc::clone(&ended));
            thread::spawn(move || {
                conn.outbox.flush();
                conn.outbox.close(CloseCode::ABNORMAL, "");
                conn.outbox.detach();
                ended.fetch_add(usize::from(terminal.end()), SeqCst);
            })
        };
        terminal.before_end(|| conn.outbox.push_anyway(frame("p"), FlushBy::Owner));
        for other in others {
            other.join().unwrap();
        }
        gone.join().unwrap();
        assert_eq!(ended.load(SeqCst), 1);
        assert!(terminal.before_end(|| ()).is_none());
        conn.outbox.flush();
        // Frames not written when the connection ended are never written.
        let letters = letters(&pipe);
        let terminal = letters.strip_prefix('p').unwrap_or(&letters);
        assert!(["", "r", "d", "e", "a"].contains(&terminal), "{letters}");
    });
}
