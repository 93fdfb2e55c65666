"""Chapter 11: the state as a map, its root, and proofs for single keys."""

from bisect import bisect_left

from .encoding import H, canonical, require

EMPTY = bytes(32)


def leaf(place, value):
    return H("state-leaf", place + H("state-value", value))


def subtree(leaves, depth):
    """STATE-3, of (place, digest of the leaf) in ascending order."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaves[0][1]
    first = bytearray(leaves[0][0])  # the least place of the right half
    first[depth // 8 :] = bytes([first[depth // 8] & (0xFF00 >> depth % 8) | 0x80 >> depth % 8]).ljust(32 - depth // 8, b"\0")
    cut = bisect_left(leaves, (bytes(first), b""))
    return H("state-node", subtree(leaves[:cut], depth + 1) + subtree(leaves[cut:], depth + 1))


class StateMap:
    """Messages of `symphony.state.v1` under their keys (REPLAY-2). Changes count from `commit` on, or never."""

    def __init__(self):
        self.tables, self.leaves, self.old = {}, {}, {}

    def table(self, name):
        """What is kept under one prefix, by the rest of the key."""
        return self.tables.setdefault(name, {})

    def get(self, name, rest=b""):
        return self.table(name).get(rest)

    def put(self, name, rest, message):
        self.remember(name, rest)
        self.table(name)[rest] = message
        return message

    def edit(self, name, rest=b""):
        """A copy, which takes the place of what is there."""
        old = self.get(name, rest)
        if (name, rest) in self.old:
            return old
        copy = type(old)()
        copy.CopyFrom(old)
        return self.put(name, rest, copy)

    def remove(self, name, rest):
        self.remember(name, rest)
        self.table(name).pop(rest, None)

    def remember(self, name, rest):
        self.old.setdefault((name, rest), self.get(name, rest))

    def commit(self):
        for name, rest in self.old:
            message, place = self.get(name, rest), H("state-key", name.encode() + rest)
            if message is None:
                self.leaves.pop(place, None)
            else:
                self.leaves[place] = leaf(place, canonical(message))
        self.old = {}

    def undo(self):
        for (name, rest), message in self.old.items():
            if message is None:
                self.table(name).pop(rest, None)
            else:
                self.table(name)[rest] = message
        self.old = {}

    def root(self):
        """Of what was last committed."""
        return subtree(sorted(self.leaves.items()), 0)


def check_proof(root, key, value, siblings, terminal):
    """STATE-6: under `root`, `key` has `value`, or none where that is None. `terminal` is (place, value digest) or None."""
    require(len(siblings) <= 256, "too long")
    place = H("state-key", key)
    if value is not None:
        require(terminal == (place, H("state-value", value)), "another value")
    elif terminal is not None:
        agree = 256 - (int.from_bytes(place, "big") ^ int.from_bytes(terminal[0], "big")).bit_length()
        require(terminal[0] != place and agree >= len(siblings), "not absent, or off the path")
    found = EMPTY if terminal is None else H("state-leaf", terminal[0] + terminal[1])
    for depth in reversed(range(len(siblings))):
        right = place[depth // 8] >> (7 - depth % 8) & 1
        found = H("state-node", siblings[depth] + found if right else found + siblings[depth])
    require(found == root, "another root")
