//! Typed values that handlers keep with a connection.

use std::{
    any::{Any, TypeId},
    error::Error,
    fmt,
    sync::Arc,
};

use parking_lot::Mutex;
use switchboard_core::{LimitReached, MessageSet, WsError};

use crate::conn::{Conn, ConnInner, cold::ColdCell};

type Value = Arc<dyn Any + Send + Sync>;

/// Where they stand: nothing is allocated before the first.
#[derive(Debug, Default)]
pub(crate) struct AttributeStore(Mutex<Option<Box<Values>>>);

#[derive(Debug, Default)]
struct Values(Vec<(TypeId, Value)>);

impl Values {
    fn position<T: Any>(&self) -> Option<usize> {
        self.0.iter().position(|(of, _)| *of == TypeId::of::<T>())
    }
}

/// Small values of one connection, one of each type: what handlers learn about it and others are to
/// see, through [`Conn`] and [`ConnRef`]. They stay as long as the connection's handles do.
///
/// How many there may be says [`Config::max_attributes`](crate::Config::max_attributes); keep them
/// small, since they are held for each connection. What changes often is better put into one value
/// with an atomic or a lock in it.
///
/// ```
/// use switchboard::{Conn, Hub, WsError, ws_message};
///
/// #[derive(Clone, Copy, PartialEq)]
/// enum Status {
///     Here,
///     Away,
/// }
///
/// #[ws_message("AWAY")]
/// struct Away;
///
/// async fn away(conn: Conn, _: Away) -> Result<(), WsError> {
///     conn.attributes().insert(Status::Away)?;
///     Ok(())
/// }
///
/// fn who_is_here(hub: &Hub) -> usize {
///     let here = |status: std::sync::Arc<Status>| *status == Status::Here;
///     hub.local_connections().filter(|conn| conn.attributes().get().is_some_and(here)).count()
/// }
/// # let _ = (switchboard::WsRouter::<()>::new().on(away), who_is_here(&Hub::new()));
/// ```
#[derive(Clone, Copy)]
pub struct Attributes<'a> {
    cold: &'a ColdCell,
    limit: usize,
}

impl Attributes<'_> {
    /// Keeps a value, in place of that of the same type if there was one.
    ///
    /// # Errors
    ///
    /// There are [`max_attributes`](crate::Config::max_attributes) of other types already.
    pub fn insert<T: Any + Send + Sync>(&self, value: T) -> Result<Option<Arc<T>>, TooManyAttributes> {
        let value: Value = Arc::new(value);
        let mut kept = self.cold.get_or_init(Box::default).attributes.0.lock();
        let values = kept.get_or_insert_default();
        let before = match values.position::<T>() {
            Some(index) => Some(std::mem::replace(&mut values.0[index].1, value)),
            None if values.0.len() >= self.limit => return Err(TooManyAttributes { limit: self.limit }),
            None => {
                values.0.push((TypeId::of::<T>(), value));
                None
            }
        };
        drop(kept);
        Ok(before.and_then(|value| value.downcast().ok()))
    }

    /// The value of this type.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let kept = self.cold.get()?.attributes.0.lock();
        let values = kept.as_ref()?;
        let value = Arc::clone(&values.0[values.position::<T>()?].1);
        drop(kept);
        value.downcast().ok()
    }

    /// Takes the value of this type out.
    pub fn remove<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let mut kept = self.cold.get()?.attributes.0.lock();
        let values = kept.as_mut()?;
        let (_, value) = values.position::<T>().map(|index| values.0.swap_remove(index))?;
        if values.0.is_empty() {
            *kept = None;
        }
        drop(kept);
        value.downcast().ok()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let kept = self.cold.get().map(|cold| cold.attributes.0.lock());
        kept.map_or(0, |kept| kept.as_ref().map_or(0, |values| values.0.len()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Attributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attributes").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// A connection has as many attributes as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyAttributes {
    limit: usize,
}

impl TooManyAttributes {
    /// How many it may have.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl fmt::Display for TooManyAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a connection may have {} attributes", self.limit)
    }
}

impl Error for TooManyAttributes {}

/// `RESOURCE_EXHAUSTED` with `{limit, current}`.
impl From<TooManyAttributes> for WsError {
    fn from(error: TooManyAttributes) -> Self {
        let details = LimitReached { limit: error.limit, current: error.limit };
        Self::resource_exhausted(error.to_string()).with_details(details)
    }
}

impl<D: ?Sized> ConnInner<D> {
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes { cold: &self.cold, limit: self.config().max_attributes }
    }
}

impl<D: Send + Sync + 'static, Out: MessageSet> Conn<D, Out> {
    /// What handlers keep with the connection.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'_> {
        self.inner.attributes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_each_type_up_to_the_limit() {
        let cold = ColdCell::new();
        let attributes = Attributes { cold: &cold, limit: 2 };
        assert_eq!((attributes.get::<u8>(), attributes.remove::<u8>(), attributes.len()), (None, None, 0));
        assert!(cold.get().is_none(), "looking costs nothing");
        assert_eq!(attributes.insert(1_u8), Ok(None));
        assert_eq!(attributes.insert(2_u8), Ok(Some(Arc::new(1))));
        assert_eq!(attributes.insert("text"), Ok(None));
        assert_eq!(attributes.insert(3_u16), Err(TooManyAttributes { limit: 2 }));
        // One in the place of another always fits.
        assert_eq!(attributes.insert("other"), Ok(Some(Arc::new("text"))));
        assert_eq!((attributes.get::<u8>(), attributes.get::<u16>()), (Some(Arc::new(2)), None));
        assert_eq!(attributes.remove::<u8>(), Some(Arc::new(2)));
        assert_eq!(attributes.insert(3_u16), Ok(None));
        assert_eq!((attributes.len(), attributes.is_empty()), (2, false));
        assert!(attributes.remove::<u16>().is_some() && attributes.remove::<&str>().is_some());
        assert!(cold.get().unwrap().attributes.0.lock().is_none(), "nothing is kept for none");
        let wire = WsError::from(TooManyAttributes { limit: 2 });
        assert_eq!(wire.code(), &switchboard_core::ErrorCode::ResourceExhausted);
    }
}
