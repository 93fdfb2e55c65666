//! Every call through the client and the Unix socket.

use std::num::{NonZeroU32, NonZeroU64};

use futures::StreamExt as _;
use symphony_admin::v1::{Measure, Verdict, audit_event, measure, task_event};
use symphony_admin::{
    ConsistencyQuery, EXPORT_CHUNK_SIZE_MAX, EntryRange, ErrorKind, ImportQuery, InclusionQuery,
    LogName, SelectionQuery,
};

use crate::backend::{EXPORT_SIZES, LOG_SIZE};
use crate::harness::{Harness, in_time, question};

#[tokio::test]
async fn a_task_is_reported_from_opened_to_decided() {
    let harness = Harness::start().await;
    let events = harness
        .client()
        .await
        .submit(question("not True is"))
        .await
        .unwrap();
    let events = in_time(events.collect_at_most(10)).await.unwrap();
    let kinds: Vec<_> = events
        .into_iter()
        .map(|event| (event.entry, event.kind.unwrap()))
        .collect();
    let [
        (Some(1), task_event::Kind::Opened(opened)),
        (Some(2), task_event::Kind::Decided(decided)),
    ] = &kinds[..]
    else {
        panic!("{kinds:?}");
    };
    assert_eq!(opened.plan_steps, [1]);
    assert_eq!(
        (decided.answer.as_str(), decided.weight),
        ("not True is", 2.0)
    );
}

#[tokio::test]
async fn an_open_task_is_given_up_and_any_other_is_not_found() {
    let harness = Harness::start().await;
    let client = harness.client().await;
    in_time(client.cancel(1)).await.unwrap();
    let error = in_time(client.cancel(LOG_SIZE)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn hundreds_of_tasks_share_one_connection() {
    let harness = Harness::start().await;
    let client = harness.client().await;
    let calls = (0..300).map(|number| {
        let client = client.clone();
        async move {
            client
                .submit(question(&number.to_string()))
                .await
                .unwrap()
                .collect_at_most(10)
                .await
                .unwrap()
        }
    });
    let answered = in_time(futures::future::join_all(calls)).await;
    for (number, events) in answered.into_iter().enumerate() {
        let Some(task_event::Kind::Decided(decided)) = &events[1].kind else {
            panic!("{events:?}")
        };
        assert_eq!(decided.answer, number.to_string());
    }
}

#[tokio::test]
async fn a_failure_within_a_stream_ends_it() {
    let harness = Harness::start().await;
    let mut events = harness.client().await.follow(7).await.unwrap();
    let Some(task_event::Kind::Opened(opened)) = events.message().await.unwrap().unwrap().kind
    else {
        panic!()
    };
    assert_eq!(opened.task, 7);
    assert_eq!(
        events.message().await.unwrap_err().kind(),
        ErrorKind::ResourceExhausted
    );
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn peers_come_by_log_id_with_verdict_and_fault() {
    let harness = Harness::start().await;
    let peers = harness
        .client()
        .await
        .peers()
        .await
        .unwrap()
        .collect_at_most(10)
        .await
        .unwrap();
    let ids: Vec<_> = peers
        .iter()
        .map(|peer| peer.name.as_ref().unwrap().log_id.as_str())
        .collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(
        (peers[0].verdict(), peers[1].verdict()),
        (Verdict::Clean, Verdict::Exposed)
    );
    assert_eq!(peers[1].fault.as_ref().unwrap().rule, "REPLAY-40");
    let capabilities = harness
        .client()
        .await
        .capabilities()
        .await
        .unwrap()
        .collect_at_most(10)
        .await
        .unwrap();
    assert_eq!((capabilities.len(), capabilities[0].sequence), (1, 3));

    let client = harness.client().await;
    let evidence = client.evidence().await.unwrap();
    let evidence = evidence.collect_at_most(10).await.unwrap();
    let digests: Vec<&str> = evidence.iter().map(|file| file.digest.as_str()).collect();
    assert_eq!(digests, ["11", "22"], "in the order of their digests");
    assert_eq!(evidence[0].file, [1, 2, 3]);
}

#[tokio::test]
async fn a_log_is_read_tailed_and_proven() {
    let harness = Harness::start().await;
    let client = harness.client().await;
    let own = LogName::Own;
    assert_eq!(client.log_status(own).await.unwrap().size, LOG_SIZE);

    let range = EntryRange {
        start: 1,
        end: Some(4),
    };
    let entries = client
        .entries(own, range)
        .await
        .unwrap()
        .collect_at_most(10)
        .await
        .unwrap();
    assert_eq!(
        entries.iter().map(|entry| entry.index).collect::<Vec<_>>(),
        [1, 2, 3]
    );

    let mut tail = client.tail(own, Some(3)).await.unwrap();
    for index in [3, 4, 5] {
        assert_eq!(in_time(tail.message()).await.unwrap().unwrap().index, index);
    }
    let mut tail = client.tail(own, None).await.unwrap();
    assert_eq!(
        in_time(tail.message()).await.unwrap().unwrap().index,
        LOG_SIZE
    );

    assert_eq!(client.checkpoint(own).await.unwrap().note, "symphony\n5\n");
    let proof = client
        .prove_inclusion(
            own,
            InclusionQuery {
                index: 2,
                size: NonZeroU64::new(4),
            },
        )
        .await
        .unwrap();
    assert_eq!(
        (proof.index, proof.size, proof.hashes),
        (2, 4, vec![vec![1; 32]])
    );
    let proof = client
        .prove_inclusion(
            own,
            InclusionQuery {
                index: 2,
                size: None,
            },
        )
        .await
        .unwrap();
    assert_eq!(proof.size, LOG_SIZE);
    let query = ConsistencyQuery {
        old_size: NonZeroU64::MIN,
        new_size: NonZeroU64::new(3),
    };
    let proof = client.prove_consistency(own, query).await.unwrap();
    assert_eq!((proof.old_size, proof.new_size), (1, 3));
}

#[tokio::test]
async fn an_export_arrives_in_numbered_chunks_of_bounded_size() {
    let harness = Harness::start().await;
    let mut chunks = harness.client().await.export(LogName::Own).await.unwrap();
    let mut file = Vec::new();
    while let Some(chunk) = in_time(chunks.message()).await.unwrap() {
        assert_eq!(chunk.offset, file.len() as u64);
        assert!(chunk.bytes.len() <= EXPORT_CHUNK_SIZE_MAX);
        file.extend(chunk.bytes);
    }
    let expected: Vec<u8> = EXPORT_SIZES
        .into_iter()
        .enumerate()
        .flat_map(|(number, size)| vec![number as u8; size])
        .collect();
    assert!(
        file == expected,
        "{} bytes arrived, {} were sent",
        file.len(),
        expected.len()
    );
}

#[tokio::test]
async fn the_policy_is_shown_and_a_selection_explained() {
    let harness = Harness::start().await;
    let client = harness.client().await;
    assert_eq!(
        client.policy_state(LogName::Own).await.unwrap().theta,
        [0.1, f64::MIN_POSITIVE]
    );
    let rows = client
        .measures(LogName::Own)
        .await
        .unwrap()
        .collect_at_most(10)
        .await
        .unwrap();
    let [
        Measure {
            row: Some(measure::Row::Peer(row)),
        },
    ] = &rows[..]
    else {
        panic!("{rows:?}")
    };
    assert_eq!(row.latency_ms, 1.5);
    for (slot, expected) in [(Some(0), 0), (None, 99)] {
        let explanation = client
            .explain(LogName::Own, SelectionQuery { entry: 12, slot })
            .await
            .unwrap();
        assert_eq!((explanation.entry, explanation.slot), (12, expected));
    }
}

#[tokio::test]
async fn an_import_arrives_whole_and_within_its_ranges() {
    let harness = Harness::start().await;
    let client = harness.client().await;
    let query = |weight, claims_max| ImportQuery {
        weight_ppm: NonZeroU32::new(weight),
        claims_max,
    };
    let source = LogName::Id([7; 32]);
    let response = client.import(source, query(250_000, 9)).await.unwrap();
    assert_eq!((response.claims, response.entries), (250_000, 9));
    let response = client.import(source, query(0, 0)).await.unwrap();
    assert_eq!((response.claims, response.entries), (0, 128));
    for (log, query) in [
        (LogName::Own, query(1, 1)),
        (source, query(1_000_001, 1)),
        (source, query(1, 1_025)),
    ] {
        let error = client.import(log, query).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
}

#[tokio::test]
async fn an_audit_ends_with_a_report() {
    let harness = Harness::start().await;
    let events = harness
        .client()
        .await
        .audit(LogName::Own)
        .await
        .unwrap()
        .collect_at_most(10)
        .await
        .unwrap();
    let kinds: Vec<_> = events
        .into_iter()
        .map(|event| event.kind.unwrap())
        .collect();
    let [
        audit_event::Kind::Progress(progress),
        audit_event::Kind::Report(report),
    ] = &kinds[..]
    else {
        panic!("{kinds:?}");
    };
    assert_eq!(
        (progress.entries_done, report.verdict()),
        (2, Verdict::Clean)
    );
}

#[tokio::test]
async fn a_failure_of_the_backend_keeps_its_kind_and_words() {
    let harness = Harness::start().await;
    let log = LogName::Id([0xab; 32]);
    let error = harness.client().await.log_status(log).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.to_string(),
        format!("not found: no log {}", "ab".repeat(32))
    );
    assert_eq!(
        harness.client().await.audit(log).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn the_node_says_who_it_is_and_shuts_down_when_asked() {
    let harness = Harness::start().await;
    let client = harness.client().await;
    assert_eq!(client.node_info().await.unwrap().version, "0.1.0");
    client.shutdown().await.unwrap();
    harness.ended().await;
}
