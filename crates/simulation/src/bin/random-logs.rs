//! Writes random logs, and changed ones, for the comparison of two verifiers (`tests/reference/README.md`).
//!
//! `random-logs DIR NETWORKS CHANGES SEED` simulates so many networks, and writes each peer's log into `DIR/logs` as the
//! portable file of STORE-20. Then it changes so many of these logs: one byte, one number, one foreign statement, the order of
//! entries, or the checkpoint; chains the entries to each other anew, signs the statement or the checkpoint with its author's
//! key, and writes the result into `DIR/changed`. So a file in `changed` is what a cheat could have published. Of what replay
//! finds in it, evidence is made and written into `DIR/evidence`, as it is and with something in it changed. Nothing here says what
//! a verifier should find. Equal arguments give equal files.

use std::{collections::BTreeMap, fs, path::Path};

use symphony_coordination::TaskSettings;
use symphony_protocol::{
    Fault,
    evidence::Evidence,
    policy::{PolicyKind, PolicyParameters},
    records::{Policy, Reach},
    replay::Replay,
    vote::VoteRule,
};
use symphony_simulation::{Links, Random, Scenario, Simulation, Troubles, Workers};
use symphony_transparency::{
    Checkpoint, Digest, Domain, Frontier, PublicKey, SecretKey, SignedCheckpoint, StatementKind,
    digest, entry_digest, log_id, sign_statement,
};

/// Fields of `Entry`.
const INDEX: u64 = 1;
const PREVIOUS: u64 = 2;
const TIME_MS: u64 = 3;
/// The first and the last field of `Entry` whose body holds a foreign statement.
const RECEIVED: std::ops::RangeInclusive<u64> = 14..=20;
/// Fields of `Statement`.
const TYPE: u64 = 2;
const AUTHOR: u64 = 3;
const PAYLOAD: u64 = 4;
/// How deep messages are nested at most.
const DEPTH_MAX: u32 = 6;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, networks, changes, seed] = arguments.as_slice() else {
        return Err("usage: random-logs DIR NETWORKS CHANGES SEED".into());
    };
    let (networks, changes): (u64, u64) = (networks.parse()?, changes.parse()?);
    let mut random = Random::new(seed.parse()?);
    let folder = Path::new(folder);
    let (logs_folder, changed_folder) = (folder.join("logs"), folder.join("changed"));
    fs::create_dir_all(&logs_folder)?;
    let evidence_folder = folder.join("evidence");
    fs::create_dir_all(&changed_folder)?;
    fs::create_dir_all(&evidence_folder)?;
    let mut written = 0;
    for number in 0..networks {
        let scenario = scenario(&mut random);
        let mut simulation = Simulation::new(&scenario)?;
        simulation.run()?;
        let logs: Vec<Log> = simulation
            .logs()
            .map(|(secret, entries)| Log::new(secret, entries.to_vec()))
            .collect();
        for (peer, log) in logs.iter().enumerate() {
            let end = log.honest_checkpoint().ok_or("an honest log is at fault")?;
            let name = format!("{number:05}-{peer:02}.symlog");
            fs::write(
                logs_folder.join(name),
                log.file(&log.entries, Some(&log.sign(&end))),
            )?;
        }
        let secrets: Secrets = logs
            .iter()
            .map(|log| (log.secret().public(), log.secret))
            .collect();
        // Evenly spread over the networks.
        while written < changes * (number + 1) / networks {
            let log = &logs[below(&mut random, logs.len())];
            let changed = change(log, &secrets, &mut random);
            let name = format!("{written:05}-{}", changed.kind);
            fs::write(changed_folder.join(format!("{name}.symlog")), &changed.file)?;
            for (number, bytes) in evidence(log, &changed, &mut random).iter().enumerate() {
                fs::write(
                    evidence_folder.join(format!("{name}-{number}.evidence")),
                    bytes,
                )?;
            }
            written += 1;
        }
    }
    println!("{networks} networks, {written} changed logs");
    Ok(())
}

/// A small network in which anything may go wrong that can go wrong to honest peers, under any policy.
fn scenario(random: &mut Random) -> Scenario {
    let share = |random: &mut Random, most: u32| u32_within(random, 0, most);
    let kind = PolicyKind::ALL[below(random, PolicyKind::ALL.len())];
    let mut policy = Policy::of_kind(kind);
    if kind.may_discount() && random.chance(500_000) {
        policy.parameters.discount_ppm = u32_within(random, 500_000, 1_000_000);
    }
    if random.chance(100_000) {
        policy.parameters.frozen_after = Some(random.within(0, 30));
    }
    policy.vote_rule = [
        VoteRule::Reliability,
        VoteRule::Screening,
        VoteRule::Majority,
    ][below(random, 3)];
    policy.parameters = PolicyParameters {
        lambda_ppm: u32_within(random, 1_000, 5_000_000),
        delta_ppm: u32_within(random, 1, 999_999),
        exploration_ppm: share(random, 2_000_000),
        ..policy.parameters
    };
    policy.winner_bonus_ppm = share(random, 2_000_000);
    policy.latency_penalty_ppm = share(random, 1_000_000);
    if random.chance(300_000) {
        // Nobody checks answers in a simulation; a changed entry may say that somebody did.
        policy.checker_ppm = share(random, 1_000_000);
    }
    let shortlist = u32_within(random, 1, 7);
    let troubled = random.chance(500_000);
    let peers = u32_within(random, 3, 9);
    Scenario {
        seed: random.bits(),
        peers,
        coordinators: u32_within(random, 1, peers.min(3)),
        tasks: u32_within(random, 1, 25),
        task_interval_ms: random.within(50, 600),
        plan_steps: (0..u32_within(random, 1, 3))
            .map(|_| u32_within(random, 1, 3))
            .collect(),
        settings: TaskSettings {
            executors: u32_within(random, 1, shortlist.min(4)),
            shortlist,
            asked: u32_within(random, 1, 10),
            bid_window_ms: u32_within(random, 50, 400),
            execute_ms: u32_within(random, 150, 2_000),
            reveal_ms: u32_within(random, 30, 600),
            reach: if random.chance(300_000) {
                Reach::Gossip
            } else {
                Reach::Directed
            },
            ..TaskSettings::default()
        },
        policy,
        workers: Workers {
            skilled_every: u32_within(random, 1, 4),
            failed_ppm: share(random, 100_000),
            unparsable_ppm: share(random, 100_000),
            hanging_ppm: share(random, 60_000),
            ..Workers::default()
        },
        links: Links {
            loss_ppm: if troubled { share(random, 40_000) } else { 0 },
            duplicate_ppm: share(random, 50_000),
            delay_ms: (1, random.within(2, 90)),
            ..Scenario::default().links
        },
        troubles: Troubles {
            crashes: if troubled { share(random, 12) } else { 0 },
            boundary_crash_ppm: if troubled { share(random, 4_000) } else { 0 },
            down_ms: (200, 3_000),
            clock_skew_ms: random.within(0, 300),
            ..Scenario::default().troubles
        },
        ..Scenario::default()
    }
}

fn u32_within(random: &mut Random, least: u32, most: u32) -> u32 {
    u32::try_from(random.within(u64::from(least), u64::from(most))).unwrap_or(most)
}

/// An index below `count`, which is not 0.
fn below(random: &mut Random, count: usize) -> usize {
    let most = u64::try_from(count.saturating_sub(1)).unwrap_or(u64::MAX);
    usize::try_from(random.within(0, most)).unwrap_or(0)
}

// --- logs and files ---

type Secrets = BTreeMap<PublicKey, [u8; 32]>;

/// A peer's log, with the seed of its log key.
struct Log {
    secret: [u8; 32],
    entries: Vec<Vec<u8>>,
    network: Digest,
    params: Vec<u8>,
}

impl Log {
    fn new(secret: [u8; 32], entries: Vec<Vec<u8>>) -> Self {
        // Entry: body genesis (4), of which network id (1) and params (2).
        let genesis = parse(&entries[0])
            .and_then(|entry| bytes_of(&entry, 4))
            .and_then(|genesis| parse(&genesis))
            .expect("entry 0 of an honest log is a genesis");
        let network = bytes_of(&genesis, 1).expect("a genesis has a network id");
        Self {
            secret,
            network: Digest::from_bytes(network.try_into().expect("32 bytes")),
            params: bytes_of(&genesis, 2).expect("a genesis has params"),
            entries,
        }
    }

    fn secret(&self) -> SecretKey {
        SecretKey::from_bytes(self.secret)
    }

    fn sign(&self, checkpoint: &Checkpoint) -> String {
        checkpoint.sign(&self.secret()).text()
    }

    fn honest_checkpoint(&self) -> Option<Checkpoint> {
        checkpoint_of(&self.entries)
    }

    /// The file of STORE-20.
    fn file(&self, entries: &[Vec<u8>], checkpoint: Option<&str>) -> Vec<u8> {
        let mut header = Message::new();
        let size = u64::try_from(entries.len()).unwrap_or(u64::MAX);
        header.push((1, Value::Bytes(self.network.as_bytes().to_vec())));
        header.push((2, Value::Bytes(log_id(&entries[0]).as_bytes().to_vec())));
        header.push((3, Value::Bytes(self.secret().public().as_bytes().to_vec())));
        header.push((4, Value::Number(size)));
        header.push((5, Value::Bytes(self.params.clone())));
        if let Some(checkpoint) = checkpoint {
            header.push((6, Value::Bytes(checkpoint.as_bytes().to_vec())));
        }
        let mut file = b"symlog\x00\x01".to_vec();
        frame(&mut file, u64::MAX, &write(&header));
        for (index, entry) in (0..).zip(entries) {
            frame(&mut file, index, entry);
        }
        let trailer = digest(Domain::Export, &[b"content", file.as_slice()].concat());
        file.extend_from_slice(trailer.as_bytes());
        file
    }
}

fn frame(file: &mut Vec<u8>, place: u64, bytes: &[u8]) {
    let check = digest(
        Domain::Export,
        &[b"frame".as_slice(), &place.to_be_bytes(), bytes].concat(),
    );
    let size = u32::try_from(bytes.len()).expect("entries are small");
    file.extend_from_slice(&size.to_be_bytes());
    file.extend_from_slice(&check.as_bytes()[..16]);
    file.extend_from_slice(bytes);
}

/// The checkpoint that follows from the entries, or nothing if they break a rule.
fn checkpoint_of(entries: &[Vec<u8>]) -> Option<Checkpoint> {
    let (first, rest) = entries.split_first()?;
    let mut replay = Replay::begin(first, None).ok()?;
    for bytes in rest {
        replay.push(bytes).ok()?;
    }
    Some(replay.checkpoint())
}

// --- changes ---

/// What a cheat would publish.
struct Changed {
    /// What was changed.
    kind: &'static str,
    file: Vec<u8>,
    entries: Vec<Vec<u8>>,
    checkpoint: Option<String>,
}

fn change(log: &Log, secrets: &Secrets, random: &mut Random) -> Changed {
    let mut entries = log.entries.clone();
    // Entry 0 is the file's name for everything else: changed now and then only.
    let least = usize::from(entries.len() > 1 && !random.chance(30_000));
    let index = least + below(random, entries.len() - least);
    let kind = match random.within(0, 99) {
        0..=4 => {
            let checkpoint = log.honest_checkpoint().map(|end| log.sign(&end));
            let mut file = log.file(&entries, checkpoint.as_deref());
            let place = below(random, file.len());
            file[place] ^= 1 << random.within(0, 7);
            return Changed {
                kind: "damaged",
                file,
                entries,
                checkpoint,
            };
        }
        5..=14 => {
            let checkpoint = changed_checkpoint(log, random);
            return Changed {
                kind: "checkpoint",
                file: log.file(&entries, checkpoint.as_deref()),
                entries,
                checkpoint,
            };
        }
        15..=22 => {
            flip(&mut entries[index], random);
            "byte"
        }
        23..=27 => {
            flip(&mut entries[index], random);
            chain(&mut entries, index + 1);
            "byte-chained"
        }
        28..=64 => {
            entries[index] = changed(&entries[index], random, 0);
            chain(&mut entries, index + 1);
            "number"
        }
        65..=84 => {
            let received: Vec<usize> = (0..entries.len())
                .filter(|index| statement_of(&entries[*index]).is_some())
                .collect();
            if !received.is_empty() {
                let index = received[below(random, received.len())];
                if let Some(entry) = with_changed_statement(&entries[index], log, secrets, random) {
                    entries[index] = entry;
                    chain(&mut entries, index + 1);
                }
            }
            "statement"
        }
        85..=92 => {
            let other = least + below(random, entries.len() - least);
            let from = index.max(1).min(entries.len() - 1);
            match random.within(0, 2) {
                0 if entries.len() > 2 => drop(entries.remove(index.max(1))),
                1 => entries.insert(index.max(1), log.entries[other].clone()),
                _ => entries.swap(from, other.max(least)),
            }
            chain(&mut entries, 1);
            "order"
        }
        _ => {
            let mut entry = entries[index].clone();
            if random.chance(300_000) {
                entry = changed(&entry, random, 0);
            }
            let last_ms = time_of(&entries[entries.len() - 1]);
            let later_ms = [0, 1, random.within(0, 2_000), random.within(0, 200_000)];
            entry = with_field(
                &entry,
                TIME_MS,
                Value::Number(last_ms.saturating_add(later_ms[below(random, 4)])),
            );
            if random.chance(300_000) {
                entry = resumed(&entry);
            }
            entries.push(entry);
            let last = entries.len() - 1;
            chain(&mut entries, last);
            "appended"
        }
    };
    let checkpoint = checkpoint_of(&entries)
        .or_else(|| {
            Some(signed_all_the_same(
                log,
                &entries,
                &log.honest_checkpoint()?,
            ))
        })
        .map(|end| log.sign(&end));
    Changed {
        kind,
        file: log.file(&entries, checkpoint.as_deref()),
        entries,
        checkpoint,
    }
}

/// Evidence of what replay finds in a changed log, and the same with something in it changed.
fn evidence(log: &Log, changed_log: &Changed, random: &mut Random) -> Vec<Vec<u8>> {
    let Some(checkpoint) = &changed_log.checkpoint else {
        return Vec::new();
    };
    let faults = faults(&changed_log.entries, log, checkpoint);
    // An earlier checkpoint, where the author's first entries are right.
    let size = 1 + below(random, changed_log.entries.len());
    let earlier = checkpoint_of(&changed_log.entries[..size]).map(|end| log.sign(&end));
    let earlier: Vec<&str> = earlier.iter().map(String::as_str).collect();
    let mut made = Vec::new();
    for fault in faults.iter().take(2) {
        let Ok(evidence) = Evidence::prove(&changed_log.entries, checkpoint, &earlier, fault)
        else {
            continue;
        };
        let bytes = evidence.bytes();
        made.push(bytes.to_vec());
        made.extend((0..2).map(|_| changed(bytes, random, 1)));
        made.extend(closed(bytes, random));
        let mut flipped = bytes.to_vec();
        flip(&mut flipped, random);
        made.push(flipped);
    }
    made
}

/// A window with one leaf of its state less: under the same root, the rules know less.
fn closed(evidence: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    // Evidence: window (11), of which from_entry (3) is a state, and from_checkpoint (4) has one (2).
    let window = parse(&bytes_of(&parse(evidence)?, 11)?)?;
    let path: &[u64] = if bytes_of(&window, 3).is_some() {
        &[11, 3]
    } else {
        &[11, 4, 2]
    };
    let mut state = evidence.to_vec();
    for field in path {
        state = bytes_of(&parse(&state)?, *field)?;
    }
    // OpenState: nodes (1), each a hidden digest (2), a hidden leaf (3), or a leaf (4) of key (1) and value (2).
    let mut nodes = parse(&state)?;
    let leaves: Vec<(usize, Message)> = nodes
        .iter()
        .enumerate()
        .filter_map(|(place, (_, node))| match node {
            Value::Bytes(node) => Some((place, parse(&bytes_of(&parse(node)?, 4)?)?)),
            Value::Number(_) => None,
        })
        .collect();
    let (place, leaf) = leaves.get(below(random, leaves.len()))?;
    let of = |field| bytes_of(leaf, field).unwrap_or_default();
    let key = digest(Domain::StateKey, &of(1)).as_bytes().to_vec();
    let value = digest(Domain::StateValue, &of(2)).as_bytes().to_vec();
    let node = if random.chance(500_000) {
        let hidden = digest(Domain::StateLeaf, &[key, value].concat());
        (2, Value::Bytes(hidden.as_bytes().to_vec()))
    } else {
        let leaf = [(1, Value::Bytes(key)), (2, Value::Bytes(value))];
        (3, Value::Bytes(write(&leaf)))
    };
    nodes[*place].1 = Value::Bytes(write(&[node]));
    Some(with_path(evidence, path, write(&nodes)))
}

/// The message with these bytes in a field of a field.
fn with_path(message: &[u8], path: &[u64], bytes: Vec<u8>) -> Vec<u8> {
    let Some((first, rest)) = path.split_first() else {
        return bytes;
    };
    let inner = parse(message)
        .and_then(|fields| bytes_of(&fields, *first))
        .unwrap_or_default();
    with_field(
        message,
        *first,
        Value::Bytes(with_path(&inner, rest, bytes)),
    )
}

/// What replay of these entries finds, the author's fault last.
fn faults(entries: &[Vec<u8>], log: &Log, checkpoint: &str) -> Vec<Fault> {
    let mut found = Vec::new();
    let Ok(mut replay) = Replay::begin(&entries[0], None) else {
        return found;
    };
    for bytes in &entries[1..] {
        match replay.push(bytes) {
            Ok((_, applied)) => found.extend(applied.findings),
            Err(fault) => {
                found.push(fault);
                return found;
            }
        }
    }
    let signed = SignedCheckpoint::parse_and_verify(checkpoint, &log.secret().public());
    if let Ok(Err(fault)) = signed.map(|signed| replay.check(signed.checkpoint())) {
        found.push(fault);
    }
    found
}

/// A checkpoint over these entries with the state root that the author had before it changed one.
fn signed_all_the_same(log: &Log, entries: &[Vec<u8>], honest: &Checkpoint) -> Checkpoint {
    let mut tree = Frontier::default();
    for entry in entries {
        tree.append(entry);
    }
    Checkpoint {
        network: log.network,
        log: log_id(&entries[0]),
        size: u64::try_from(entries.len()).unwrap_or(u64::MAX),
        root: tree.root(),
        state_root: honest.state_root,
    }
}

/// For the honest entries a checkpoint that is none, shorter, longer, of another root or state, or damaged.
fn changed_checkpoint(log: &Log, random: &mut Random) -> Option<String> {
    let honest = log.honest_checkpoint()?;
    let other = Digest::from_bytes(random.bytes());
    let mut end = honest;
    match random.within(0, 6) {
        0 => return None,
        1 => end.size = random.within(1, honest.size + 3),
        2 => end.root = Frontier::default().root(),
        3 => end.state_root = other,
        4 => end.log = other,
        5 => {
            let size = 1 + below(random, log.entries.len());
            end = checkpoint_of(&log.entries[..size]).unwrap_or(honest);
        }
        _ => {
            let mut text = log.sign(&honest).into_bytes();
            flip(&mut text, random);
            return Some(String::from_utf8_lossy(&text).into_owned());
        }
    }
    Some(log.sign(&end))
}

fn flip(bytes: &mut [u8], random: &mut Random) {
    let place = below(random, bytes.len());
    bytes[place] ^= 1 << random.within(0, 7);
}

/// Gives entries from `first` on their indices, and makes them follow the entries before them.
fn chain(entries: &mut [Vec<u8>], first: usize) {
    for index in first.max(1)..entries.len() {
        let previous = entry_digest(&entries[index - 1]).as_bytes().to_vec();
        let number = u64::try_from(index).unwrap_or(u64::MAX);
        let entry = with_field(&entries[index], INDEX, Value::Number(number));
        entries[index] = with_field(&entry, PREVIOUS, Value::Bytes(previous));
    }
}

fn time_of(entry: &[u8]) -> u64 {
    parse(entry)
        .and_then(|fields| {
            fields.iter().find_map(|(number, value)| match value {
                Value::Number(time_ms) if *number == TIME_MS => Some(*time_ms),
                _ => None,
            })
        })
        .unwrap_or(0)
}

/// The same place, time and predecessor, with the body `resumed` (22, an empty message).
fn resumed(entry: &[u8]) -> Vec<u8> {
    let mut fields = parse(entry).unwrap_or_default();
    fields.retain(|(number, _)| *number <= TIME_MS);
    fields.push((22, Value::Bytes(Vec::new())));
    write(&fields)
}

/// The body's field and the foreign statement in an entry, if it holds one.
fn statement_of(entry: &[u8]) -> Option<(u64, Message)> {
    let (number, body) = parse(entry)?
        .into_iter()
        .find(|(number, _)| RECEIVED.contains(number))?;
    let Value::Bytes(body) = body else {
        return None;
    };
    Some((number, parse(&bytes_of(&parse(&body)?, 1)?)?))
}

/// The entry with its foreign statement changed, and signed anew by the statement's author or by another peer.
fn with_changed_statement(
    entry: &[u8],
    log: &Log,
    secrets: &Secrets,
    random: &mut Random,
) -> Option<Vec<u8>> {
    let (field, statement) = statement_of(entry)?;
    let author: [u8; 32] = bytes_of(&statement, AUTHOR)?.try_into().ok()?;
    let mut secret = *secrets.get(&PublicKey::from_bytes(author).ok()?)?;
    if random.chance(100_000) {
        secret = *secrets.values().nth(below(random, secrets.len()))?;
    }
    let kind = statement.iter().find_map(|(number, value)| match value {
        Value::Number(kind) if *number == TYPE => u32::try_from(*kind).ok(),
        _ => None,
    })?;
    let payload = changed(&bytes_of(&statement, PAYLOAD)?, random, 1);
    let signed = sign_statement(
        &SecretKey::from_bytes(secret),
        &log.network,
        StatementKind::from_number(kind)?,
        payload,
    );
    let mut body = parse(&bytes_of(&parse(entry)?, field)?)?;
    body.first_mut()?.1 = Value::Bytes(signed.bytes().to_vec());
    Some(with_field(entry, field, Value::Bytes(write(&body))))
}

/// A message with one field, at any depth, changed, left out or doubled.
fn changed(message: &[u8], random: &mut Random, depth: u32) -> Vec<u8> {
    let Some(mut fields) = parse(message).filter(|fields| !fields.is_empty()) else {
        let mut bytes = message.to_vec();
        flip(&mut bytes, random);
        return bytes;
    };
    // At the top of an entry mostly its body, which is the last field: the others make the chain.
    let place = if depth == 0 && random.chance(850_000) {
        fields.len() - 1
    } else {
        below(random, fields.len())
    };
    match random.within(0, 99) {
        0..=1 => drop(fields.remove(place)),
        2..=3 => fields.insert(place, fields[place].clone()),
        _ => {
            let value = match &fields[place].1 {
                Value::Number(number) => Value::Number(changed_number(*number, random)),
                Value::Bytes(bytes) => Value::Bytes(changed_bytes(bytes, random, depth)),
            };
            fields[place].1 = value;
        }
    }
    // A field of value 0 is left out, as the canonical form asks.
    fields.retain(|(_, value)| *value != Value::Number(0));
    write(&fields)
}

fn changed_number(number: u64, random: &mut Random) -> u64 {
    match random.within(0, 9) {
        0..=2 => number.wrapping_add(1),
        3..=5 => number.wrapping_sub(1),
        6 => random.within(0, 20),
        7 => random.within(0, 1_100_000),
        8 => number ^ (1 << random.within(0, 63)),
        _ => random.bits(),
    }
}

fn changed_bytes(bytes: &[u8], random: &mut Random, depth: u32) -> Vec<u8> {
    let is_message = parse(bytes).is_some_and(|fields| !fields.is_empty());
    if is_message && depth < DEPTH_MAX && !random.chance(30_000) {
        return changed(bytes, random, depth + 1);
    }
    let mut bytes = bytes.to_vec();
    match random.within(0, 19) {
        0 => drop(bytes.pop()),
        1 => bytes.push(0),
        2 => bytes.clear(),
        3 => bytes.fill(0),
        // The least step of a number.
        4..=11 => {
            if let Some(last) = bytes.last_mut() {
                *last ^= 1;
            }
        }
        _ if bytes.is_empty() => bytes.push(1),
        _ => flip(&mut bytes, random),
    }
    bytes
}

// --- protobuf, as far as the schema uses it ---

type Message = Vec<(u64, Value)>;

#[derive(Clone, Debug, PartialEq)]
enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

fn parse(mut bytes: &[u8]) -> Option<Message> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = take_varint(&mut bytes)?;
        let value = match key & 7 {
            0 => Value::Number(take_varint(&mut bytes)?),
            2 => {
                let size = usize::try_from(take_varint(&mut bytes)?).ok()?;
                let (value, rest) = bytes.split_at_checked(size)?;
                bytes = rest;
                Value::Bytes(value.to_vec())
            }
            _ => return None,
        };
        if key >> 3 == 0 || key >> 3 > 64 {
            return None;
        }
        fields.push((key >> 3, value));
    }
    Some(fields)
}

fn write(fields: &[(u64, Value)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, value) in fields {
        match value {
            Value::Number(value) => {
                put_varint(&mut bytes, number << 3);
                put_varint(&mut bytes, *value);
            }
            Value::Bytes(value) => {
                put_varint(&mut bytes, number << 3 | 2);
                put_varint(&mut bytes, u64::try_from(value.len()).unwrap_or(u64::MAX));
                bytes.extend_from_slice(value);
            }
        }
    }
    bytes
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or(0);
        value >>= 7;
        if value == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn bytes_of(fields: &[(u64, Value)], wanted: u64) -> Option<Vec<u8>> {
    fields.iter().find_map(|(number, value)| match value {
        Value::Bytes(bytes) if *number == wanted => Some(bytes.clone()),
        _ => None,
    })
}

/// The message with this value in a field that it has, or that comes before all it has.
fn with_field(message: &[u8], wanted: u64, value: Value) -> Vec<u8> {
    let Some(mut fields) = parse(message) else {
        return message.to_vec();
    };
    match fields.iter_mut().find(|(number, _)| *number == wanted) {
        Some(field) => field.1 = value,
        None => fields.push((wanted, value)),
    }
    fields.sort_by_key(|(number, _)| *number);
    write(&fields)
}
