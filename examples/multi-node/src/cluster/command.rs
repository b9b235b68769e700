//! What the one who runs the program can ask for: by a key in a terminal, by a line otherwise.

/// How many nodes there are.
pub(super) const NODES: usize = 3;

/// A broker or a node, by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Broker,
    Node(usize),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    /// Kill it if it runs, and start it otherwise.
    Toggle(Part),
    Kill(Part),
    /// Kill it if it runs, and start it.
    Restart(Part),
    /// Let a node end by itself: it sends its clients away first.
    Drain(usize),
    Status,
    Help,
    Quit,
}

/// What keys and lines do.
pub(super) const HELP: &str = "\
1 2 3       kill -9 of that node, or start it again
d, then 1   drain node 1: its clients are asked to go to another, as in a deploy
b           kill -9 of the broker, or start it again, empty
s           every figure once
q           stop everything
In lines:   kill 2, restart 2, drain 2, kill broker, restart broker, status, help, quit";

/// Reads keys, of which one may need another.
#[derive(Debug, Default)]
pub(super) struct Keys {
    drain: bool,
}

impl Keys {
    pub(super) fn press(&mut self, key: u8) -> Option<Command> {
        let drain = std::mem::take(&mut self.drain);
        match key.to_ascii_lowercase() {
            digit @ b'1'..=b'9' => {
                let node = usize::from(digit - b'1');
                (node < NODES).then_some(if drain { Command::Drain(node) } else { Command::Toggle(Part::Node(node)) })
            }
            b'd' => {
                self.drain = true;
                None
            }
            b'b' => Some(Command::Toggle(Part::Broker)),
            b's' => Some(Command::Status),
            b'h' | b'?' => Some(Command::Help),
            // Ctrl-d, too.
            b'q' | 4 => Some(Command::Quit),
            _ => None,
        }
    }
}

/// Reads a line. A line of one key is that key.
///
/// # Errors
///
/// What there is instead.
pub(super) fn parse(line: &str) -> Result<Command, String> {
    let words: Vec<_> = line.split_whitespace().collect();
    let part = |word: &str| match (word, word.parse::<usize>()) {
        ("broker", _) => Some(Part::Broker),
        (_, Ok(number)) if (1..=NODES).contains(&number) => Some(Part::Node(number - 1)),
        _ => None,
    };
    let command = match *words {
        ["kill", word] => part(word).map(Command::Kill),
        ["restart" | "start", word] => part(word).map(Command::Restart),
        ["drain", word] => part(word).and_then(|part| match part {
            Part::Node(index) => Some(Command::Drain(index)),
            Part::Broker => None,
        }),
        ["status"] => Some(Command::Status),
        ["help"] => Some(Command::Help),
        ["quit"] => Some(Command::Quit),
        [key] if key.len() == 1 => Keys::default().press(key.as_bytes()[0]),
        _ => None,
    };
    command.ok_or_else(|| format!("unknown command {line:?}; help lists them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        for (line, command) in [
            ("kill 2", Command::Kill(Part::Node(1))),
            (" restart  broker ", Command::Restart(Part::Broker)),
            ("start 3", Command::Restart(Part::Node(2))),
            ("drain 1", Command::Drain(0)),
            ("status", Command::Status),
            ("quit", Command::Quit),
            ("b", Command::Toggle(Part::Broker)),
            ("1", Command::Toggle(Part::Node(0))),
        ] {
            assert_eq!(parse(line), Ok(command), "{line}");
        }
        for line in ["", "kill", "kill 0", "kill 4", "kill -1", "drain broker", "quit now", "x", "ü"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_digit_behind_d_drains() {
        let mut keys = Keys::default();
        assert_eq!(keys.press(b'd'), None);
        assert_eq!(keys.press(b'2'), Some(Command::Drain(1)));
        assert_eq!(keys.press(b'2'), Some(Command::Toggle(Part::Node(1))));
        assert_eq!((keys.press(b'd'), keys.press(b'x')), (None, None));
        assert_eq!((keys.press(b'3'), keys.press(b'4')), (Some(Command::Toggle(Part::Node(2))), None));
    }
}
