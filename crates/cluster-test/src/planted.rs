//! Faults that are planted to test the checker itself.

use std::{fmt, str::FromStr};

/// A planted fault. All but [`Bus`](Self::Bus) are out of sight of the product, so the judge must find them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// One in N messages for a node is lost between the broker and the product, which must tell it.
    Bus,
    /// One in N messages for members is lost.
    Drop,
    /// One in N messages for members arrives twice.
    Twice,
    /// One in N messages for members is overtaken by the next of its publisher.
    Reorder,
    /// One in N messages for members is overtaken by one of another publisher.
    Swap,
    /// One in N publishes is accepted, but not published.
    Forget,
    /// One in N publishes is refused, but published.
    Refuse,
    /// One in N publishes gets no answer.
    Hang,
    /// Every user is said to be online.
    Ghost,
}

/// All planted faults with their names.
pub const PLANTED: [(&str, Planted); 9] = [
    ("bus", Planted::Bus),
    ("drop", Planted::Drop),
    ("twice", Planted::Twice),
    ("reorder", Planted::Reorder),
    ("swap", Planted::Swap),
    ("forget", Planted::Forget),
    ("refuse", Planted::Refuse),
    ("hang", Planted::Hang),
    ("ghost", Planted::Ghost),
];

impl Planted {
    /// Returns the name, as the command line has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        PLANTED.iter().find(|(_, planted)| *planted == self).map_or("", |(name, _)| name)
    }
}

impl fmt::Display for Planted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Planted {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = PLANTED.iter().find(|(other, _)| *other == name).map(|(_, planted)| *planted);
        let names = PLANTED.map(|(name, _)| name).join(", ");
        found.ok_or_else(|| format!("no planted fault is named `{name}`; there are {names}"))
    }
}

/// Chooses one in N, always the same.
#[derive(Debug, Clone, Copy)]
pub struct OneIn {
    n: u64,
    count: u64,
}

impl OneIn {
    /// Chooses the Nth, the 2Nth and so on. `n` is at least 1.
    #[must_use]
    pub fn new(n: u64) -> Self {
        Self { n: n.max(1), count: 0 }
    }

    /// Counts one more, and returns whether it is chosen.
    pub fn choose(&mut self) -> bool {
        self.count += 1;
        self.count.is_multiple_of(self.n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_faults_have_names() {
        for (name, planted) in PLANTED {
            assert_eq!((name.parse(), planted.name()), (Ok(planted), name));
        }
        assert!("dropp".parse::<Planted>().unwrap_err().contains("drop, twice"));
    }

    #[test]
    fn one_in_n_is_chosen() {
        let mut choice = OneIn::new(3);
        assert_eq!([0; 6].map(|_| choice.choose()), [false, false, true, false, false, true]);
    }
}
