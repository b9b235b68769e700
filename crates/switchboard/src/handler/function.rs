//! Functions by their number of arguments.

/// A function whose arguments are the tuple `Args`.
///
/// Implemented for `FnOnce + Clone` rather than `Fn`: an `async move` closure that uses its captured
/// values is only the former.
pub trait HandlerFn<Args>: Clone + Send + Sync + 'static {
    /// The return value of the function; a future, in handlers and hooks.
    type Returned;

    /// Calls the function.
    #[doc(hidden)]
    fn invoke(self, args: Args) -> Self::Returned;
}

macro_rules! functions {
    ($(($($T:ident)*))*) => {$(
        impl<F, R, $($T,)*> HandlerFn<($($T,)*)> for F
        where
            F: FnOnce($($T,)*) -> R + Clone + Send + Sync + 'static,
        {
            type Returned = R;

            #[allow(clippy::allow_attributes, non_snake_case, reason = "the arguments are named as their types")]
            fn invoke(self, ($($T,)*): ($($T,)*)) -> R {
                self($($T,)*)
            }
        }
    )*};
}

functions! {
    ()
    (T1)
    (T1 T2)
    (T1 T2 T3)
    (T1 T2 T3 T4)
    (T1 T2 T3 T4 T5)
    (T1 T2 T3 T4 T5 T6)
    (T1 T2 T3 T4 T5 T6 T7)
    (T1 T2 T3 T4 T5 T6 T7 T8)
    (T1 T2 T3 T4 T5 T6 T7 T8 T9)
}
