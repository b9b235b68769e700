//! Correlation ids; short ones are stored inline.

/// A UUID's 36 characters, and two more.
const INLINE: usize = 38;

/// 1 to 128 bytes of text.
#[derive(Debug, Clone)]
pub(super) enum CorrelationId {
    Short { len: u8, bytes: [u8; INLINE] },
    Long(Box<str>),
}

impl CorrelationId {
    pub(super) fn new(id: &str) -> Self {
        let mut bytes = [0; INLINE];
        match (u8::try_from(id.len()), bytes.get_mut(..id.len())) {
            (Ok(len), Some(inline)) => {
                inline.copy_from_slice(id.as_bytes());
                Self::Short { len, bytes }
            }
            _ => Self::Long(id.into()),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            // It was copied from a `str`.
            Self::Short { len, bytes } => {
                bytes.get(..usize::from(*len)).and_then(|id| std::str::from_utf8(id).ok()).unwrap_or_default()
            }
            Self::Long(id) => id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_any_length_stay_what_they_are() {
        let long = "é".repeat(64);
        for id in ["a", "018f6f0c-2c9a-7cc3-98c4-dc0c0c07398f", &long[..38], &long[..40], &long] {
            assert_eq!(CorrelationId::new(id).as_str(), id);
        }
    }
}
