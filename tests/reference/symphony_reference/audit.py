"""Chapter 12: verdicts on files, and several logs compared with each other. The output is that of `symphony audit --json`."""

import dataclasses
import pathlib

from .encoding import H, Refused, canonical, require
from .keys import text_of
from .notes import read_checkpoint
from .replay import RULES, Fault, Replay, Unusable, read_genesis
from .symlog import read_file
from .tree import Tree

EXIT_CODES = {"clean": 0, "unusable": 2, "exposed": 3, "suspected": 4}
GRAVITY = ("exposed", "unusable", "suspected", "clean")


@dataclasses.dataclass
class Audited:
    """One file, and what was found in it."""

    file: str
    log: bytes = None
    peer: bytes = None
    entries: list = dataclasses.field(default_factory=list)
    applied: list = dataclasses.field(default_factory=list)
    replay: Replay = None
    root: bytes = None
    checkpoint: object = None
    checkpoint_fits: bool = False
    fault: Fault = None
    signed: bool = False
    unusable: str = None

    def covers(self, index):
        """Whether the author's signature is over this entry of the file."""
        return self.checkpoint_fits and index < self.checkpoint.size

    def hold_against(self, fault, signed):
        if self.fault is None:
            self.fault, self.signed = fault, signed


def audit_file(path, network=None):
    """REPLAY-13, for one file; never raises on anything that a file may hold."""
    one = Audited(str(path))
    try:
        file = read_file(pathlib.Path(path).read_bytes())
        header, one.entries = file.header, file.entries
        require(one.entries, "no entry 0")
        genesis = read_genesis(one.entries[0], network).genesis
        one.log, one.peer = H("log-id", one.entries[0]), genesis.log_key
        require((header.network_id, header.log_id, header.log_key, header.params) == (
            genesis.network_id, one.log, one.peer, canonical(genesis.params)), "the header is not that of its entries")
        if header.checkpoint:
            one.checkpoint = read_checkpoint(header.checkpoint, one.peer)
            require((one.checkpoint.network, one.checkpoint.log) == (genesis.network_id, one.log), "another log's checkpoint")
        replay_file(one)
    except (Refused, Unusable, OSError) as error:
        one.unusable, one.fault = str(error), None
    return one


def replay_file(one):
    one.replay, tree = Replay(one.entries[0]), Tree()
    for index, data in enumerate(one.entries):
        if index and not one.fault:
            try:
                one.applied.append(one.replay.push(data))
            except Fault as fault:
                one.fault = fault
        tree.append(data)
        if one.checkpoint and one.checkpoint.size == index + 1:
            require(tree.root() == one.checkpoint.root, "the entries are not those that the author signed")
            one.checkpoint_fits = True
            reached = one.replay.root()
            if not one.fault and reached != one.checkpoint.state_root:
                one.fault = Fault("REPLAY-42", reached.hex(), one.checkpoint.state_root.hex(), one.peer)
                one.fault.log, one.fault.entry = one.log, index
    one.root = one.replay.root()
    one.signed = bool(one.fault) and one.covers(one.fault.entry)


# ---- several logs (REPLAY-14) -----------------------------------------------------------------------------------------


def words(audited):
    """What signers said of places in logs: signer, log, index, name of a statement, whether as issued."""
    for one in audited:
        for applied in one.applied:
            if applied.kind.endswith("_received"):
                yield word_of(*applied.statement)
            if applied.beacon:
                beside = applied.beacon
                yield word_of(beside.author, beside.kind, beside.payload, beside.name)


def word_of(author, kind, payload, name):
    """Of a statement: who says that which log has at which index a statement of which name, as issued or as received."""
    place = payload.origin
    if kind == "Acknowledgement":
        return author, place.log_id, place.index, payload.statement, False
    return author, place.log_id, place.index, name, True


def compare(audited):
    """Holds against each log what words elsewhere, and other copies, show of it."""
    for signer, log, index, name, issued in words(audited):
        for one in audited:
            if one.unusable or one.log != log or one.peer != signer or not index < one.replay.size:
                continue
            if not (index and one.applied[index - 1].holds(name, issued)):
                fault = Fault("REPLAY-45", name.hex(), "another entry", one.peer)
                fault.log, fault.entry = log, index
                one.hold_against(fault, one.covers(index))
    for number, one in enumerate(audited):
        for other in audited[:number]:
            if one.unusable or other.unusable or one.log != other.log:
                continue
            differ = next((i for i, (a, b) in enumerate(zip(one.entries, other.entries)) if a != b), None)
            if differ is not None and one.covers(differ) and other.covers(differ):
                fault = Fault("REPLAY-46", "one entry", "another one", one.peer)
                fault.log, fault.entry = one.log, differ
                one.hold_against(fault, True)
                other.hold_against(fault, True)


def audit(paths, alone=False):
    """The audit of files together, or of each for itself: the objects to print, and the exit code."""
    if alone:
        results = [audit([path]) for path in paths]
        verdicts = [one["verdict"] for objects, _ in results for one in objects]
        objects = [one for objects, _ in results for one in objects]
    else:
        audited = []
        for path in paths:
            network = next((one.replay.network for one in audited if not one.unusable), None)
            audited.append(audit_file(path, network))
        usable = [one for one in audited if not one.unusable]
        others = {}
        for finding in [finding for one in usable for applied in one.applied for finding in applied.findings]:
            accused = [one for one in usable if one.peer == finding.peer]
            for one in accused:
                one.hold_against(finding, True)
            if not accused:
                others.setdefault(finding.peer, finding)
        compare(usable)
        objects = [describe(one) for one in audited] + [describe(Audited(None, peer=peer, fault=fault, signed=True))
                                                        for peer, fault in others.items()]
        verdicts = [one["verdict"] for one in objects]
    return objects, EXIT_CODES[min(verdicts, key=GRAVITY.index, default="clean")]


def describe(one):
    """docs/cli.md, "What an audit prints"."""
    replay, checkpoint, fault = one.replay if not one.unusable else None, one.checkpoint, one.fault
    counters = replay.map.get("counters") if replay else None
    size = replay.size if replay else 0
    lacking = checkpoint and not one.unusable and checkpoint.size > len(one.entries)
    verdict = "unusable" if one.unusable else "exposed" if fault else "suspected" if lacking else "clean"
    reason = one.unusable if one.unusable else "its author signed for more entries" if verdict == "suspected" else None
    return {
        "peer": text_of(one.peer) if one.peer else None, "log": one.log.hex() if one.log else None, "file": one.file,
        "verdict": verdict, "entries": size, "selections": counters.selections if counters else 0,
        "settlements": counters.settlements if counters else 0, "void": counters.void_settlements if counters else 0,
        "timeouts": counters.timeouts if counters else 0, "state_root": one.root.hex() if replay else None,
        "claimed_state_root": checkpoint.state_root.hex() if checkpoint else None,
        "checkpoint_size": checkpoint.size if checkpoint else None,
        "fault": fault and {
            "peer": text_of(fault.peer), "rule": fault.rule, "name": RULES[fault.rule], "log": fault.log.hex(),
            "entry": fault.entry, "expected": str(fault.expected), "found": str(fault.found), "signed": one.signed,
        },
        "reason": reason,
    }
