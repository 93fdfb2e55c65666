"""Chapter 02: canonical bytes, numbers, digests; and the text forms of chapter 01."""

import base64
import functools
import math
import re
import struct

from blake3 import blake3
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError

from .schema import MESSAGES


class Refused(Exception):
    """An input that the specification tells a reader to refuse."""


def require(condition, reason):
    if not condition:
        raise Refused(reason)


# ---- messages (BYTES-1 to BYTES-4) ------------------------------------------------------------------------------------

# Where the schema says that absence is meant.
MAY_BE_UNSPECIFIED = {"symphony.log.v1.RevealReceived.checker"}
MAY_BE_ABSENT = {"symphony.statement.v1.Beacon.own_bid", "symphony.state.v1.PolicyState.shared",
                 "symphony.state.v1.BucketMeasures.change"}


@functools.cache
def parts(descriptor):
    """Of a message: its enumerations with their numbers, its oneofs, its required messages, all its messages."""
    fields = descriptor.fields
    enums = [(f, {v.number for v in f.enum_type.values if v.number or f.full_name in MAY_BE_UNSPECIFIED})
             for f in fields if f.type == FieldDescriptor.TYPE_ENUM]
    oneofs = [oneof.name for oneof in descriptor.oneofs if not oneof.name.startswith("_")]
    inner = [f for f in fields if f.type == FieldDescriptor.TYPE_MESSAGE]
    required = [f.name for f in inner if not f.is_repeated and not f.containing_oneof
                and f.full_name not in MAY_BE_ABSENT]
    return enums, oneofs, required, inner


def children(message, field):
    if field.is_repeated:
        return getattr(message, field.name)
    return [getattr(message, field.name)] if message.HasField(field.name) else []


def check_listed(message):
    """BYTES-4: nothing unspecified, unlisted or unset."""
    enums, oneofs, required, inner = parts(message.DESCRIPTOR)
    for field, numbers in enums:
        values = getattr(message, field.name)
        require(all(v in numbers for v in (values if field.is_repeated else [values])), f"{field.name} {values}")
    for name in oneofs:
        require(message.WhichOneof(name), f"{name} is not set")
    for name in required:
        require(message.HasField(name), f"{name} is missing")
    for field in inner:
        for child in children(message, field):
            check_listed(child)


def canonical(message):
    return message.SerializeToString(deterministic=True)


def decode(kind, data, size_max):
    """The message of the name `kind` whose one encoding is `data`, with everything that must be there."""
    message = decode_bytes(kind, data, size_max)
    check_listed(message)
    return message


def decode_bytes(kind, data, size_max):
    """BYTES-1 to BYTES-3 alone."""
    require(len(data) <= size_max, f"{len(data)} bytes, at most {size_max}")
    message = MESSAGES[kind]()
    try:
        message.ParseFromString(data)
    except DecodeError as error:
        raise Refused(f"no encoding of {kind}") from error
    message.DiscardUnknownFields()  # the library would keep them, and write them out again
    require(canonical(message) == data, f"not the canonical {kind}")
    return message


# ---- numbers (BYTES-6, BYTES-7) ---------------------------------------------------------------------------------------


def pack(number):
    return struct.pack(">d", number + 0.0)  # −0 + 0 is +0


def unpack(data):
    require(len(data) == 8, f"{len(data)} bytes are no number")
    (number,) = struct.unpack(">d", data)
    require(math.isfinite(number) and data != b"\x80" + bytes(7), f"{data.hex()} is no number")
    return number


def pack_all(numbers):
    return b"".join(map(pack, numbers))


def unpack_all(data, count):
    require(len(data) == 8 * count, f"{len(data)} bytes are not {count} numbers")
    return [unpack(data[place : place + 8]) for place in range(0, len(data), 8)]


# ---- digests (BYTES-9 to BYTES-11) --------------------------------------------------------------------------------------


def u32(number):
    return number.to_bytes(4, "big")


def u64(number):
    return number.to_bytes(8, "big")


def hasher(domain, data):
    return blake3(data, derive_key_context="symphony/v1 " + domain)


def H(domain, data):
    return hasher(domain, data).digest()


def HP(domain, pieces):
    return H(domain, b"".join(u64(len(piece)) + piece for piece in pieces))


def HK(domain, key, data):
    context = b"symphony/v1 " + domain.encode()
    return blake3(u64(len(context)) + context + data, key=key).digest()


# ---- text (CONV-2, CONV-3) --------------------------------------------------------------------------------------------


def unhex(text, size):
    require(re.fullmatch("[0-9a-f]*", text) and len(text) == 2 * size, f"{text!r} is not {size} bytes")
    return bytes.fromhex(text)


def unbase64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Refused(f"{text!r} is not base64") from error
    require(base64.b64encode(data).decode() == text, f"{text!r} is not the one base64 form")
    return data
