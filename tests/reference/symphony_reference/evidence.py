"""Chapter 16: files that prove to anyone that a peer broke a rule."""

import dataclasses

from . import records, statements, tree
from .audit import word_of
from .encoding import H, Refused, check_listed, decode, decode_bytes, require, unpack
from .keys import key_is_acceptable, text_of
from .mathematics import embedding, match_ppm
from .notes import parse_note, read_checkpoint
from .replay import (
    RESULT_ANSWERED, RULES, Fault, Replay, Unusable, check_bid, check_called, check_order, check_place, claims_alone, class_of,
    hold, opens, read_entry,
)
from .state import NotOpen, StateMap, digest_of, subtree
from .statements import name, read_known

SIZE_MAX = 63_488  # EVIDENCE-2


class Unreadable(Exception):
    """EVIDENCE-1: nothing is said of anybody."""


@dataclasses.dataclass
class Conviction:
    """EVIDENCE-3."""

    peer: bytes
    rule: str
    entry: int
    network: bytes
    log: bytes
    expected: object
    found: object


def verify(data):
    """The conviction that evidence proves, or Refused with the reason why it proves none, or Unreadable."""
    try:
        evidence = decode_bytes("Evidence", data, SIZE_MAX)
        kind = evidence.WhichOneof("proof")
        require(kind, "no proof")
    except Refused as error:
        raise Unreadable(str(error)) from error
    try:
        check_listed(evidence)
        return PROOFS[kind](getattr(evidence, kind))
    except (Unusable, NotOpen) as error:
        raise Refused(f"{kind}: {error}") from error
    except (KeyError, IndexError, StopIteration, AttributeError) as error:
        raise Refused(f"{kind}: a state that contradicts itself") from error


def describe(data):
    """What `symphony evidence verify --json` prints, and the exit code."""
    said = {"peer": None, "rule": None, "valid": False, "log": None, "entry": None}
    try:
        found = verify(data)
    except Unreadable as error:
        return {**said, "explanation": f"unreadable: {error}"}, 2
    except Refused as error:
        return {**said, "explanation": f"convicts nobody: {error}"}, 1
    why = f"{RULES[found.rule]} at entry {found.entry}: expected {found.expected}, found {found.found}"
    return {"peer": text_of(found.peer), "rule": found.rule, "valid": True, "log": found.log.hex(), "entry": found.entry,
            "explanation": why}, 0


# ---- statements (EVIDENCE-4) ------------------------------------------------------------------------------------------


def read_pair(first, second, kinds):
    """Two statements of the network that the first one names, by one author, from one log."""
    network = decode("Statement", first, statements.SIZE_MAX).network_id
    one, other = read_known(first, network), read_known(second, network)
    require((one.kind, other.kind) == kinds, f"{one.kind} and {other.kind}")
    require(one.author == other.author, "two authors")
    require(one.payload.origin.log_id == other.payload.origin.log_id, "two logs")
    return network, one, other


def convict(network, rule, statement, entry, expected, found):
    return Conviction(statement.author, rule, entry, network, statement.payload.origin.log_id, expected, found)


def pair(kind, rule, said):
    """Of statements that may be said once: `said` is what they are about."""

    def check(proof):
        network, one, other = read_pair(proof.first, proof.second, (kind, kind))
        require(one.name < other.name, "the order of digests, or equal ones")
        require(said(one.payload) == said(other.payload), "about two things")
        entry = max(one.payload.origin.index, other.payload.origin.index)
        return convict(network, rule, one, entry, one.name.hex(), other.name.hex())

    return check


def bid_match(proof):
    network = decode("Statement", proof.bid, statements.SIZE_MAX).network_id
    statement = read_known(proof.bid, network)
    require(statement.kind == "Bid", statement.kind)
    bid = statement.payload
    require(name("Capability", proof.capability) == bid.capability, "another capability")
    require(name("Beacon", proof.beacon) == bid.beacon, "another beacon")
    capability, beacon = records.read_payload("Capability", proof.capability), records.read_payload("Beacon", proof.beacon)
    phi = match_ppm(capability.tags, embedding(capability.embedding), beacon.tags, embedding(beacon.embedding))
    if bid.match_ppm != phi:
        return convict(network, "REPLAY-30", statement, bid.origin.index, phi, bid.match_ppm)
    params = records.read("Params", proof.params, records.PARAMS_SIZE_MAX)
    require(H("network-id", proof.params) == network, "another network's parameters")
    require(phi < params.match_threshold_ppm, "the match is right and reaches the threshold")
    return convict(network, "REPLAY-32", statement, bid.origin.index, params.match_threshold_ppm, phi)


def closed_ballot(proof):
    network, receipt, reveal = read_pair(proof.receipt, proof.reveal, ("Receipt", "Reveal"))
    require(class_of(receipt.payload) == RESULT_ANSWERED, "a receipt without an answer")
    require(receipt.payload.assignment == reveal.payload.assignment, "two assignments")
    require(not opens(reveal.payload, reveal.author, receipt.payload.ballot), "the reveal opens the ballot")
    return convict(network, "REPLAY-38", reveal, reveal.payload.origin.index, receipt.payload.ballot.hex(), "another ballot")


def two_logs(proof):
    network = decode("Statement", proof.first, statements.SIZE_MAX).network_id
    one, other = read_known(proof.first, network), read_known(proof.second, network)
    require(hasattr(one.payload, "origin") and hasattr(other.payload, "origin"), "a statement that names no entry")
    require(one.author == other.author, "two authors")
    first, second = one.payload.origin, other.payload.origin
    require(first.log_id < second.log_id, "the order of logs, or one log")
    return Conviction(one.author, "REPLAY-50", second.index, network, second.log_id, first.log_id.hex(), second.log_id.hex())


# ---- histories (EVIDENCE-5 to EVIDENCE-7) -----------------------------------------------------------------------------


class Log:
    """What the exact bytes of entry 0 say of a log."""

    def __init__(self, genesis):
        self.genesis, self.began = genesis, Replay(genesis)
        self.id, self.author, self.network = self.began.log, self.began.author, self.began.network

    def checkpoint(self, note):
        found = read_checkpoint(note.encode() if isinstance(note, str) else note, self.author)
        require((found.network, found.log) == (self.network, self.id), "another log's checkpoint")
        return found

    def signed(self, entry):
        """The exact bytes of a SignedEntry, when the author signed for them."""
        checkpoint = self.checkpoint(entry.checkpoint)
        tree.check_inclusion(tree.leaf(entry.entry), entry.index, checkpoint.size, checkpoint.root, list(entry.hashes))
        return entry.entry

    def read(self, data):
        return read_entry(data, self.network, self.author)

    def convict(self, rule, entry, expected, found):
        return Conviction(self.author, rule, entry, self.network, self.id, expected, found)


def two_checkpoints(proof):
    log = Log(proof.genesis)
    first, second = log.checkpoint(proof.first), log.checkpoint(proof.second)
    if first.size == second.size:
        require(parse_note(proof.first)[0].encode() < parse_note(proof.second)[0].encode(), "the order of texts")
        require((first.root, first.state_root) != (second.root, second.state_root), "equal roots")
        require(not proof.root and not proof.hashes, "a proof that nothing needs")
        return log.convict("REPLAY-46", first.size - 1, first, second)
    require(first.size < second.size, "the order of sizes")
    require(len(proof.root) == 32 and proof.root != first.root, "the first checkpoint's root")
    tree.check_consistency(first.size, proof.root, second.size, second.root, list(proof.hashes))
    return log.convict("REPLAY-44", first.size - 1, proof.root.hex(), first.root.hex())


def two_entries(proof):
    log = Log(proof.genesis)
    require(log.signed(proof.first) < log.signed(proof.second), "the order of bytes")
    require(proof.first.index == proof.second.index, "two indices")
    return log.convict("REPLAY-46", proof.first.index, "one entry", "two")


def broken_word(proof):
    log = Log(proof.genesis)
    statement = read_known(proof.statement, log.network)
    require(statement.author == log.author, "another's statement")
    _, place, index, named, issued = word_of(statement.author, statement.kind, statement.payload, statement.name)
    data = log.signed(proof.entry)
    require((place, index) == (log.id, proof.entry.index), "a word on another entry")
    try:
        entry = log.read(data)
    except Refused:
        entry = None
    require(entry is None or not entry.holds(named, issued), "the entry holds what was named")
    return log.convict("REPLAY-45", index, named.hex(), "another entry")


def lone_entry(proof):
    log = Log(proof.genesis)
    data, index = log.signed(proof.entry), proof.entry.index
    if index == 0:
        require(data != log.genesis, "entry 0")
        return log.convict("REPLAY-44", 0, log.genesis.hex(), data.hex())
    try:
        try:
            entry = log.read(data)
        except Refused as error:
            raise Fault("REPLAY-20", "an entry", str(error)) from error
        hold(entry.message.index == index, "REPLAY-21", index, entry.message.index)
        hold(entry.kind != "genesis", "REPLAY-22", "a genesis only as entry 0", "another one")
        check_place(entry, log.id, log.author, index)
        if entry.kind == "bid_issued":
            check_bid(entry.statement[2], entry.beacon, log.author, entry.message.time_ms)
        if entry.kind == "opening_issued":
            check_called(entry.statement[2], entry.beacon)
        if entry.kind == "assignment_received":
            check_order(entry.statement[2], log.author)
        if entry.kind == "measures_imported":
            claims_alone(entry.body, log.author)
    except Fault as fault:
        return log.convict(fault.rule, index, fault.expected, fault.found)
    raise Refused("the entry breaks no rule by itself")


def broken_link(proof):
    log = Log(proof.genesis)
    data, following = log.signed(proof.entry), log.signed(proof.next)
    index = proof.entry.index + 1
    require(proof.next.index == index, "no neighbours")
    entry, after = log.read(data).message, log.read(following).message
    expected = (index, H("entry", data), True)
    found = (after.index, after.previous, after.time_ms >= entry.time_ms)
    require(found != expected, "the entries are linked")
    return log.convict("REPLAY-21", index, expected, found)


# ---- windows (EVIDENCE-8 to EVIDENCE-12) ------------------------------------------------------------------------------


def window(proof):
    log = Log(proof.genesis)
    entries, checkpoint = list(proof.entries), log.checkpoint(proof.checkpoint)
    messages = [log.read(data).message for data in entries]
    base = proof.WhichOneof("base")
    if base == "from_genesis":
        fold = log.began
    elif base == "from_entry":
        require(entries and messages[0].WhichOneof("body") in ("close", "draw", "settlement", "root_recorded"), "no entry with a state root")
        root = getattr(messages[0], messages[0].WhichOneof("body")).state_root
        fold = restored(log, proof.from_entry.nodes, root, messages[0].index, messages[0].previous)
    else:
        begin = log.checkpoint(proof.from_checkpoint.checkpoint)
        require(entries, "no entries")
        fold = restored(log, proof.from_checkpoint.state.nodes, begin.state_root, begin.size, messages[0].previous)
    index, previous, time_ms = fold.size, fold.last, fold.clock.time_ms
    for data, message in zip(entries, messages):
        require((message.index, message.previous) == (index, previous) and message.time_ms >= time_ms, "no chain")
        index, previous, time_ms = index + 1, H("entry", data), message.time_ms
    last = entries[-1] if entries else log.genesis
    tree.check_inclusion(tree.leaf(last), index - 1, checkpoint.size, checkpoint.root, list(proof.hashes))
    for place, data in enumerate(entries):
        try:
            fold.push(data)
        except Fault as fault:
            require(place == len(entries) - 1, f"{fault.rule} before the last entry")
            return log.convict(fault.rule, fault.entry, fault.expected, fault.found)
    require(checkpoint.size == index, "no rule is broken")
    reached = fold.root()
    require(reached != checkpoint.state_root, "no rule is broken, and the state root is right")
    return log.convict("REPLAY-42", index - 1, reached.hex(), checkpoint.state_root.hex())


def restored(log, nodes, root, index, previous):
    """A fold that goes on from a part of the state (EVIDENCE-10, EVIDENCE-11)."""
    remaining, leaves = iter(nodes), []
    part = subtree(remaining, 0, 0, leaves)
    require(next(remaining, None) is None, "nodes behind the tree")
    require(digest_of(part) == root, "another state root")
    fold = Replay(log.genesis)
    fold.map, fold.last = StateMap(part), previous
    for opened in leaves:
        open_leaf(fold, opened)
    require(b"" in fold.map.table("clock") and b"" in fold.map.table("counters"), "no clock, or no counters")
    require(fold.clock.entries == index, "a state of another size")
    fold.check_learned()
    return fold


# Keys of REPLAY-2: prefix, size of the rest, kind of value.
KEYS = {
    "clock": (0, "Clock"), "counters": (0, "Counters"), "policy": (0, "PolicyState"), "policy-peer/": (32, "PolicyPeerState"),
    "peer/": (32, "PeerMeasures"),
    "bucket/": (64, "BucketMeasures"), "imports": (0, "ImportsState"), "imported/": (64, "ImportedState"),
    "capability/": (32, "CapabilityState"), "task/": (8, "TaskState"),
    "beacon/": (8, "BeaconState"), "name/": (32, "NameState"), "bid/": (64, "OwnBidState"), "bid-queue/": (8, "QueuedBid"),
    "assignment/": (32, "OwnAssignmentState"), "assignment-queue/": (8, "QueuedAssignment"),
}
PAYLOADS = {"capability/": "Capability", "beacon/": "Beacon"}


# Of duties only assignment (2) and replacement (3) have a slot; 0 is none.
DUTIES_WITH_SLOT = (2, 3)
ANSWERED, REVEALED = 3, 4


def consistent_selection(selection):
    return bool(selection.ballot) == (selection.progress == ANSWERED) and (
        not selection.answer or selection.progress == REVEALED)


# EVIDENCE-11: no state encodes to anything else.
CONSISTENT = {
    "clock": lambda clock: (clock.duty or not clock.duty_index) and (clock.duty in DUTIES_WITH_SLOT or not clock.duty_slot),
    "task/": lambda task: all(not (plan.open and plan.finished) and (plan.finished or not plan.answer) for plan in task.plans),
    "beacon/": lambda beacon: all(map(consistent_selection, beacon.selections)),
    "assignment/": lambda order: order.receipt or not order.ballot,
    "imports": lambda state: state.sources and all(0 <= unpack(one.odds) <= 16 for one in state.sources),
    "imported/": lambda state: state.claims and all(map(consistent_claim, state.claims)),
}
# Where the log key of a peer stands in the rest of a key (REPLAY-2).
LOG_KEYS = {"policy-peer/": 0, "peer/": 0, "bucket/": 32, "imported/": 32, "capability/": 0, "bid/": 0}


def consistent_claim(claim):
    return 1 <= claim.settlements and claim.wins <= claim.settlements and 0 <= unpack(claim.reputation) <= 1


def open_leaf(fold, opened):
    prefix = next((one for one, (size, _) in KEYS.items()
                   if opened.key.startswith(one.encode()) and len(opened.key) == len(one) + size), None)
    require(prefix, "a key that no state has")
    rest = opened.key[len(prefix) :]
    place = LOG_KEYS.get(prefix)
    require(place is None or key_is_acceptable(rest[place : place + 32]), "no log key")
    message = records.read(KEYS[prefix][1], opened.value, SIZE_MAX)
    require(CONSISTENT.get(prefix, lambda _: True)(message), "a value whose fields contradict each other")
    fold.map.table(prefix)[rest] = message
    if prefix not in PAYLOADS:
        require(not opened.payload, "a payload that nothing names")
        return
    kind = PAYLOADS[prefix]
    require(name(kind, opened.payload) == message.statement, "another payload")
    payload = records.read_payload(kind, opened.payload)
    if kind == "Capability":
        require(payload.sequence == message.sequence, "another number than the capability's")
        fold.capabilities[rest] = payload
    else:
        fold.add_step(int.from_bytes(rest, "big"), payload)


PROOFS = {
    "two_capabilities": pair("Capability", "REPLAY-27", lambda said: said.sequence),
    "two_bids": pair("Bid", "REPLAY-31", lambda said: (said.beacon, said.coordinator)),
    "two_receipts": pair("Receipt", "REPLAY-36", lambda said: said.assignment),
    "bid_match": bid_match, "closed_ballot": closed_ballot, "two_checkpoints": two_checkpoints, "two_entries": two_entries,
    "broken_word": broken_word, "lone_entry": lone_entry, "broken_link": broken_link, "window": window,
    "two_logs": two_logs,
}
