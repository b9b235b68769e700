//! Latencies.

use std::time::Duration;

/// Buckets within a power of two: the error of a value is at most a sixty-fourth.
const STEPS: usize = 64;
const BITS: u32 = STEPS.ilog2();

/// Counts of values in nanoseconds, by bucket.
#[derive(Debug, Clone)]
pub(in crate::load) struct Histogram {
    counts: Vec<u64>,
    all: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; place(u64::MAX) + 1], all: 0 }
    }
}

impl Histogram {
    pub(in crate::load) fn record(&mut self, latency: Duration) {
        let nanos = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.counts[place(nanos)] += 1;
        self.all += 1;
    }

    /// Returns the latency in microseconds that this fraction of all values does not exceed.
    pub(in crate::load) fn quantile(&self, part: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let rank = part * self.all as f64;
        let mut below = 0;
        for (place, count) in self.counts.iter().enumerate() {
            below += count;
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            if *count > 0 && below as f64 >= rank {
                return nanos(place) / 1000.0;
            }
        }
        0.0
    }
}

/// Returns the bucket of a value: exact up to [`STEPS`], then that many buckets for each power of
/// two.
fn place(nanos: u64) -> usize {
    let power = nanos.max(1).ilog2().saturating_sub(BITS);
    let step = usize::try_from(nanos >> power).unwrap_or(usize::MAX);
    power as usize * STEPS + step
}

/// Returns the smallest value of a bucket.
#[expect(clippy::cast_precision_loss, reason = "the precision is enough")]
fn nanos(place: usize) -> f64 {
    let power = (place / STEPS).saturating_sub(1);
    let step = place - power * STEPS;
    step as f64 * (power as f64).exp2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_close_to_their_values() {
        for value in [0, 1, 63, 64, 65, 127, 128, 1000, 123_456_789, u64::MAX / 3] {
            let back = nanos(place(value));
            assert!(back <= value as f64 && back >= value as f64 * (1.0 - 1.0 / STEPS as f64), "{value} {back}");
        }
        assert!((1..100_000).all(|value| place(value) >= place(value - 1)));
    }

    #[test]
    fn quantiles() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(0.5), 0.0);
        (1..=1000).for_each(|micros| histogram.record(Duration::from_micros(micros)));
        for (part, expected) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1000.0)] {
            let found = histogram.quantile(part);
            assert!((found - expected).abs() <= expected / 50.0, "{part} {found}");
        }
    }
}
