//! Containers check the rules of their contents.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque},
    rc::Rc,
    sync::{Arc, Mutex, RwLock},
};

use serde::Serialize;

use super::{At, Report, Rules};

macro_rules! pointers {
    ($($ty:ty),*) => {$(
        impl<T: Rules + ?Sized> Rules for $ty {
            fn check(&self, at: At<'_>, report: &mut Report) {
                T::check(self, at, report);
            }
        }
    )*};
}

pointers!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: Rules + ToOwned + ?Sized> Rules for Cow<'_, T> {
    fn check(&self, at: At<'_>, report: &mut Report) {
        T::check(self, at, report);
    }
}

impl<T: Rules> Rules for Option<T> {
    fn check(&self, at: At<'_>, report: &mut Report) {
        if let Some(value) = self {
            value.check(at, report);
        }
    }
}

impl<T: Rules + Copy> Rules for Cell<T> {
    fn check(&self, at: At<'_>, report: &mut Report) {
        self.get().check(at, report);
    }
}

impl<T: Rules + ?Sized> Rules for RefCell<T> {
    fn check(&self, at: At<'_>, report: &mut Report) {
        // The application has a mutable reference to the value, and sends it.
        if let Ok(value) = self.try_borrow() {
            value.check(at, report);
        }
    }
}

impl<T: Rules + ?Sized> Rules for Mutex<T> {
    fn check(&self, at: At<'_>, report: &mut Report) {
        self.lock().unwrap_or_else(std::sync::PoisonError::into_inner).check(at, report);
    }
}

impl<T: Rules + ?Sized> Rules for RwLock<T> {
    fn check(&self, at: At<'_>, report: &mut Report) {
        self.read().unwrap_or_else(std::sync::PoisonError::into_inner).check(at, report);
    }
}

/// The path is the one that serde writes: `{"Ok": …}`.
impl<T: Rules, E: Rules> Rules for Result<T, E> {
    fn check(&self, at: At<'_>, report: &mut Report) {
        match self {
            Ok(value) => at.field("Ok", |at| value.check(at, report)),
            Err(error) => at.field("Err", |at| error.check(at, report)),
        }
    }
}

fn items<'a, T: Rules + 'a>(items: impl IntoIterator<Item = &'a T>, at: At<'_>, report: &mut Report) {
    for (index, item) in items.into_iter().enumerate() {
        at.item(index, |at| item.check(at, report));
    }
}

macro_rules! lists {
    ($($ty:ty),*) => {$(
        impl<T: Rules> Rules for $ty {
            fn check(&self, at: At<'_>, report: &mut Report) {
                items(self, at, report);
            }
        }
    )*};
}

lists!([T], Vec<T>, VecDeque<T>, LinkedList<T>, BTreeSet<T>, BinaryHeap<T>);

impl<T: Rules, const N: usize> Rules for [T; N] {
    fn check(&self, at: At<'_>, report: &mut Report) {
        items(self, at, report);
    }
}

impl<T: Rules, S> Rules for HashSet<T, S> {
    fn check(&self, at: At<'_>, report: &mut Report) {
        items(self, at, report);
    }
}

impl<K: Serialize, V: Rules, S> Rules for HashMap<K, V, S> {
    fn check(&self, at: At<'_>, report: &mut Report) {
        for (key, value) in self {
            at.key(key, |at| value.check(at, report));
        }
    }
}

impl<K: Serialize, V: Rules> Rules for BTreeMap<K, V> {
    fn check(&self, at: At<'_>, report: &mut Report) {
        for (key, value) in self {
            at.key(key, |at| value.check(at, report));
        }
    }
}

macro_rules! tuples {
    ($($($name:ident $index:tt),+;)*) => {$(
        impl<$($name: Rules),+> Rules for ($($name,)+) {
            fn check(&self, at: At<'_>, report: &mut Report) {
                $(at.item($index, |at| self.$index.check(at, report));)+
            }
        }
    )*};
}

tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
}

/// Elements of a tuple without rules are skipped.
macro_rules! without_rules {
    ($($ty:ty),*) => {$(
        impl Rules for $ty {
            fn check(&self, _: At<'_>, _: &mut Report) {}
        }
    )*};
}

without_rules!((), bool, char, String, str, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64);
