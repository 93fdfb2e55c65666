//! The ledger against a plain list of entries, under random orders.

use proptest::prelude::*;
use symphony_ledger::{Ledger, MemoWrite};

use crate::support::{Author, Home, assert_reads, run};

#[derive(Debug, Clone)]
enum Order {
    Append {
        count: usize,
    },
    AppendWithMemo {
        count: usize,
        memo: u8,
    },
    AppendNonsense {
        bytes: Vec<u8>,
    },
    Record {
        back: u64,
    },
    Read {
        first: usize,
        count: usize,
        bytes_max: usize,
    },
    Prove {
        index: u64,
        back: u64,
    },
    Reopen,
}

fn orders() -> impl Strategy<Value = Vec<Order>> {
    let order = prop_oneof![
        4 => (1..20_usize).prop_map(|count| Order::Append { count }),
        2 => (1..5_usize, any::<u8>()).prop_map(|(count, memo)| Order::AppendWithMemo { count, memo }),
        1 => proptest::collection::vec(any::<u8>(), 0..60).prop_map(|bytes| Order::AppendNonsense { bytes }),
        2 => (0..10_u64).prop_map(|back| Order::Record { back }),
        3 => (0..200_usize, 0..50_usize, 0..5000_usize)
            .prop_map(|(first, count, bytes_max)| Order::Read { first, count, bytes_max }),
        3 => (0..200_u64, 0..20_u64).prop_map(|(index, back)| Order::Prove { index, back }),
        1 => Just(Order::Reopen),
    ];
    proptest::collection::vec(order, 1..25)
}

async fn obey(
    home: &Home,
    mut ledger: Ledger,
    author: &mut Author,
    memos: &mut [Option<u8>],
    order: Order,
) -> Ledger {
    let size = author.chain.size;
    match order {
        Order::Append { count } => {
            let appended = ledger.append(author.entries(count)).await.unwrap();
            assert_eq!(
                (appended.first_index, appended.head()),
                (size, author.head())
            );
        }
        Order::AppendWithMemo { count, memo } => {
            let write = MemoWrite::put([memo], [memo ^ 1]);
            ledger
                .append_with(author.entries(count), vec![write])
                .await
                .unwrap();
            memos[usize::from(memo)] = Some(memo ^ 1);
        }
        Order::AppendNonsense { bytes } => assert!(ledger.append(vec![bytes]).await.is_err()),
        Order::Record { back } => {
            if size > 0 {
                ledger
                    .record_signing(author.head_at(size.saturating_sub(back)))
                    .await
                    .unwrap();
            }
        }
        Order::Read {
            first,
            count,
            bytes_max,
        } => {
            if let Some(reader) = ledger.own() {
                let page = reader.range(first as u64, count, bytes_max).unwrap();
                let expected = author.entries.iter().skip(first).take(page.entries.len());
                assert!(page.entries.iter().eq(expected));
                let more = author.entries.len().saturating_sub(first).min(count);
                assert!(
                    page.entries.len() == more
                        || page.entries.len() < more && !page.entries.is_empty()
                );
            }
        }
        Order::Prove { index, back } => {
            if let Some(reader) = ledger.own() {
                let at = size.saturating_sub(back);
                assert_eq!(
                    reader.inclusion_proof(index, at).ok(),
                    author.tree.inclusion_proof(index, at).ok()
                );
                assert_eq!(
                    reader.consistency_proof(index, at).ok(),
                    author.tree.consistency_proof(index, at).ok()
                );
            }
        }
        Order::Reopen => {
            ledger.close().await.unwrap();
            let (reopened, recovered) = home.open();
            assert_eq!(recovered.own.map_or(0, |own| own.head.size), size);
            ledger = reopened;
        }
    }
    ledger
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn store_6_the_ledger_is_a_list_of_entries(orders in orders()) {
        let home = Home::new();
        let mut author = Author::new(1, 100);
        let mut memos = vec![None; 256];
        run(async {
            let (mut ledger, _) = home.open();
            for order in orders {
                ledger = obey(&home, ledger, &mut author, &mut memos, order).await;
            }
            for (key, value) in (0..=u8::MAX).zip(&memos) {
                assert_eq!(ledger.memo(&[key]).unwrap(), value.map(|value| vec![value]));
            }
            if author.chain.size > 0 {
                assert_reads(&ledger.own().unwrap(), &author);
                home.close_and_check(ledger, &author).await;
            }
        });
    }
}
