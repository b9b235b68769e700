//! Methods of deserializers and visitors that only forward to what they wrap. Each wrapper
//! implements by hand only the methods in which it differs.

/// Methods of a deserializer: `|this, visitor| INNER, VISITOR` is what is called, and with which
/// visitor. Generates the listed methods, or all but `any`, `f32`, `struct`, `enum` and
/// `ignored_any`.
macro_rules! forward_deserializer {
    (|$this:ident, $visitor:ident| $inner:expr, $passed:expr) => {
        crate::decode::forward::forward_deserializer! {
            |$this, $visitor| $inner, $passed;
            deserialize_bool(); deserialize_i8(); deserialize_i16(); deserialize_i32(); deserialize_i64();
            deserialize_i128(); deserialize_u8(); deserialize_u16(); deserialize_u32(); deserialize_u64();
            deserialize_u128(); deserialize_f64(); deserialize_char(); deserialize_str(); deserialize_string();
            deserialize_bytes(); deserialize_byte_buf(); deserialize_option(); deserialize_unit();
            deserialize_seq(); deserialize_map(); deserialize_identifier();
            deserialize_unit_struct(name: &'static str);
            deserialize_newtype_struct(name: &'static str);
            deserialize_tuple(len: usize);
            deserialize_tuple_struct(name: &'static str, len: usize);
        }
    };
    (|$this:ident, $visitor:ident| $inner:expr, $passed:expr; $($method:ident $args:tt;)+) => {
        $(crate::decode::forward::forward_deserializer! {
            @one |$this, $visitor| $inner, $passed; $method $args
        })+
    };
    (
        @one |$this:ident, $visitor:ident| $inner:expr, $passed:expr;
        $method:ident($($arg:ident: $ty:ty),*)
    ) => {
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* $visitor: V) -> Result<V::Value, Self::Error> {
            let $this = self;
            $inner.$method($($arg,)* $passed)
        }
    };
}

/// Methods of a visitor for scalar values: `|this| INNER` is what is called. Generates the listed
/// methods, or all but those for strings and `f64`.
macro_rules! forward_visitor {
    (|$this:ident| $inner:expr) => {
        crate::decode::forward::forward_visitor! {
            |$this| $inner;
            visit_none(); visit_unit(); visit_bool(bool); visit_i8(i8); visit_i16(i16); visit_i32(i32);
            visit_i64(i64); visit_i128(i128); visit_u8(u8); visit_u16(u16); visit_u32(u32); visit_u64(u64);
            visit_u128(u128); visit_f32(f32); visit_char(char); visit_bytes(&[u8]);
            visit_borrowed_bytes(&'de [u8]); visit_byte_buf(Vec<u8>);
        }
    };
    (|$this:ident| $inner:expr; $($method:ident $args:tt;)+) => {
        $(crate::decode::forward::forward_visitor!(@one |$this| $inner; $method $args);)+
    };
    (@one |$this:ident| $inner:expr; $method:ident($($ty:ty)?)) => {
        crate::decode::forward::forward_visitor!(@named |$this| $inner; $method($(value: $ty)?));
    };
    (@named |$this:ident| $inner:expr; $method:ident($($value:ident: $ty:ty)?)) => {
        #[inline]
        fn $method<E: serde::de::Error>(self, $($value: $ty)?) -> Result<Self::Value, E> {
            let $this = self;
            $inner.$method($($value)?)
        }
    };
}

pub(super) use {forward_deserializer, forward_visitor};
