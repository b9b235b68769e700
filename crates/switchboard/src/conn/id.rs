//! New ids.

use std::{cell::RefCell, time::SystemTime};

use uuid::{Builder, Uuid};

/// Random bytes of one id.
const RANDOM: usize = 10;

/// So many ids are made of what the operating system gives at once: asking it costs as much as all
/// the rest of an id.
const STOCK: usize = 64 * RANDOM;

thread_local! {
    static RANDOMNESS: RefCell<([u8; STOCK], usize)> = const { RefCell::new(([0; STOCK], STOCK)) };
}

/// A UUID v7.
pub(crate) fn next() -> Uuid {
    let random = RANDOMNESS.with_borrow_mut(|(stock, used)| {
        if *used == STOCK {
            getrandom::fill(stock).ok()?;
            *used = 0;
        }
        let random: [u8; RANDOM] = stock[*used..*used + RANDOM].try_into().ok()?;
        // Used once, and then not kept.
        stock[*used..*used + RANDOM].fill(0);
        *used += RANDOM;
        Some(random)
    });
    let millis = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    random.map_or_else(Uuid::now_v7, |random| Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_of_version_7_and_differ() {
        let ids: Vec<_> = (0..1000).map(|_| next()).collect();
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 1000);
    }
}
