"""Chapter 15: the file of a log."""

import dataclasses

from .encoding import H, Refused, decode, require, u64
from .keys import key_is_acceptable

MAGIC = b"symlog\x00\x01"
HEADER_SIZE_MAX = 131_328


class Damaged(Refused):
    """A changed, missing or added byte; with the index of the entry if it lies in an entry's frame."""

    def __init__(self, reason, entry=None):
        super().__init__(reason if entry is None else f"{reason} at entry {entry}")
        self.entry = entry


@dataclasses.dataclass
class LogFile:
    header: object
    entries: list


class Reader:
    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, size, what, entry=None):
        if self.place + size > len(self.data):
            raise Damaged(f"the file ends in {what}", entry)
        self.place += size
        return self.data[self.place - size : self.place]

    def frame(self, place, size_max, what, entry=None):
        size = int.from_bytes(self.take(4, what, entry), "big")
        if size > size_max:
            raise Damaged(f"{what} of {size} bytes", entry)
        check, data = self.take(16, what, entry), self.take(size, what, entry)
        if check != H("export", b"frame" + u64(place) + data)[:16]:
            raise Damaged(f"{what} is damaged", entry)
        return data


def read_file(data):
    """STORE-20 to STORE-22."""
    reader = Reader(data)
    require(data[:8] == MAGIC, "not a symlog file of version 1")
    reader.place = 8
    header = decode("ExportHeader", reader.frame(2**64 - 1, HEADER_SIZE_MAX, "the header"), HEADER_SIZE_MAX)
    require(len(header.network_id) == 32 and len(header.log_id) == 32 and key_is_acceptable(header.log_key), "header")
    require(len(header.params) <= 65_536 and len(header.checkpoint) <= 65_536, "header: too large a field")
    entries = []
    while len(entries) < header.size:
        index = len(entries)
        entries.append(reader.frame(index, 2**32, "an entry", index))
    content = H("export", b"content" + data[: reader.place])
    if reader.take(32, "the trailer") != content or reader.place != len(data):
        raise Damaged("the trailer is damaged, or bytes stand behind it")
    return LogFile(header, entries)
