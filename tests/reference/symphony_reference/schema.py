"""The messages of `proto/symphony`, as classes of the official protobuf package.

A small parser reads the .proto files themselves, so that the schema stands in one place. It knows what the schema may use
(BYTES-5): messages, enumerations, oneofs, `repeated`, `optional`, scalars; no maps, groups, extensions, options or services.
"""

import pathlib
import re

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "proto"
AREAS = ("params", "statement", "log", "state", "export", "private", "evidence")
Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {"uint32": Field.TYPE_UINT32, "uint64": Field.TYPE_UINT64, "bool": Field.TYPE_BOOL,
           "string": Field.TYPE_STRING, "bytes": Field.TYPE_BYTES, "int32": Field.TYPE_INT32, "int64": Field.TYPE_INT64}


class Parser:
    """One .proto file."""

    def __init__(self, path):
        text = re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        self.words = re.findall(r'"[^"]*"|[\w.]+|[{}=;]|\S', text)[::-1]
        self.file = descriptor_pb2.FileDescriptorProto(name=str(path.relative_to(FOLDER)), syntax="proto3")
        while self.words:
            self.top(self.words.pop())

    def take(self, *expected):
        for word in expected:
            found = self.words.pop()
            assert found == word, f"{self.file.name}: {word} expected, {found} found"

    def top(self, word):
        if word == "syntax":
            self.take("=", '"proto3"', ";")
        elif word == "package":
            self.file.package = self.words.pop()
            self.take(";")
        elif word == "import":
            self.file.dependency.append(self.words.pop().strip('"'))
            self.take(";")
        elif word == "message":
            self.message(self.file.message_type.add(name=self.words.pop()))
        elif word == "enum":
            self.enumeration(self.file.enum_type.add(name=self.words.pop()))
        else:
            raise AssertionError(f"{self.file.name}: {word} is not known here")

    def enumeration(self, into):
        self.take("{")
        while (word := self.words.pop()) != "}":
            self.take("=")
            into.value.add(name=word, number=int(self.words.pop()))
            self.take(";")

    def message(self, into):
        self.take("{")
        while (word := self.words.pop()) != "}":
            if word == "oneof":
                into.oneof_decl.add(name=self.words.pop())
                self.take("{")
                while (inner := self.words.pop()) != "}":
                    self.field(into, inner, Field.LABEL_OPTIONAL).oneof_index = len(into.oneof_decl) - 1
            elif word == "repeated":
                self.field(into, self.words.pop(), Field.LABEL_REPEATED)
            elif word == "optional":
                field = self.field(into, self.words.pop(), Field.LABEL_OPTIONAL)
                into.oneof_decl.add(name="_" + field.name)
                field.proto3_optional, field.oneof_index = True, len(into.oneof_decl) - 1
            else:
                self.field(into, word, Field.LABEL_OPTIONAL)

    def field(self, into, kind, label):
        field = into.field.add(name=self.words.pop(), label=label)
        self.take("=")
        field.number = int(self.words.pop())
        self.take(";")
        if kind in SCALARS:
            field.type = SCALARS[kind]
        else:
            field.type_name = kind  # resolved when all files are known
        return field


def load():
    """All message classes, by their names without packages."""
    files = [Parser(path).file for area in AREAS for path in sorted((FOLDER / "symphony" / area).rglob("*.proto"))]
    kinds = {}
    for file in files:
        kinds.update((f".{file.package}.{message.name}", Field.TYPE_MESSAGE) for message in file.message_type)
        kinds.update((f".{file.package}.{enum.name}", Field.TYPE_ENUM) for enum in file.enum_type)
    for file in files:
        for field in (field for message in file.message_type for field in message.field if field.type_name):
            here = f".{file.package}.{field.type_name}"
            field.type_name = here if here in kinds else "." + field.type_name
            field.type = kinds[field.type_name]
    pool, waiting = descriptor_pool.DescriptorPool(), files
    while waiting:  # a file comes after those that it imports
        later = [file for file in waiting if any(other.name in file.dependency for other in waiting)]
        assert len(later) < len(waiting), "imports in a circle"
        for file in waiting:
            if file not in later:
                pool.Add(file) if hasattr(pool, "Add") else pool.AddSerializedFile(file.SerializeToString())
        waiting = later
    return {message.name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{file.package}.{message.name}"))
            for file in files for message in file.message_type}


MESSAGES = load()
