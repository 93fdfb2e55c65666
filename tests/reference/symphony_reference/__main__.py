"""python -m symphony_reference audit FILE… [--json] [--alone], and evidence FILE… [--json]"""

import argparse
import json
import pathlib
import sys
import time

from .audit import audit
from .evidence import describe


def main():
    parser = argparse.ArgumentParser(prog="symphony_reference", description="The second verifier of Symphony's logs.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("audit", help="judge exported logs by replay, and compare them with each other")
    command.add_argument("file", nargs="+", help="a .symlog file, or a folder of them")
    command.add_argument("--json", action="store_true", help="one object for each file, as `symphony audit --json`")
    command.add_argument("--alone", action="store_true", help="judge each file by itself")
    command = commands.add_parser("evidence", help="check files that prove a fault")
    command.add_argument("file", nargs="+", type=pathlib.Path)
    command.add_argument("--json", action="store_true", help="one object for each file, as `symphony evidence verify --json`")
    arguments = parser.parse_args()
    return (audit_command if arguments.command == "audit" else evidence_command)(arguments)


def evidence_command(arguments):
    codes = []
    for path in arguments.file:
        found, code = describe(path.read_bytes())
        codes.append(code)
        print(json.dumps(found, sort_keys=True, separators=(",", ":")) if arguments.json else
              f"{path}: {found['peer'] or ''} {found['rule'] or ''} {found['explanation']}")
    return max(codes)


def audit_command(arguments):
    paths = [path for name in arguments.file for path in files(pathlib.Path(name))]
    started = time.monotonic()
    objects, code = audit(paths, arguments.alone)
    speed = sum(one["entries"] for one in objects) / max(time.monotonic() - started, 1e-6)
    for one in objects:
        if arguments.json:
            print(json.dumps({**one, "entries_per_second": round(speed, 1)}, sort_keys=True, separators=(",", ":")))
        else:
            fault = one["fault"]
            why = f": {fault['rule']} ({fault['name']}) at entry {fault['entry']}" if fault else f": {one['reason'] or ''}"
            print(f"{one['verdict']:9} {one['entries']:8} entries  {one['file'] or one['peer']}{why.rstrip(': ')}")
    return code


def files(path):
    return sorted(path.rglob("*.symlog")) if path.is_dir() else [path]


if __name__ == "__main__":
    sys.exit(main())
