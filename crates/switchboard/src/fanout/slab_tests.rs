use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::slab::Slab;

/// An operation of a topic on its slab.
#[derive(Debug, Clone)]
enum Op {
    Insert,
    /// Removes an existing value.
    Remove(prop::sample::Index),
    /// Removes a key that may be vacant.
    RemoveAny(usize),
    /// Compacts, with one value that must not move.
    Compact {
        stays: Option<prop::sample::Index>,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => Just(Op::Insert),
        5 => index().prop_map(Op::Remove),
        1 => (0..100_usize).prop_map(Op::RemoveAny),
        2 => prop::option::of(index()).prop_map(|stays| Op::Compact { stays }),
    ]
}

/// Compacts the slab, and moves the same values in the model.
fn compact(slab: &mut Slab<u32>, model: &mut BTreeMap<usize, u32>, stays: Option<u32>) {
    slab.compact(|value, from, to| {
        if Some(*value) == stays {
            return false;
        }
        assert_eq!(model.remove(&from), Some(*value));
        assert!(to < from && model.insert(to, *value).is_none());
        true
    });
}

proptest! {
    #[test]
    fn a_slab_is_a_map_whose_keys_change_only_where_may_move_allows(ops in vec(op(), 1..200)) {
        let (mut slab, mut model) = (Slab::default(), BTreeMap::new());
        for (n, op) in (0_u32..).zip(ops) {
            match op {
                Op::Insert => assert!(model.insert(slab.insert(n), n).is_none()),
                Op::Remove(index) if !model.is_empty() => {
                    let key = *index.get(&model.keys().copied().collect::<Vec<_>>());
                    assert_eq!(slab.remove(key), model.remove(&key));
                }
                Op::Remove(_) => {}
                Op::RemoveAny(key) => assert_eq!(slab.remove(key), model.remove(&key)),
                Op::Compact { stays } => {
                    let values: Vec<_> = model.values().copied().collect();
                    let stays = stays.filter(|_| !values.is_empty()).map(|index| *index.get(&values));
                    compact(&mut slab, &mut model, stays);
                }
            }
            assert_eq!((slab.len(), slab.end() >= slab.len()), (model.len(), true));
            let values = (0..slab.end()).filter_map(|key| Some((key, *slab.get(key)?)));
            assert!(values.eq(model.clone()));
            for key in 0..slab.end() + 2 {
                assert_eq!(slab.get(key), model.get(&key));
                assert_eq!(slab.get_mut(key).copied(), model.get(&key).copied());
            }
        }
    }
}

#[test]
fn compacting_after_each_removal_bounds_the_slots() {
    // Ascending, descending and without order.
    let orders: [fn(usize) -> usize; 3] = [|n| n, |n| 9_999 - n, |n| n * 7_919 % 10_000];
    for order in orders {
        let mut slab = Slab::default();
        let mut keys: Vec<_> = (0..10_000).map(|value| slab.insert(value)).collect();
        for n in 0..9_990 {
            assert_eq!(slab.remove(keys[order(n)]), Some(order(n)));
            slab.compact(|value, from, to| {
                assert_eq!(std::mem::replace(&mut keys[*value], to), from);
                true
            });
            assert!(slab.end() <= 4 * slab.len() + 1, "{n}: {}", slab.end());
        }
        for n in 9_990..10_000 {
            assert_eq!(slab.remove(keys[order(n)]), Some(order(n)));
        }
    }
}
