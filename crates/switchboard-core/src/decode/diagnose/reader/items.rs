//! The elements of an array.

use serde::de::{DeserializeSeed, SeqAccess};

use super::{
    fault::Fault,
    node::{Context, Node},
    path::Path,
};
use crate::json::Lexer;

pub(super) struct Items<'de, 'n> {
    lexer: &'n mut Lexer<'de>,
    path: &'n Path<'n>,
    context: Context<'n>,
    index: usize,
}

impl<'de, 'n> Items<'de, 'n> {
    /// Creates it behind the bracket.
    pub(super) fn new(Node { lexer, path, context }: Node<'de, 'n>) -> Self {
        Self { lexer, path, context, index: 0 }
    }

    /// Skips the remaining elements and the bracket. Returns `false` if there were any.
    pub(super) fn drain(self) -> bool {
        let mut left = false;
        while !matches!(self.lexer.peek_byte(), None | Some(b']')) && self.lexer.value().is_some() {
            left = true;
        }
        self.lexer.next();
        !left
    }
}

impl<'de> SeqAccess<'de> for Items<'de, '_> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Fault> {
        if matches!(self.lexer.peek_byte(), None | Some(b']')) {
            return Ok(None);
        }
        let start = *self.lexer;
        let path = self.path.item(self.index);
        self.index += 1;
        let result = Node { lexer: &mut *self.lexer, path: &path, context: self.context }.read(seed);
        if self.lexer.is_still_at(&start) {
            self.lexer.value();
        }
        result
            .map(Some)
            .map_err(|fault| fault.blame(start, &path, self.context).repaired_by(|| self.context.replacing(start)))
    }
}
