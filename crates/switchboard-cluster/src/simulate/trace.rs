//! What happened, as text or as a hash of it.

use std::{
    fmt::{self, Write},
    time::Duration,
};

#[derive(Debug)]
pub(super) struct Trace {
    hash: u64,
    lines: Option<Vec<String>>,
}

impl Trace {
    pub(super) fn new(keeps_lines: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, lines: keeps_lines.then(Vec::new) }
    }

    pub(super) fn add(&mut self, now: Duration, what: fmt::Arguments<'_>) {
        let seconds = now.as_micros() as f64 / 1e6;
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{seconds:>11.6}  {what}"));
        }
        // Writing to the hash cannot fail.
        let _ = writeln!(self, "{seconds:.6} {what}");
    }

    pub(super) fn finish(self) -> (u64, Vec<String>) {
        (self.hash, self.lines.unwrap_or_default())
    }
}

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}
