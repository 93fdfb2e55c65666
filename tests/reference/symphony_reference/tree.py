"""Chapter 04, the Merkle tree: RFC 6962 with SHA-256, and its proofs."""

import hashlib

from .encoding import require

SIZE_MAX = 2**62  # LOG-13
EMPTY = hashlib.sha256(b"").digest()


def leaf(entry):
    return hashlib.sha256(b"\x00" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """LOG-7 and LOG-8, growing: keeps the complete subtrees of its size, largest first."""

    def __init__(self):
        self.size, self.frontier = 0, []

    def append(self, entry):
        hashed = leaf(entry)
        for _ in range((self.size ^ (self.size + 1)).bit_length() - 1):  # one for each trailing 1 bit of the index
            hashed = node(self.frontier.pop(), hashed)
        self.frontier.append(hashed)
        self.size += 1

    def root(self):
        if not self.frontier:
            return EMPTY
        *larger, root = self.frontier
        for left in reversed(larger):
            root = node(left, root)
        return root


def check_inclusion(leaf_hash, index, size, root, hashes):
    """LOG-11."""
    require(size <= SIZE_MAX and index < size, "index beyond size")
    inner = (index ^ (size - 1)).bit_length()
    require(len(hashes) == inner + (index >> inner).bit_count(), "wrong number of hashes")
    found = leaf_hash
    for place, other in enumerate(hashes):
        left = place >= inner or index >> place & 1
        found = node(other, found) if left else node(found, other)
    require(found == root, "another root")


def check_consistency(old_size, old_root, new_size, new_root, hashes):
    """LOG-12."""
    require(old_size <= new_size <= SIZE_MAX, "sizes")
    if old_size == 0 or old_size == new_size:
        require(not hashes and old_root == (new_root if old_size == new_size else EMPTY), "roots, or hashes too many")
        require(old_size or old_root == EMPTY, "the old root is not that of the empty tree")
        return
    shift = (old_size & -old_size).bit_length() - 1
    a, b = (old_size - 1) >> shift, (new_size - 1) >> shift
    inner, power = (a ^ b).bit_length(), old_size.bit_count() == 1
    require(len(hashes) == inner + (a >> inner).bit_count() + (0 if power else 1), "wrong number of hashes")
    start, rest = (old_root, hashes) if power else (hashes[0], hashes[1:])
    old = new = start
    for place, other in enumerate(rest):
        if place >= inner or a >> place & 1:
            old, new = node(other, old), node(other, new)
        else:
            new = node(new, other)
    require(old == old_root and new == new_root, "another root")
