//! Compares what clients saw with what is promised.
//!
//! The judge is a function of a [`History`]: it knows nothing of the implementation, and nothing of the nodes' state. What
//! is promised, and within which times, stands in [`promises`].

mod calm;
mod figures;
mod finding;
mod loss;
mod one_order;
mod order;
pub mod promises;
mod requests;
mod users;
mod view;

use self::view::View;
pub use self::{
    figures::{Figures, Times},
    finding::{Finding, Rule},
};
use crate::history::History;

/// What the judge has found.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// Broken promises. Empty if all were kept.
    pub findings: Vec<Finding>,
    /// What was measured.
    pub figures: Figures,
}

/// Judges a history.
#[must_use]
pub fn judge(history: &History) -> Verdict {
    let view = View::new(history);
    let mut verdict = Verdict { findings: Vec::new(), figures: Figures::of(&view) };
    order::check(&view, &mut verdict);
    if history.one_order {
        one_order::check(&view, &mut verdict);
    }
    loss::check(&view, &mut verdict);
    requests::check(&view, &mut verdict);
    requests::check_resumption(&view, &mut verdict);
    users::check_online(&view, &mut verdict);
    users::check_commands(&view, &mut verdict);
    verdict
}
