//! The one end of a request.

mod terminal;

pub(crate) use self::terminal::Terminal;
