"""Compares the two verifiers on a folder that `random-logs` wrote.

    python tests/reference/compare.py DIR --symphony PATH [--evidence]

Each file of DIR/changed is judged by itself, the logs of each network in DIR/logs together, and each file of DIR/evidence, on
demand, is verified. What is printed must agree: verdicts, counts, state roots, faults with their entries, convictions. Where a broken entry breaks several rules, the two may name different ones
(CONV-9): these are counted, and agree all the same if peer and entry do.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys

from symphony_reference.audit import audit
from symphony_reference.evidence import describe

EQUAL = ("peer", "log", "file", "verdict", "entries", "selections", "settlements", "void", "timeouts", "state_root",
         "claimed_state_root", "checkpoint_size")
EQUAL_IN_FAULT = ("peer", "log", "entry", "signed")


def rust(symphony, *arguments):
    """What `symphony` prints with --json, its exit code, and its complaints."""
    done = subprocess.run([symphony, *map(str, arguments), "--json"], capture_output=True, text=True, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()], done.returncode, done.stderr


def differences(ours, theirs):
    """Fields in which two objects differ; and the rules, if only these do."""
    if ours["verdict"] == theirs["verdict"] == "unusable":
        return [], None  # how far an unusable file was read before is nobody's concern
    found = [name for name in EQUAL if ours[name] != theirs[name]]
    if bool(ours["fault"]) != bool(theirs["fault"]):
        return [*found, "fault"], None
    if not ours["fault"]:
        return found, None
    found += [f"fault.{name}" for name in EQUAL_IN_FAULT if ours["fault"][name] != theirs["fault"][name]]
    rules = (ours["fault"]["rule"], theirs["fault"]["rule"])
    if rules[0] == rules[1] and ours["fault"]["name"] != theirs["fault"]["name"]:
        found.append("fault.name")
    return found, rules


class Comparison:
    def __init__(self, symphony):
        self.symphony, self.wrong, self.counts, self.rules = symphony, [], collections.Counter(), collections.Counter()
        self.other_rules, self.entries = collections.Counter(), 0

    def compare(self, kind, paths):
        ours, code = audit(paths)
        theirs, their_code, errors = rust(self.symphony, "audit", *paths)
        reasons = []
        if code != their_code:
            reasons.append(f"exit codes {code} and {their_code} {errors.strip()[:200]}")
        if len(ours) != len(theirs):
            reasons.append(f"{len(ours)} and {len(theirs)} objects")
        for one, other in zip(ours, theirs):
            found, rules = differences(one, other)
            if found:
                reasons.append("; ".join(f"{name}: {one.get(name) or one['fault']!r}, {other.get(name) or other['fault']!r}"
                                         for name in found) + f" | {one['reason']} | {other['reason']}")
            if rules:
                self.rules[rules[0]] += 1
                if rules[0] != rules[1]:
                    self.other_rules[rules] += 1
            self.counts[f"{kind} {one['verdict']}"] += 1
            self.entries += one["entries"]
        if reasons:
            self.wrong.append({"files": [str(path) for path in paths], "reasons": reasons})


    def compare_evidence(self, path):
        ours, code = describe(path.read_bytes())
        objects, their_code, errors = rust(self.symphony, "evidence", "verify", path)
        theirs = objects[0] if objects else {}
        reasons = []
        if code != their_code:
            reasons.append(f"exit codes {code} and {their_code} {errors.strip()[:200]}")
        elif ours["valid"]:
            reasons = [name for name in ("valid", "peer", "log", "entry") if name in theirs and ours[name] != theirs[name]]
            self.rules[ours["rule"]] += 1
            if ours["rule"] != theirs["rule"]:
                self.other_rules[ours["rule"], theirs["rule"]] += 1
        self.counts[f"evidence {('convicts', 'convicts nobody', 'unreadable')[code]}"] += 1
        if reasons:
            self.wrong.append({"files": [str(path)], "reasons": reasons, "here": ours, "there": theirs})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--symphony", required=True, help="the program of the first verifier")
    parser.add_argument("--evidence", action="store_true", help="verify DIR/evidence too, with `symphony evidence verify`")
    arguments = parser.parse_args()
    comparison, networks = Comparison(arguments.symphony), {}
    for path in sorted((arguments.folder / "logs").glob("*.symlog")):
        networks.setdefault(path.name.split("-")[0], []).append(path)
    for paths in networks.values():
        comparison.compare("honest", paths)
    for path in sorted((arguments.folder / "changed").glob("*.symlog")):
        comparison.compare(path.stem.partition("-")[2], [path])
    for path in sorted((arguments.folder / "evidence").glob("*.evidence")) if arguments.evidence else []:
        comparison.compare_evidence(path)
    for wrong in comparison.wrong:
        print(json.dumps(wrong))
    for table in (comparison.counts, comparison.rules, {f"{a} here, {b} there": n for (a, b), n in comparison.other_rules.items()}):
        print(", ".join(f"{name}: {count}" for name, count in sorted(table.items())))
    files = sum(comparison.counts.values())
    print(f"{files} files, {comparison.entries} entries, {sum(comparison.other_rules.values())} other rules, "
          f"{len(comparison.wrong)} disagreements")
    return bool(comparison.wrong) or not files


if __name__ == "__main__":
    sys.exit(main())
