"""Chapter 17: whose cosignatures make a checkpoint witnessed (C2SP tlog-policy), and what a witness answers (tlog-witness)."""

import dataclasses
import re

from .encoding import Refused, require, unbase64
from .keys import key_is_acceptable
from .notes import CHECKPOINT_SIZE_MAX, cosigned_at, key_id, name_is_acceptable, parse_checkpoint, parse_note, read_note
from .tree import SIZE_MAX, check_consistency

LOG, WITNESS = b"\x01", b"\x04"


@dataclasses.dataclass
class Policy:
    logs: dict  # public key: origin
    members: dict  # name: (witness' name and key), or (number, names) of a group
    quorum: str


def verifier_key(text, kind):
    """WITNESS-1: name and public key of `name+id+base64`."""
    name, identifier, encoded = (text.split("+", 2) + ["", ""])[:3]
    content = unbase64(encoded)
    require(name_is_acceptable(name) and content[:1] == kind and key_is_acceptable(content[1:]), "no verifier key")
    require(identifier == key_id(name, content[1:], kind).hex(), "another key id")
    return name, content[1:]


def read_policy(data):
    """WITNESS-9."""
    require(not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", data) and (not data or data.endswith(b"\n")), "characters, or the end")
    logs, members, witnesses, used, quorum = {}, {}, set(), set(), None

    def add(name, member):
        require(name != "none" and name not in members, "a name twice")
        members[name] = member

    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        words = re.findall("[^ \t]+", line)
        if not words or words[0].startswith("#"):
            continue
        keyword, *rest = words
        if keyword == "log" and len(rest) in (1, 2):
            name, key = verifier_key(rest[0], LOG)
            require(key not in logs, "a key twice")
            logs[key] = name
        elif keyword == "witness" and len(rest) in (2, 3):
            name, key = verifier_key(rest[1], WITNESS)
            require(key not in witnesses, "a key twice")
            witnesses.add(key)
            add(rest[0], (name, key))
        elif keyword == "group" and len(rest) >= 3:
            name, number, *names = rest
            require(all(one in members and one not in used for one in names) and len(set(names)) == len(names), "members")
            require(re.fullmatch("any|all|[1-9][0-9]{0,5}", number), "number")
            number = {"any": 1, "all": len(names)}.get(number) or int(number)
            require(number <= len(names), "number")
            used.update(names)
            add(name, (number, names))
        elif keyword == "quorum" and len(rest) == 1:
            require(quorum is None and (rest[0] == "none" or rest[0] in members), "quorum")
            quorum = rest[0]
        else:
            raise Refused(f"line {line!r}")
    require(quorum is not None, "no quorum")
    return Policy(logs, members, quorum)


def witnesses_of(policy, note, log_key):
    """WITNESS-10: the names of the witnesses that cosigned, if they make the checkpoint witnessed."""
    origin = parse_note(note)[0].split("\n")[0]
    require(not policy.logs or policy.logs.get(log_key) == origin, "an unknown log")
    read_note(note, origin, log_key)
    cosigned = []

    def has(name):
        if name == "none":
            return True
        kind, content = policy.members[name]
        return name in cosigned if isinstance(kind, str) else sum(map(has, content)) >= kind

    for name, (kind, content) in policy.members.items():
        if isinstance(kind, str):
            try:
                cosigned_at(note, kind, content)
                cosigned.append(name)
            except Refused:
                pass
    require(has(policy.quorum), "not witnessed")
    return cosigned


# ---- what a witness answers (WITNESS-4, WITNESS-5) --------------------------------------------------------------------

REQUEST_SIZE_MAX = 19_245
HASHES_MAX = 63


def read_request(body):
    """WITNESS-4: old size, hashes, note, and its checkpoint if it is under an origin of this protocol."""
    require(len(body) <= REQUEST_SIZE_MAX, "too large")
    head, mark, note = body.partition(b"\n\n")
    old, *lines = head.decode("utf-8", "replace").split("\n")
    require(mark and re.fullmatch("old (0|[1-9][0-9]{0,18})", old) and int(old[4:]) <= SIZE_MAX, "no old size")
    require(len(lines) <= HASHES_MAX and len(note) <= CHECKPOINT_SIZE_MAX, "too much")
    hashes = [unbase64(line) for line in lines]
    require(all(len(one) == 32 for one in hashes), "no hash")
    text = parse_note(note)[0]
    origin = text.split("\n")[0]
    return int(old[4:]), hashes, note, origin, parse_checkpoint(text) if origin.startswith("symphony/v1/") else None


def judge(body, log_key, latest, entries_root=None):
    """WITNESS-5: the status, and the checkpoint. `log_key` is None for an origin that the witness does not know."""
    try:
        old, hashes, note, origin, checkpoint = read_request(body)
    except Refused:
        return 400, None
    if checkpoint is None or log_key is None:
        return 404, None
    try:
        read_note(note, origin, log_key)
    except Refused:
        return 403, checkpoint
    if old > checkpoint.size:
        return 400, checkpoint
    if old != latest[0] or checkpoint.size == latest[0] and checkpoint.root != latest[1]:
        return 409, checkpoint
    try:
        check_consistency(*latest, checkpoint.size, checkpoint.root, hashes)
    except Refused:
        return 422, checkpoint
    return (200 if entries_root in (None, checkpoint.root) else 409), checkpoint
