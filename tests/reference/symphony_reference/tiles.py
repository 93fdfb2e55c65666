"""Chapter 17: how a log is published as tiles (C2SP tlog-tiles)."""

import re

from .encoding import require
from .records import ENTRY_SIZE_MAX
from .tree import leaf, node

PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def parse_path(path):
    """TILE-1: "entries" or the level, the index, and the width of a tile's name."""
    found = PATH.fullmatch(path)
    require(found, "no name of a tile")
    kind, groups, width = found.groups()
    digits = groups.replace("x", "").replace("/", "")
    require(len(digits) == 3 or not digits.startswith("000"), "more groups than the index needs")
    require(int(digits) < 2**64 and (kind == "entries" or int(kind) < 64) and int(width or 1) < 256, "out of range")
    return kind, int(digits), int(width or 256)


def read_bundle(data, width):
    """TILE-4, TILE-5: the entries of a bundle."""
    entries, place = [], 0
    while place < len(data):
        size = int.from_bytes(data[place : place + 2], "big")
        require(place + 2 + size <= len(data) and size <= ENTRY_SIZE_MAX, "truncated, or too large an entry")
        entries.append(data[place + 2 : place + 2 + size])
        place += 2 + size
    require(len(entries) == width, f"{len(entries)} entries, not {width}")
    return entries


def tile(entries, level, index, width):
    """TILE-2, TILE-3: the hashes of a tile of the tree over these entries."""
    require(256 ** level <= len(entries), "no such level")
    hashes = [leaf(entry) for entry in entries]
    for _ in range(8 * level):
        hashes = [node(left, right) for left, right in zip(hashes[::2], hashes[1::2])]
    require(256 * index + width <= len(hashes), "beyond the tree")
    return b"".join(hashes[256 * index : 256 * index + width])
