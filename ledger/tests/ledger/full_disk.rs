//! A device that takes no more.

use crate::child::{Appender, STOPPED, acknowledged};
use crate::support::{Author, Home, assert_reads, run};

#[test]
fn store_8_a_full_disk_stops_the_ledger_and_loses_nothing_acknowledged() {
    let home = Home::new();
    // 1 MiB: the write-ahead log reaches it after some hundred entries.
    let mut appender = Appender::start(home.folder.path(), Some(2048));
    let mut last = 0;
    let mut stopped = false;
    while let Some(line) = appender.line() {
        last = acknowledged(&line).unwrap_or(last);
        stopped |= line.starts_with(STOPPED);
    }
    let status = appender.child.wait().unwrap();
    assert!(status.success(), "{status}; what it says stands above");
    assert!(stopped, "the child ended after {last} entries");
    assert!(last > 100, "{last}");

    run(async {
        let (ledger, recovered) = home.open();
        let size = recovered.own.unwrap().head.size;
        assert!(
            size >= last,
            "{last} entries were acknowledged, {size} are there"
        );
        let mut author = Author::new(1, 3000);
        let reader = ledger.own().unwrap();
        reader
            .entries(0..u64::MAX)
            .for_each(|entry| author.take(entry.unwrap().1));
        assert_reads(&reader, &author);
        drop(reader);
        ledger.append(author.entries(3)).await.unwrap();
        home.close_and_check(ledger, &author).await;
    });
}
