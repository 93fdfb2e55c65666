"""Chapter 03, keys: which Ed25519 keys and signatures are accepted.

libsodium (PyNaCl) refuses nothing that KEYS-5 accepts, but nothing says that every release of it compares without cofactor. Its
word counts only where both equations are one: when R and key lie in the subgroup of prime order. The rest is computed here, with
whole numbers.
"""

import functools
import hashlib

from nacl import bindings
from nacl.exceptions import BadSignatureError

from .encoding import HP, require, u32

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
IDENTITY = (0, 1)


def add(a, b):
    """The sum of two points of edwards25519 (RFC 8032 §5.1)."""
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2
    return ((x1 * y2 + x2 * y1) * pow(1 + product, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P)


def times(number, point):
    total = IDENTITY
    while number:
        if number & 1:
            total = add(total, point)
        point, number = add(point, point), number >> 1
    return total


def encode(point):
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def point_of(data):
    """The point that 32 bytes encode in canonical form, or None."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & 2**255 - 1
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return ((x if x & 1 == sign else P - x), y)


BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


@functools.lru_cache(1 << 16)
def key_is_acceptable(key):
    """KEYS-2."""
    if len(key) != 32:
        return False
    if bindings.crypto_core_ed25519_is_valid_point(key):  # canonical, and in the subgroup of prime order
        return True
    point = point_of(key)
    return point is not None and times(8, point) != IDENTITY


@functools.lru_cache(1 << 16)
def in_prime_subgroup(data):
    return bool(bindings.crypto_core_ed25519_is_valid_point(data))


def signature_holds(key, message, signature):
    """KEYS-5."""
    if len(signature) != 64 or not key_is_acceptable(key):
        return False
    try:
        bindings.crypto_sign_open(signature + message, key)
    except BadSignatureError:
        return False
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    return (in_prime_subgroup(key) and in_prime_subgroup(r)) or equation_holds(key, message, r, s)


def equation_holds(key, message, r, s):
    """KEYS-5 in full, as written there."""
    point = point_of(r)
    if s >= L or point is None or times(8, point) == IDENTITY:
        return False
    h = int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L
    x, y = times(h, point_of(key))
    return encode(add(times(s, BASE), (-x % P, y))) == r


def sign(seed, message):
    """KEYS-4; for vectors."""
    _, secret = bindings.crypto_sign_seed_keypair(seed)
    return bindings.crypto_sign(message, secret)[:64]


# ---- the text form (KEYS-3) -------------------------------------------------------------------------------------------

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
PREFIX = b"\xed\x01"


def text_of(key):
    number, text = int.from_bytes(PREFIX + key, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = ALPHABET[digit] + text
    return "did:key:z" + text


def key_of(text):
    require(text.startswith("did:key:z") and len(text) < 100, "not a did:key")
    number = 0
    for letter in text.removeprefix("did:key:z"):
        require(letter in ALPHABET, "not base58")
        number = number * 58 + ALPHABET.index(letter)
    require(number < 1 << 272, "too long")
    key = number.to_bytes(34, "big")[2:]
    require(text_of(key) == text and key_is_acceptable(key), "not the text of a key")
    return key


# ---- the binding of the three keys (KEYS-6, KEYS-7) -------------------------------------------------------------------


def signing_bytes(network, kind, digest):
    """What KEYS-6 (kind 0) and KEYS-10 sign."""
    return b"\xffsymphony/v1\x00" + network + u32(kind) + digest


def check_binding(network, keys, signatures):
    """`keys` and `signatures` in the order log, transport, witness."""
    require(len(set(keys)) == 3, "two keys are equal")
    message = signing_bytes(network, 0, HP("key-binding", keys))
    for key, signature in zip(keys, signatures, strict=True):
        require(signature_holds(key, message, signature), "a key did not sign the binding")
