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

/// The attributes of a connection. Nothing is allocated before the first one.
#[derive(Debug, Default)]
pub(crate) struct AttributeStore(Mutex<Option<Box<Values>>>);

#[derive(Debug, Default)]
struct Values(Vec<(TypeId, Value)>);

impl Values {
    fn position<T: Any>(&self) -> Option<usize> {
        self.0.iter().position(|(of, _)| *of == TypeId::of::<T>())
    }
}

/// Typed values kept with a connection, one of each type: what handlers learn about it and other
/// code reads through [`Conn`] or [`ConnRef`](crate::ConnRef).
///
/// [`Config::max_attributes`](crate::Config::max_attributes) limits their number. Keep them small,
/// since every connection holds its own. For a value that changes often, insert one with a lock or
/// an atomic in it.
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
    /// Inserts a value. Returns the previous value of the same type, if any.
    ///
    /// # Errors
    ///
    /// The connection already has [`max_attributes`](crate::Config::max_attributes) values of other
    /// types.
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

    /// Returns the value of this type.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        let kept = self.cold.get()?.attributes.0.lock();
        let values = kept.as_ref()?;
        let value = Arc::clone(&values.0[values.position::<T>()?].1);
        drop(kept);
        value.downcast().ok()
    }

    /// Removes and returns the value of this type.
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

    /// Returns the number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        let kept = self.cold.get().map(|cold| cold.attributes.0.lock());
        kept.map_or(0, |kept| kept.as_ref().map_or(0, |values| values.0.len()))
    }

    /// Returns whether there are no values.
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

/// The error of [`Attributes::insert`]: the limit was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyAttributes {
    limit: usize,
}

impl TooManyAttributes {
    /// Returns the limit.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }
}

impl fmt::Display for TooManyAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too many attributes (limit {})", self.limit)
    }
}

impl Error for TooManyAttributes {}

/// `RESOURCE_EXHAUSTED` with the details `{limit, current}`.
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
    /// Returns the values that handlers keep with the connection.
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
        // Replacing a value is always possible.
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
