use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};

use super::slab::Slab;

/// As members do: some cannot move at the moment.
#[derive(Debug, Clone)]
enum Op {
    Insert,
    /// One of those that are there.
    Remove(prop::sample::Index),
    RemoveNothing(usize),
    Tidy {
        stays: Option<prop::sample::Index>,
    },
}

fn op() -> impl Strategy<Value = Op> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        4 => Just(Op::Insert),
        5 => index().prop_map(Op::Remove),
        1 => (0..100_usize).prop_map(Op::RemoveNothing),
        2 => prop::option::of(index()).prop_map(|stays| Op::Tidy { stays }),
    ]
}

/// Tells what is where, and moves it there in the model.
fn compact(places: &mut Slab<u32>, model: &mut BTreeMap<usize, u32>, stays: Option<u32>) {
    places.compact(|value, from, to| {
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
    fn places_are_a_map_whose_keys_change_only_where_that_is_told(ops in vec(op(), 1..200)) {
        let (mut places, mut model) = (Slab::default(), BTreeMap::new());
        for (n, op) in (0_u32..).zip(ops) {
            match op {
                Op::Insert => assert!(model.insert(places.insert(n), n).is_none()),
                Op::Remove(index) if !model.is_empty() => {
                    let key = *index.get(&model.keys().copied().collect::<Vec<_>>());
                    assert_eq!(places.remove(key), model.remove(&key));
                }
                Op::Remove(_) => {}
                Op::RemoveNothing(key) => assert_eq!(places.remove(key), model.remove(&key)),
                Op::Tidy { stays } => {
                    let values: Vec<_> = model.values().copied().collect();
                    let stays = stays.filter(|_| !values.is_empty()).map(|index| *index.get(&values));
                    compact(&mut places, &mut model, stays);
                }
            }
            assert_eq!((places.len(), places.end() >= places.len()), (model.len(), true));
            let taken = (0..places.end()).filter_map(|key| Some((key, *places.get(key)?)));
            assert!(taken.eq(model.clone()));
            for key in 0..places.end() + 2 {
                assert_eq!(places.get(key), model.get(&key));
                assert_eq!(places.get_mut(key).copied(), model.get(&key).copied());
            }
        }
    }
}

#[test]
fn tidied_after_each_removal_there_are_never_many_more_places_than_are_taken() {
    // First the first, the last, and in no order.
    let orders: [fn(usize) -> usize; 3] = [|n| n, |n| 9_999 - n, |n| n * 7_919 % 10_000];
    for order in orders {
        let mut places = Slab::default();
        let mut keys: Vec<_> = (0..10_000).map(|value| places.insert(value)).collect();
        for n in 0..9_990 {
            assert_eq!(places.remove(keys[order(n)]), Some(order(n)));
            places.compact(|value, from, to| {
                assert_eq!(std::mem::replace(&mut keys[*value], to), from);
                true
            });
            assert!(places.end() <= 4 * places.len() + 1, "{n}: {}", places.end());
        }
        for n in 9_990..10_000 {
            assert_eq!(places.remove(keys[order(n)]), Some(order(n)));
        }
    }
}
