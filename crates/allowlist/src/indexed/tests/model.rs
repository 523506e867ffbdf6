use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<(u64, Option<Entry<'static>>)>),
    Rewrite,
}

fn entry() -> impl Strategy<Value = Entry<'static>> {
    let text = || option::weighted(0.2, prop::sample::select(vec!["", "a", "tenant", "ü/β"]));
    let time = || option::weighted(0.3, 0u64..4);
    (time(), time(), text(), text(), text(), text()).prop_map(
        |(not_before, expires, tenant, repository, owner, reason)| Entry {
            not_before,
            expires,
            tenant,
            repository,
            owner,
            reason,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let change = (0u64..60, option::of(entry()));
    prop_oneof![
        4 => vec(change, 0..5).prop_map(Step::Commit),
        1 => Just(Step::Rewrite),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_changes_are_those_of_a_map(
        begin in btree_map(0u64..60, entry(), 0..40),
        steps in vec(step(), 0..12),
        log_slots in 0u32..12,
    ) {
        let mut model: BTreeMap<_, _> = begin.into_iter().map(|(number, entry)| (digest(number), entry)).collect();
        let layout = Layout { serial: 3, log_slots };
        let mut file = written(&model, &layout);
        for step in steps {
            let mut rewrite = true;
            if let Step::Commit(changes) = step {
                let changes: Vec<_> = changes
                    .into_iter()
                    .map(|(number, entry)| Change { digest: digest(number), entry })
                    .collect();
                rewrite = !committed(&mut file, &changes);
                for change in changes {
                    match change.entry {
                        Some(entry) => model.insert(change.digest, entry),
                        None => model.remove(&change.digest),
                    };
                }
            }
            if rewrite {
                file = written(&model, &layout);
            }
            let list = IndexedList::open(&file).unwrap();
            prop_assert_eq!(list.verify(), Ok(()));
            let expected: Vec<_> = model.iter().map(|(digest, entry)| (*digest, *entry)).collect();
            prop_assert_eq!(&rows(&list).unwrap(), &expected);
            for number in 0..70 {
                prop_assert_eq!(list.find(&digest(number)).unwrap(), model.get(&digest(number)).copied());
            }
            // A list that is merged with its log is the one that is written at once.
            let mut merged = Vec::new();
            write(|| list.rows(), &layout, |bytes| {
                merged.extend_from_slice(bytes);
                Ok::<_, Infallible>(())
            }).unwrap();
            prop_assert!(merged == written(&model, &layout));
        }
    }
}
