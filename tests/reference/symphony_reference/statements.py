"""Chapter 03, statements: the signed envelope, and names of statements."""

import dataclasses

from .encoding import HP, H, decode, require, u32
from .keys import key_is_acceptable, signature_holds, signing_bytes
from .records import KIND_OF_TYPE, PAYLOADS, read_payload

SIZE_MAX = 65_536  # KEYS-12


def name(kind, payload):
    """CAP-5: the digest by which everything names a statement."""
    number = u32(kind if isinstance(kind, int) else PAYLOADS[kind][0])
    return HP("payload", [number, payload])


@dataclasses.dataclass
class Statement:
    """A statement whose signature holds. `payload` is a message."""

    author: bytes
    kind: str
    payload: object
    name: bytes


def open_envelope(data, network):
    """KEYS-8 to KEYS-14: the envelope of a statement of this network."""
    envelope = decode("Statement", data, SIZE_MAX)
    require(len(envelope.network_id) == 32, "network id")
    require(key_is_acceptable(envelope.author), "author")
    require(len(envelope.signature) == 64, "signature's size")
    require(envelope.network_id == network, "another network")
    message = signing_bytes(network, envelope.type, name(envelope.type, envelope.payload))
    require(signature_holds(envelope.author, message, envelope.signature), "the signature does not hold")
    return envelope


def envelope_digest(data):
    """KEYS-11."""
    return H("statement", data)


def read_statement(data, network, kind):
    """A statement of this network and kind, its payload in range."""
    statement = read_known(data, network)
    require(statement.kind == kind, f"a {statement.kind}, not a {kind}")
    return statement


def read_known(data, network):
    """A statement of this network, of any kind with an origin, its payload in range."""
    envelope = open_envelope(data, network)
    kind = KIND_OF_TYPE.get(envelope.type)
    require(kind not in (None, "Challenge", "Retirement"), f"a statement of type {envelope.type}")
    return Statement(envelope.author, kind, read_payload(kind, envelope.payload), name(kind, envelope.payload))
