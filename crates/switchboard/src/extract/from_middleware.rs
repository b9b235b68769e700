//! Values from middleware.

use switchboard_core::WsError;

use super::{FromMessageParts, MessageParts};

/// A value that [middleware](crate::middleware) has inserted with
/// [`WsRequest::extensions_mut`](crate::WsRequest::extensions_mut). If there is none, the client gets
/// `INTERNAL`.
///
/// ```
/// use switchboard::{FromMiddleware, WsRouter, middleware, ws_message};
///
/// #[derive(Clone)]
/// struct Tenant(String);
///
/// #[ws_message("PING")]
/// struct Ping;
///
/// async fn ping(FromMiddleware(tenant): FromMiddleware<Tenant>, _: Ping) {
///     println!("{}", tenant.0);
/// }
///
/// let ws = WsRouter::<()>::new().on(ping).layer(middleware::from_fn(async |mut request, next| {
///     let tenant = Tenant(request.conn().remote_addr().map(|addr| addr.ip().to_string()).unwrap_or_default());
///     request.extensions_mut().insert(tenant);
///     next.run(request).await
/// }));
/// # let _ = ws;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FromMiddleware<T>(pub T);

impl<T, S, D> FromMessageParts<S, D> for FromMiddleware<T>
where
    T: Clone + Send + Sync + 'static,
    S: Sync,
    D: Send + Sync + 'static,
{
    type Rejection = WsError;

    async fn from_message_parts(parts: &mut MessageParts<D>, _: &S) -> Result<Self, WsError> {
        parts.extension().cloned().map(Self).ok_or_else(|| {
            let name = std::any::type_name::<T>();
            WsError::internal(format!("no middleware inserted a {name} into the extensions of the request"))
        })
    }
}
