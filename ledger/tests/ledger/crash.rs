//! Killed in the middle of writing, again and again.

use symphony_ledger::Standing;

use crate::child::{Appender, acknowledged};
use crate::support::{Author, Home, assert_reads, run};

#[test]
fn store_8_every_acknowledged_entry_survives_kills() {
    let home = Home::new();
    let mut last = 0;
    for round in 0..6_u64 {
        let mut appender = Appender::start(home.folder.path(), None);
        for _ in 0..=(3 * round) {
            last = appender.line().as_deref().and_then(acknowledged).unwrap();
        }
        appender.child.kill().unwrap();
        // What the child still said before the signal reached it was acknowledged, too.
        while let Some(line) = appender.line() {
            last = acknowledged(&line).unwrap_or(last);
        }
        appender.child.wait().unwrap();

        run(async {
            let (ledger, recovered) = home.open();
            let own = recovered.own.unwrap();
            assert!(
                own.head.size >= last,
                "{last} entries were acknowledged, {} are there",
                own.head.size
            );
            assert_eq!(recovered.standing, Standing::Good);

            let mut author = Author::new(1, 3000);
            let reader = ledger.own().unwrap();
            reader
                .entries(0..u64::MAX)
                .for_each(|entry| author.take(entry.unwrap().1));
            assert_reads(&reader, &author);
            drop(reader);
            // The log goes on where it ended.
            ledger
                .append_for_release(author.entries(1), Vec::new())
                .await
                .unwrap();
            home.close_and_check(ledger, &author).await;
        });
    }
}
