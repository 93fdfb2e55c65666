//! The memo table.

use symphony_ledger::{LedgerError, MEMO_KEY_SIZE_MAX, MEMO_VALUE_SIZE_MAX, MemoError, MemoWrite};

use crate::support::{Home, run};

#[test]
fn store_16_memos_are_set_listed_and_removed() {
    let home = Home::new();
    run(async {
        let (ledger, _) = home.open();
        let keys: [&[u8]; 6] = [b"a", b"ab", b"ab\0", b"abc", b"b", b"\xFF\xFF"];
        let writes = keys
            .iter()
            .map(|key| MemoWrite::put(*key, [b"value of ", *key].concat()));
        ledger.write_memos(writes.collect()).await.unwrap();

        let listed = |prefix: &[u8], after: Option<&[u8]>, count| {
            let memos = ledger.memos(prefix, after, count).unwrap();
            memos.into_iter().map(|memo| memo.key).collect::<Vec<_>>()
        };
        assert_eq!(listed(b"", None, 9), keys);
        assert_eq!(listed(b"ab", None, 9), keys[1..4]);
        assert_eq!(listed(b"ab", Some(b"ab"), 9), keys[2..4]);
        assert_eq!(listed(b"ab", Some(b"ab"), 1), keys[2..3]);
        assert_eq!(
            listed(b"ab", Some(b"a"), 9),
            keys[1..4],
            "a key before the prefix skips nothing"
        );
        assert_eq!(listed(b"ab", Some(b"b"), 9), keys[..0]);
        assert_eq!(listed(b"\xFF", None, 9), keys[5..]);

        ledger
            .write_memos(vec![MemoWrite::delete("ab"), MemoWrite::delete("none")])
            .await
            .unwrap();
        assert_eq!(ledger.memo(b"ab").unwrap(), None);
        ledger.close().await.unwrap();

        let (ledger, _) = home.open();
        assert_eq!(ledger.memo(b"abc").unwrap().unwrap(), b"value of abc");
        assert_eq!(ledger.memo(b"ab").unwrap(), None);
        ledger.close().await.unwrap();
        assert!(symphony_ledger::fsck(&home.data()).unwrap().is_clean());
    });
}

#[test]
fn store_16_memos_have_limits() {
    let home = Home::new();
    run(async {
        let (ledger, _) = home.open();
        for key in [Vec::new(), vec![1; MEMO_KEY_SIZE_MAX + 1]] {
            let error = ledger
                .write_memos(vec![MemoWrite::put(key, "")])
                .await
                .unwrap_err();
            assert!(matches!(
                error,
                LedgerError::Memo(MemoError::KeySize { .. })
            ));
        }
        let large = MemoWrite::put("k", vec![0; MEMO_VALUE_SIZE_MAX + 1]);
        let error = ledger.write_memos(vec![large]).await.unwrap_err();
        assert!(matches!(
            error,
            LedgerError::Memo(MemoError::ValueSize { .. })
        ));
        let largest = MemoWrite::put(vec![1; MEMO_KEY_SIZE_MAX], vec![0; MEMO_VALUE_SIZE_MAX]);
        ledger.write_memos(vec![largest]).await.unwrap();
        ledger.close().await.unwrap();
    });
}
