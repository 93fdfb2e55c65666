//! What a node serves over HTTP: tiles for any reader, and cosignatures for other logs.

use std::{
    fs,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use anyhow::{Context as _, Result};
use serde_json::Value;
use symphony_ledger::{Ledger, symlog::ExportReader};
use symphony_node::{
    runtime::Witness,
    tiles::{AskError, Served, TileServer, cosign, publish},
};
use symphony_transparency::{
    Cosigner, Digest, NoteSignature, SignedCheckpoint, TrustPolicy, consistency_proof,
    note::verifier_key,
    tiles::TilePath,
    witness::{ADD_CHECKPOINT_SIZE_MAX, AddCheckpoint},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{go, sample::Sample};

/// A running server.
struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    ended: JoinHandle<()>,
    /// Sizes of the checkpoints that were handed to the audit.
    brought: Arc<Mutex<Vec<u64>>>,
    cosigner: Cosigner,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("an answer in text")
    }

    /// The value of a header, whose name is in small letters.
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

impl Server {
    async fn start(sample: &Sample, connections_max: u32) -> Result<Self> {
        let server = TileServer::bind("127.0.0.1:0".parse()?).await?;
        let (address, stop) = (server.address(), CancellationToken::new());
        let network = sample.params.network_id();
        let secret = sample.home.secret("witness")?;
        let witness = Witness::new(&network, &sample.log, secret, sample.ledger.clone());
        let cosigner = witness.cosigner().clone();
        let brought = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&brought);
        let served = Arc::new(Served {
            ledger: sample.ledger.clone(),
            network,
            own: sample.log,
            witness: Some(witness),
            brought: Box::new(move |signed: SignedCheckpoint| {
                let mut seen = seen.lock().expect("no holder panics");
                seen.push(signed.checkpoint().size);
            }),
        });
        let ended = tokio::spawn(server.serve(served, connections_max, stop.clone()));
        Ok(Self {
            address,
            stop,
            ended,
            brought,
            cosigner,
        })
    }

    /// Sends bytes and reads until the server closes.
    async fn send(&self, request: &[u8]) -> Result<Answer> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(request).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        let end = answer
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .context("an answer has a head")?;
        let body = answer.split_off(end + 4);
        let head = String::from_utf8(answer)?;
        let status = head.get(9..12).context("a status")?.parse()?;
        Ok(Answer { status, head, body })
    }

    /// Version 1.0 has no chunks, and the server closes behind the answer.
    async fn get(&self, path: &str) -> Result<Answer> {
        self.send(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes())
            .await
    }

    async fn post(&self, body: &str) -> Result<Answer> {
        let request = format!(
            "POST /add-checkpoint HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.send(request.as_bytes()).await
    }

    async fn end(self) -> Result<()> {
        self.stop.cancel();
        Ok(self.ended.await?)
    }
}

/// A node that stores the log of another: the other's sample, and its own.
async fn follower(size: u64) -> Result<(Sample, Sample)> {
    let (author, witness) = (Sample::new(size).await?, Sample::new(1).await?);
    import(&author, &witness.ledger).await?;
    Ok((author, witness))
}

async fn import(author: &Sample, ledger: &Ledger) -> Result<()> {
    let export = fs::File::open(author.export("log.symlog")?)?;
    let reader = ExportReader::new(std::io::BufReader::new(export))?;
    ledger.import(reader).await?;
    // A node that follows a log stores what its author signs.
    let newest = author
        .ledger
        .latest_checkpoint(&author.log)?
        .context("signed")?;
    let key = author.home.secret("log")?.public();
    let signed = SignedCheckpoint::parse_and_verify(&newest.text, &key)?;
    Ok(ledger.put_checkpoint(signed).await?)
}

/// A request for a cosignature of the author's log at a size.
fn request(author: &Sample, old_size: u64, size: u64) -> Result<String> {
    let reader = author.ledger.own().context("entry 0 is there")?;
    let proof = consistency_proof(&reader, old_size, size)?;
    let signed = author
        .checkpoint(size, reader.root_at(size)?)
        .sign(&author.home.secret("log")?);
    Ok(AddCheckpoint::new(old_size, proof, &signed).to_string())
}

#[tokio::test]
async fn tile_6_a_node_serves_what_the_command_writes() -> Result<()> {
    let sample = Sample::new(600).await?;
    let folder = sample.path("tiles");
    publish(&sample.export("log.symlog")?, &folder, &mut |_, _| {})?;
    let server = Server::start(&sample, 8).await?;
    for path in TilePath::all_at(600) {
        for prefix in ["/".to_owned(), format!("/log/{}/", sample.log)] {
            let answer = server.get(&format!("{prefix}{path}")).await?;
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            assert_eq!(answer.body, fs::read(folder.join(path.to_string()))?);
            assert_eq!(
                answer.header("content-type"),
                Some("application/octet-stream")
            );
            let caching = answer.header("cache-control").context("caching")?;
            assert!(caching.contains("immutable"), "{caching}");
        }
    }
    let checkpoint = server.get("/checkpoint").await?;
    assert_eq!(checkpoint.body, fs::read(folder.join("checkpoint"))?);
    let content_type = checkpoint.header("content-type");
    assert_eq!(content_type, Some("text/plain; charset=utf-8"));
    assert_eq!(
        checkpoint.header("cache-control"),
        Some("public, max-age=2")
    );

    let origin = sample.checkpoint(1, [0; 32]).origin();
    let key = verifier_key(&origin, &sample.home.secret("log")?.public());
    let index = server.get("/").await?;
    assert!(
        index.text().contains(&format!("/ 600 {key}\n")),
        "{index:?}"
    );
    server.end().await
}

#[tokio::test]
async fn tile_6_followed_logs_are_served_under_their_ids() -> Result<()> {
    let (author, witness) = follower(300).await?;
    let server = Server::start(&witness, 8).await?;
    let prefix = format!("/log/{}/", author.log);
    let reader = author.ledger.own().context("entry 0 is there")?;
    let hashes = server.get(&format!("{prefix}tile/0/001.p/44")).await?;
    let path: TilePath = "tile/0/001.p/44".parse()?;
    assert_eq!(
        hashes.body,
        symphony_transparency::tiles::tile_bytes(&reader, &path)?
    );
    let checkpoint = server.get(&format!("{prefix}checkpoint")).await?;
    let key = author.home.secret("log")?.public();
    let signed = SignedCheckpoint::parse_and_verify(checkpoint.text(), &key)?;
    assert_eq!(signed.checkpoint().log, author.log);
    let unknown = format!("/log/{}/checkpoint", Digest::ZERO);
    assert_eq!(server.get(&unknown).await?.status, 404);
    let index = server.get("/").await?;
    assert!(index.text().contains(&format!("{prefix} 300 symphony/v1/")));
    server.end().await
}

/// What no signature covers yet is not shown, though it is stored.
#[tokio::test]
async fn tile_3_nothing_beyond_the_checkpoint_is_served() -> Result<()> {
    let sample = Sample::new(300).await?;
    sample.grow(600).await?;
    let server = Server::start(&sample, 8).await?;
    for (path, status) in [
        ("/tile/entries/001.p/44", 200),
        ("/tile/entries/001.p/43", 200),
        ("/tile/entries/001.p/45", 404),
        ("/tile/entries/001", 404),
        ("/tile/0/001", 404),
        ("/tile/1/000.p/1", 200),
        ("/tile/1/000.p/2", 404),
        ("/tile/63/000", 404),
    ] {
        let answer = server.get(path).await?;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        if status == 404 {
            assert!(
                answer.text().contains("a tree of 300 entries"),
                "{answer:?}"
            );
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
    sample.sign().await?;
    assert_eq!(server.get("/tile/0/001").await?.status, 200);
    server.end().await
}

#[tokio::test]
async fn tile_6_other_requests_are_refused_in_words() -> Result<()> {
    let sample = Sample::new(3).await?;
    let server = Server::start(&sample, 8).await?;
    for (request, status, words) in [
        ("GET /tile/0/0 HTTP/1.0\r\n\r\n", 404, "groups of three"),
        (
            "GET /../etc/passwd HTTP/1.0\r\n\r\n",
            404,
            "no such resource",
        ),
        ("DELETE /checkpoint HTTP/1.0\r\n\r\n", 405, "only GET, HEAD"),
        ("GET /add-checkpoint HTTP/1.0\r\n\r\n", 405, "only POST"),
    ] {
        let answer = server.send(request.as_bytes()).await?;
        assert_eq!(answer.status, status, "{request:?}");
        assert!(answer.text().contains(words), "{request:?}: {answer:?}");
    }
    let head = server.send(b"HEAD /checkpoint HTTP/1.0\r\n\r\n").await?;
    assert_eq!((head.status, head.body.len()), (200, 0));
    let long = format!("GET /{} HTTP/1.0\r\n\r\n", "x".repeat(20_000));
    assert!(matches!(
        server.send(long.as_bytes()).await?.status,
        414 | 431
    ));
    server.end().await
}

/// One place: the second client waits until the first is gone, and is then answered.
#[tokio::test]
async fn tile_6_connections_are_limited() -> Result<()> {
    let sample = Sample::new(3).await?;
    let server = Server::start(&sample, 1).await?;
    let mut first = TcpStream::connect(server.address).await?;
    first
        .write_all(b"GET /checkpoint HTTP/1.1\r\nHost: a\r\n\r\n")
        .await?;
    let mut byte = [0; 1];
    first.read_exact(&mut byte).await?;
    let (answer, ()) = tokio::join!(server.get("/checkpoint"), async {
        // The other has no place before this one gives it back.
        drop(first);
    });
    assert_eq!(answer?.status, 200);
    server.end().await
}

#[tokio::test]
async fn tile_6_the_server_ends_though_clients_stay() -> Result<()> {
    let sample = Sample::new(3).await?;
    let server = Server::start(&sample, 8).await?;
    let mut idle = TcpStream::connect(server.address).await?;
    let mut half = TcpStream::connect(server.address).await?;
    half.write_all(b"GET /check").await?;
    assert_eq!(server.get("/checkpoint").await?.status, 200);
    server.end().await?;
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap_or(0), 0);
    Ok(())
}

/// Go verifies a log that it reads over HTTP, a running node's own and a followed one.
#[tokio::test]
async fn tile_5_go_verifies_what_a_node_serves() -> Result<()> {
    let Some(program) = go::program() else {
        return Ok(());
    };
    let (author, witness) = follower(700).await?;
    let server = Server::start(&witness, 8).await?;
    let origin = author.checkpoint(1, [0; 32]).origin();
    let key = verifier_key(&origin, &author.home.secret("log")?.public());
    let location = format!("http://{}/log/{}", server.address, author.log);
    let found =
        tokio::task::spawn_blocking(move || go::verify(&program, &key, location.as_ref(), None))
            .await??;
    assert_eq!(found["size"], Value::from(700));
    server.end().await
}

#[tokio::test]
async fn witness_5_a_log_is_cosigned_as_it_grows() -> Result<()> {
    let (author, witness) = follower(300).await?;
    author.grow(900).await?;
    let server = Server::start(&witness, 8).await?;

    // Size 100 is one that the witness holds the entries of, 900 is not.
    let mut latest = 0;
    for size in [100, 300, 300, 900] {
        let body = request(&author, latest, size)?;
        let answer = server.post(&body).await?;
        assert_eq!(answer.status, 200, "{size}: {answer:?}");
        let line: NoteSignature = answer.text().trim_end().parse()?;
        let asked = AddCheckpoint::parse(body.as_bytes())?;
        let time_s = server.cosigner.verify_line(asked.note().text(), &line)?;
        assert!(time_s > 1_700_000_000);
        latest = size;
    }
    let behind = server.post(&request(&author, 0, 300)?).await?;
    assert_eq!((behind.status, behind.text()), (409, "900\n"));
    assert_eq!(behind.header("content-type"), Some("text/x.tlog.size"));
    assert_eq!(
        *server.brought.lock().expect("no holder panics"),
        [100, 300, 300, 900, 300],
        "the audit sees what is brought"
    );
    server.end().await
}

/// A witness that was restarted knows what it cosigned.
#[tokio::test]
async fn witness_6_what_was_cosigned_survives_a_restart() -> Result<()> {
    let (author, witness) = follower(300).await?;
    let server = Server::start(&witness, 8).await?;
    assert_eq!(server.post(&request(&author, 0, 300)?).await?.status, 200);
    server.end().await?;
    let witness = witness.reopened().await?;
    let server = Server::start(&witness, 8).await?;
    let answer = server.post(&request(&author, 0, 300)?).await?;
    assert_eq!((answer.status, answer.text()), (409, "300\n"));
    server.end().await
}

/// Requests that overlap: one is cosigned, the others are told its size, and nothing is rolled back.
#[tokio::test(flavor = "multi_thread")]
async fn witness_6_of_requests_that_overlap_one_is_cosigned() -> Result<()> {
    let (author, witness) = follower(300).await?;
    let server = Server::start(&witness, 32).await?;
    let bodies: Vec<String> = (1..=20)
        .map(|step| request(&author, 0, 10 * step))
        .collect::<Result<_>>()?;
    let answers =
        futures::future::try_join_all(bodies.iter().map(|body| server.post(body))).await?;
    let cosigned: Vec<usize> = (0..20).filter(|at| answers[*at].status == 200).collect();
    let [winner] = cosigned[..] else {
        anyhow::bail!("{} requests from one size were cosigned", cosigned.len());
    };
    let size = format!("{}\n", 10 * (winner + 1));
    for (at, answer) in answers.iter().enumerate().filter(|(at, _)| *at != winner) {
        assert_eq!((answer.status, answer.text()), (409, size.as_str()), "{at}");
    }
    server.end().await
}

#[tokio::test]
async fn witness_5_forks_and_strangers_are_not_cosigned() -> Result<()> {
    let (author, witness) = follower(300).await?;
    let stranger = Sample::new(3).await?;
    let server = Server::start(&witness, 8).await?;
    let key = author.home.secret("log")?;
    let forked = author.checkpoint(300, [7; 32]).sign(&key);
    let unsigned = author
        .checkpoint(300, [7; 32])
        .sign(&stranger.home.secret("log")?);
    let of_own = request(&witness, 0, 1)?;
    let too_large = "x".repeat(ADD_CHECKPOINT_SIZE_MAX + 1);
    for (name, body, status) in [
        (
            "fork",
            AddCheckpoint::new(0, Vec::new(), &forked).to_string(),
            409,
        ),
        (
            "unsigned",
            AddCheckpoint::new(0, Vec::new(), &unsigned).to_string(),
            403,
        ),
        ("stranger", request(&stranger, 0, 3)?, 404),
        ("own log", of_own, 404),
        ("malformed", "old 0\n\n".to_owned(), 400),
        ("too large", too_large, 400),
    ] {
        let answer = server.post(&body).await?;
        assert_eq!(answer.status, status, "{name}: {answer:?}");
    }
    assert_eq!(
        *server.brought.lock().expect("no holder panics"),
        [300],
        "the fork, which the log signed, goes to the audit; nothing else does"
    );
    assert_eq!(server.post(&request(&author, 0, 300)?).await?.status, 200);
    server.end().await
}

/// A published folder is shown to two witnesses, grows, and is shown again; what they cosign stands in its checkpoint.
#[tokio::test]
async fn witness_7_a_published_log_is_cosigned_by_the_witnesses_of_a_policy() -> Result<()> {
    let (author, one) = follower(300).await?;
    let other = Sample::new(1).await?;
    import(&author, &other.ledger).await?;
    let servers = [
        Server::start(&one, 8).await?,
        Server::start(&other, 8).await?,
    ];
    let mut file = String::new();
    for (name, server) in ["one", "other"].iter().zip(&servers) {
        let (key, address) = (server.cosigner.verifier_key(), server.address);
        file.push_str(&format!("witness {name} {key} http://{address}/\n"));
    }
    let silent = Cosigner::new("silent.example/w", author.home.secret("witness")?.public())?;
    let key = silent.verifier_key();
    file.push_str(&format!(
        "witness silent {key}\ngroup both 2 one other silent\nquorum both\n"
    ));
    let policy: TrustPolicy = file.parse()?;

    let folder = author.path("tiles");
    publish(&author.export("log.symlog")?, &folder, &mut |_, _| {})?;
    let (signed, asked) = cosign(&folder, &policy).await?;
    assert_eq!(policy.witnessed(&signed)?.by.len(), 2);
    assert!(matches!(asked[2].outcome, Err(AskError::NoAddress)));
    let text = fs::read_to_string(folder.join("checkpoint"))?;
    assert_eq!(text, signed.text());
    // Publishing the same checkpoint again keeps the cosignatures.
    publish(&author.export("log.symlog")?, &folder, &mut |_, _| {})?;
    assert_eq!(fs::read_to_string(folder.join("checkpoint"))?, text);

    // The witnesses have none of the new entries: the proof is made from the folder's tiles.
    author.grow(1_000).await?;
    author.sign().await?;
    publish(&author.export("log.symlog")?, &folder, &mut |_, _| {})?;
    let (signed, _) = cosign(&folder, &policy).await?;
    assert_eq!(signed.checkpoint().size, 1_000);
    assert_eq!(policy.witnessed(&signed)?.by.len(), 2);
    for server in servers {
        server.end().await?;
    }
    let (signed, asked) = cosign(&folder, &policy).await?;
    assert!(
        matches!(asked[0].outcome, Err(AskError::Unreached(_))),
        "{asked:?}"
    );
    assert!(
        policy.witnessed(&signed).is_ok(),
        "what was cosigned before still counts"
    );
    Ok(())
}

/// A log that shows its witness another history than the one that it cosigned is told so.
#[tokio::test]
async fn witness_5_a_rewritten_log_is_not_cosigned() -> Result<()> {
    let (author, witness) = follower(300).await?;
    let server = Server::start(&witness, 8).await?;
    assert_eq!(server.post(&request(&author, 0, 200)?).await?.status, 200);
    let policy: TrustPolicy = format!(
        "witness w {} http://{}\nquorum w\n",
        server.cosigner.verifier_key(),
        server.address
    )
    .parse()?;
    // The same entry 0, other entries behind it.
    let rewritten = author.rewritten(600).await?;
    let folder = rewritten.path("tiles");
    publish(&rewritten.export("log.symlog")?, &folder, &mut |_, _| {})?;
    let (signed, asked) = cosign(&folder, &policy).await?;
    assert!(
        matches!(asked[0].outcome, Err(AskError::Refused { status: 422, .. })),
        "{asked:?}"
    );
    assert!(policy.witnessed(&signed).is_err());
    server.end().await
}
