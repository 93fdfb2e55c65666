"""Chapter 04, signed notes and checkpoints; of 17, cosignatures."""

import base64
import dataclasses
import hashlib
import re

from .encoding import Refused, require, unbase64, unhex
from .keys import signature_holds
from .tree import SIZE_MAX

NOTE_SIZE_MAX = 131_072
CHECKPOINT_SIZE_MAX = 16_384
LINES_MAX = 100
# Unicode's White_Space (a note's text has none below 0x20 but the newline).
WHITE = re.compile("[\x09-\x0d\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


def name_is_acceptable(name):
    return 1 <= len(name.encode()) <= 256 and "+" not in name and not WHITE.search(name) and not CONTROL.search(name)


def key_id(name, key, kind=b"\x01"):
    """LOG-17; of a witness, WITNESS-1."""
    return hashlib.sha256(name.encode() + b"\x0a" + kind + key).digest()[:4]


def parse_note(data):
    """LOG-14 to LOG-16: the text, and name and content of each signature line."""
    require(len(data) <= NOTE_SIZE_MAX, "too large")
    try:
        note = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("not UTF-8") from error
    require(not re.search("[\x00-\x09\x0b-\x1f]", note), "a control character")
    text, _, lines = note.rpartition("\n\n")
    require(text and lines.endswith("\n"), "no text, or no signatures")
    signatures, lines = [], lines.removesuffix("\n").split("\n")
    require(len(lines) <= LINES_MAX, "too many signature lines")
    for line in lines:
        dash, signer, encoded = (line.split(" ") + ["", ""])[:3]
        require(line == f"— {signer} {encoded}" and name_is_acceptable(signer), "no signature line")
        signatures.append((signer, unbase64(encoded)))
        require(len(signatures[-1][1]) > 4, "no signature behind the key id")
    return text + "\n", signatures


def signatures_of(signatures, name, identifier):
    return [content[4:] for signer, content in signatures if signer == name and content[:4] == identifier]


def read_note(data, name, key):
    """LOG-18: the text of a note that `key` signed under `name`."""
    text, lines = parse_note(data)
    signatures = signatures_of(lines, name, key_id(name, key))
    require(signatures, f"not signed under {name}")
    require(all(signature_holds(key, text.encode(), s) for s in signatures), "a signature does not hold")
    return text


def cosigned_at(data, name, key):
    """WITNESS-1 to WITNESS-3: the latest time, in seconds, at which a witness cosigned."""
    text, lines = parse_note(data)
    times = []
    for content in signatures_of(lines, name, key_id(name, key, b"\x04")):
        time = int.from_bytes(content[:8], "big")
        message = f"cosignature/v1\ntime {time}\n{text}".encode()
        if len(content) == 72 and time < 2**63 and signature_holds(key, message, content[8:]):
            times.append(time)
    require(times, "not cosigned")
    return max(times)


def write_note(text, name, key, signature):
    """The note with one line; for vectors."""
    return f"{text}\n— {name} {base64.b64encode(key_id(name, key) + signature).decode()}\n".encode()


@dataclasses.dataclass
class Checkpoint:
    network: bytes
    log: bytes
    size: int
    root: bytes
    state_root: bytes


def read_checkpoint(data, key):
    """LOG-19 to LOG-25."""
    require(len(data) <= CHECKPOINT_SIZE_MAX, "too large")
    name = data.split(b"\n", 1)[0].decode("utf-8", "replace")
    return parse_checkpoint(read_note(data, name, key))


def parse_checkpoint(text):
    """LOG-19 to LOG-23: what the text of a checkpoint says."""
    lines = text.split("\n")
    require(len(lines) == 5 and not lines[4], "not four lines")
    origin = lines[0].split("/")
    require(len(origin) == 4 and origin[:2] == ["symphony", "v1"], "another origin")
    size = lines[1]
    require(re.fullmatch("[1-9][0-9]{0,18}", size) and int(size) <= SIZE_MAX, f"no size: {size!r}")
    root = unbase64(lines[2])
    require(len(root) == 32 and lines[3].startswith("state "), "no root, or no state root")
    state_root = unhex(lines[3].removeprefix("state "), 32)
    return Checkpoint(unhex(origin[2], 32), unhex(origin[3], 32), int(size), root, state_root)
