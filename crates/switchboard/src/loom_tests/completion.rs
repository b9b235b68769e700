//! The last word of a request.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use loom::thread;
use switchboard_core::CloseCode;

use super::{Member, Pipe, check, check_some, conn, frame, letters};
use crate::{outbox::FlushBy, request::Completion};

/// A request whose handler replies, whose deadline passes, which is aborted and whose progress is
/// reported, each by somebody else: `1` and `2` for the words of two who want the last, `p` for
/// progress.
#[test]
fn one_last_word_and_no_progress_behind_it() {
    check(|| {
        let pipe = Pipe::new(64);
        let (conn, terminal) = (conn(1, &pipe), Arc::new(Completion::default()));
        let others: Vec<_> = ["1", "2"]
            .into_iter()
            .map(|word| {
                let (conn, terminal) = (Arc::clone(&conn), Arc::clone(&terminal));
                thread::spawn(move || {
                    if terminal.end() {
                        conn.outbox.push(frame(word), FlushBy::Caller);
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

/// Says a last word, if nobody has.
fn end(conn: &Member, terminal: &Completion, word: &str, ended: &AtomicUsize) {
    if terminal.end() {
        ended.fetch_add(1, SeqCst);
        conn.outbox.push(frame(word), FlushBy::Caller);
    }
}

/// All that can end a request at once: a reply and a deadline, an error and an abort, and the end of
/// the connection, while a step of progress is on its way. Three switches took thirteen seconds, and passed.
#[test]
fn whatever_ends_a_request_does_so_once() {
    check_some(2, || {
        let pipe = Pipe::new(64);
        let (conn, terminal, ended) = (conn(1, &pipe), Arc::new(Completion::default()), Arc::new(AtomicUsize::new(0)));
        let others: Vec<_> = [["r", "d"], ["e", "a"]]
            .into_iter()
            .map(|words| {
                let (conn, terminal, ended) = (Arc::clone(&conn), Arc::clone(&terminal), Arc::clone(&ended));
                thread::spawn(move || words.iter().for_each(|word| end(&conn, &terminal, word, &ended)))
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
        // What had not left when the connection ended, never will.
        let letters = letters(&pipe);
        let word = letters.strip_prefix('p').unwrap_or(&letters);
        assert!(["", "r", "d", "e", "a"].contains(&word), "{letters}");
    });
}
