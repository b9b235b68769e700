//! Readable durations.

use std::{fmt, time::Duration};

/// Formats a duration for people.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.as_millis() / 100;
        let (minutes, tenths) = (tenths / 600, tenths % 600);
        if minutes > 0 {
            write!(f, "{minutes}m ")?;
        }
        write!(f, "{}.{}s", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        assert_eq!(Time(Duration::from_millis(40)).to_string(), "0.0s");
        assert_eq!(Time(Duration::from_millis(59_990)).to_string(), "59.9s");
        assert_eq!(Time(Duration::from_millis(61_500)).to_string(), "1m 1.5s");
    }
}
