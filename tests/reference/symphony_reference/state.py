"""Chapter 11: the state as a map, its root, and proofs for single keys; of 16, maps of which only a part is known."""

from .encoding import H, canonical, require

EMPTY = bytes(32)


class NotOpen(Exception):
    """EVIDENCE-12: what a rule reads, or a root needs, is not in the part that is known."""


# ---- the tree (STATE-2 to STATE-4) ------------------------------------------------------------------------------------
# A subtree is None (no key), a tuple (place, digest of the value) for one key, an Inner, or bytes: a digest of which no more
# is known.


class Inner:
    __slots__ = ("digest", "halves")

    def __init__(self, left, right):
        self.halves, self.digest = (left, right), None


def bit(place, depth):
    return place[depth // 8] >> (7 - depth % 8) & 1


def leaf(place, value_digest):
    return H("state-leaf", place + value_digest)


def digest_of(subtree):
    if subtree is None:
        return EMPTY
    if isinstance(subtree, bytes):
        return subtree
    if isinstance(subtree, tuple):
        return leaf(*subtree)
    if subtree.digest is None:
        subtree.digest = H("state-node", b"".join(map(digest_of, subtree.halves)))
    return subtree.digest


def with_half(subtree, side, half):
    return Inner(*((half, subtree.halves[1]) if side == 0 else (subtree.halves[0], half)))


def inserted(subtree, place, value_digest, depth=0):
    if isinstance(subtree, bytes):
        raise NotOpen("a change below a hidden node")
    if subtree is None or isinstance(subtree, tuple) and subtree[0] == place:
        return place, value_digest
    side = bit(place, depth)
    if isinstance(subtree, tuple):
        subtree = Inner(None, subtree) if bit(subtree[0], depth) else Inner(subtree, None)
    return with_half(subtree, side, inserted(subtree.halves[side], place, value_digest, depth + 1))


def removed(subtree, place, depth=0):
    if isinstance(subtree, bytes):
        raise NotOpen("a change below a hidden node")
    if subtree is None or isinstance(subtree, tuple):
        return None if subtree is None or subtree[0] == place else subtree
    side = bit(place, depth)
    half, other = removed(subtree.halves[side], place, depth + 1), subtree.halves[1 - side]
    if half is subtree.halves[side]:
        return subtree
    if half is None and isinstance(other, bytes):
        raise NotOpen("whether a hidden node is a leaf")
    if half is None and isinstance(other, tuple):
        return other
    if other is None and (half is None or isinstance(half, tuple)):
        return half
    return with_half(subtree, side, half)


DEPTH_MAX = 256


def subtree(nodes, depth, prefix, leaves):
    node = next(nodes, None)
    require(node is not None and depth <= DEPTH_MAX, "nodes are missing, or too deep")
    kind = node.WhichOneof("node")
    if kind == "empty":
        return None
    if kind == "hidden":
        require(len(node.hidden) == 32, "digest")
        return node.hidden
    if kind == "inner":
        require(depth < DEPTH_MAX, "too deep")
        return Inner(*(subtree(nodes, depth + 1, prefix << 1 | side, leaves) for side in (0, 1)))
    if kind == "hidden_leaf":
        place, value = node.hidden_leaf.place, node.hidden_leaf.value
    else:
        place, value = H("state-key", node.leaf.key), H("state-value", node.leaf.value)
        leaves.append(node.leaf)
    require(len(place) == len(value) == 32, "digests")
    require(int.from_bytes(place, "big") >> (256 - depth) == prefix, "a leaf out of its place")
    return place, value


def root_of(content):
    """The root of a map from keys to values, both bytes."""
    tree = None
    for key, value in content.items():
        tree = inserted(tree, H("state-key", key), H("state-value", value))
    return digest_of(tree)


# ---- the map -----------------------------------------------------------------------------------------------------------


class StateMap:
    """Messages of `symphony.state.v1` under their keys (REPLAY-2). Changes count from `commit` on, or never."""

    def __init__(self, part=None):
        self.tables, self.old, self.changed = {}, {}, set()
        # What a partial map began with; nothing else is known of it but what was changed since.
        self.partial, self.began, self.tree, self.late = part is not None, part, part, set()

    def table(self, name):
        """What is kept under one prefix, by the rest of the key; of a partial map, what is known of it."""
        return self.tables.setdefault(name, {})

    def get(self, name, rest=b""):
        held = self.table(name).get(rest)
        if held is None and self.partial and (name, rest) not in self.changed:
            self.check_absent(name, rest)
        return held

    def check_absent(self, name, rest):
        """EVIDENCE-12: a key without a value must be known to have none."""
        listed = {"task/": "open_tasks", "beacon/": "open_beacons"}.get(name)
        clock = self.table("clock")[b""]
        if listed and int.from_bytes(rest, "big") not in getattr(clock, listed):
            return
        place, subtree, depth = H("state-key", name.encode() + rest), self.began, 0
        while isinstance(subtree, Inner):
            subtree, depth = subtree.halves[bit(place, depth)], depth + 1
        if isinstance(subtree, bytes) or subtree is not None and subtree[0] == place:
            raise NotOpen(name)

    def put(self, name, rest, message):
        self.remember(name, rest)
        self.table(name)[rest] = message
        return message

    def edit(self, name, rest=b""):
        """A copy, which takes the place of what is there."""
        if (name, rest) in self.old:
            return self.table(name)[rest]
        held = self.get(name, rest)
        copy = type(held)()
        copy.CopyFrom(held)
        return self.put(name, rest, copy)

    def remove(self, name, rest):
        self.get(name, rest)  # a removal is a look-up (EVIDENCE-12)
        self.remember(name, rest)
        self.table(name).pop(rest, None)

    def remember(self, name, rest):
        self.old.setdefault((name, rest), self.table(name).get(rest))
        self.changed.add((name, rest))

    def commit(self):
        self.late.update(self.old)
        self.old = {}

    def undo(self):
        for (name, rest), message in self.old.items():
            if message is None:
                self.table(name).pop(rest, None)
            else:
                self.table(name)[rest] = message
        self.old = {}

    def root(self):
        """Of what was last committed. Values are set before keys are removed: so a part must show no more than the result needs."""
        gone = []
        for name, rest in self.late:
            place, message = H("state-key", name.encode() + rest), self.old.get((name, rest), self.table(name).get(rest))
            if message is None:
                gone.append(place)
            else:
                self.tree = inserted(self.tree, place, H("state-value", canonical(message)))
        for place in gone:
            self.tree = removed(self.tree, place)
        self.late = set()
        return digest_of(self.tree)


def check_proof(root, key, value, siblings, terminal):
    """STATE-6: under `root`, `key` has `value`, or none where that is None. `terminal` is (place, value digest) or None."""
    require(len(siblings) <= 256, "too long")
    place = H("state-key", key)
    if value is not None:
        require(terminal == (place, H("state-value", value)), "another value")
    elif terminal is not None:
        agree = 256 - (int.from_bytes(place, "big") ^ int.from_bytes(terminal[0], "big")).bit_length()
        require(terminal[0] != place and agree >= len(siblings), "not absent, or off the path")
    found = digest_of(terminal)
    for depth in reversed(range(len(siblings))):
        right = bit(place, depth)
        found = H("state-node", siblings[depth] + found if right else found + siblings[depth])
    require(found == root, "another root")
