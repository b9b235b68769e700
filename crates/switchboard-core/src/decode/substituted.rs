//! The places in a message that were not decoded.

/// The places of placeholders in a decoded message: the values there are not the client's.
///
/// Passed to the rules of a message that is refused anyway, so that its other broken rules are
/// reported.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct Substituted(Vec<String>);

/// Too many places, or one whose path is cut.
#[derive(Debug)]
pub(super) struct Unknown;

/// A longer path is cut when rules are reported.
const LONGEST: usize = 100;

impl Substituted {
    /// Returns `None` if there are no placeholders.
    pub(super) fn at(paths: Vec<String>) -> Result<Option<Self>, Unknown> {
        if paths.len() > crate::MAX_ISSUES || paths.iter().any(|path| path.len() > LONGEST || path.contains('…')) {
            return Err(Unknown);
        }
        Ok((!paths.is_empty()).then_some(Self(paths)))
    }

    /// Whether a value is a placeholder, is inside one or contains one.
    #[must_use]
    pub fn touch(&self, path: &str) -> bool {
        self.0.iter().any(|own| is_within(own, path) || is_within(path, own))
    }
}

fn is_within(path: &str, outer: &str) -> bool {
    let rest = path.strip_prefix(outer);
    rest.is_some_and(|rest| outer.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_inside_and_around_a_value_touch_it() {
        let substituted = Substituted::at(vec!["items[1].name".into(), "a".into()]).unwrap().unwrap();
        for path in ["items", "items[1]", "items[1].name", "items[1].name.x", "", "a", "a.b", "a[0]"] {
            assert!(substituted.touch(path), "{path}");
        }
        for path in ["items[0]", "items[11]", "items[1].names", "b", "ab"] {
            assert!(!substituted.touch(path), "{path}");
        }
    }

    #[test]
    fn too_many_places_and_long_paths_are_not_compared() {
        assert!(Substituted::at(Vec::new()).unwrap().is_none());
        assert!(Substituted::at(vec!["x".repeat(101)]).is_err());
        assert!(Substituted::at(vec!["x".to_owned(); 33]).is_err());
    }
}
