//! Types that hold themselves, and rules of type parameters.

use switchboard::{ws_message, ws_payload};

#[ws_payload]
pub struct Tree {
    pub kids: Vec<Self>,
    pub first: Option<Box<Self>>,
    pub both: std::collections::BTreeMap<String, (Box<Self>, u8)>,
    #[validate(range(max = 9))]
    pub n: u8,
}

#[ws_payload]
pub enum Chain {
    Link(Box<Self>),
    Named { next: Option<Box<Self>>, all: [Vec<Self>; 1] },
    End,
}

#[ws_payload]
pub struct Branch<T> {
    #[validate(nested)]
    pub kids: Vec<Self>,
    #[validate(nested)]
    pub value: T,
}

#[ws_payload]
pub struct Inner {
    #[validate(range(max = 9))]
    pub a: u8,
}

#[ws_payload]
pub struct Maybe<T> {
    #[validate(nested)]
    pub inner: Option<T>,
    #[validate(nested)]
    pub twice: Option<Option<Vec<T>>>,
}

#[ws_message("GENERIC")]
pub struct Generic {
    #[validate(nested)]
    pub maybe: Maybe<Inner>,
    #[validate(nested)]
    pub branch: Branch<Inner>,
    pub tree: Option<Tree>,
    pub chain: Option<Chain>,
}
