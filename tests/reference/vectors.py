"""Checks every vector of tests/vectors against the second verifier: `python tests/reference/vectors.py`."""

import functools
import pathlib
import struct
import sys

from symphony_reference import encoding, evidence, keys, mathematics as m, notes, records, replay, state, statements, symlog, tiles, tree, trust
from symphony_reference.encoding import Refused, require
from symphony_reference.mathematics import from_bits

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"
CONTEXT = "symphony/v1 "


class Vector:
    """One case: fields by name, each a list of texts."""

    def __init__(self, path):
        self.name, self.folder, self.fields = path.stem, path.parent.name, {}
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            self.fields.setdefault(name, []).append(value.strip())

    def __contains__(self, name):
        return name in self.fields

    def all(self, name):
        return self.fields.get(name, [])

    def text(self, name):
        (value,) = self.fields[name]
        return value

    def bytes(self, name):
        return bytes.fromhex(self.text(name))

    def list(self, name):
        return [bytes.fromhex(value) for value in self.all(name)]

    def number(self, name):
        return int.from_bytes(self.bytes(name), "big")


def same(found, expected, what):
    assert found == expected, f"{what}: {found!r}, not {expected!r}"


# ---- formats (chapters 01 to 04, 15) ----------------------------------------------------------------------------------


def canonical(v):
    if v.name.startswith("number-"):
        same(encoding.pack(encoding.unpack(v.bytes("number"))), v.bytes("number"), "number")
        return
    domain = v.bytes("domain").decode().removeprefix(CONTEXT)
    if "key" in v:
        found = encoding.HK(domain, v.bytes("key"), v.bytes("bytes"))
    elif "bytes" in v:
        found = encoding.H(domain, v.bytes("bytes"))
    else:
        found = encoding.HP(domain, v.list("part"))
    same(found, v.bytes("digest"), "digest")


def keys_(v):
    case = v.name.split("-")[0]
    if case == "secret":
        same(keys.text_of(v.bytes("key")), v.bytes("text").decode(), "text")
        same(keys.sign(v.bytes("seed"), v.bytes("message")), v.bytes("signature"), "signature")
        assert keys.signature_holds(v.bytes("key"), v.bytes("message"), v.bytes("signature"))
    elif case == "key":
        require(keys.key_is_acceptable(v.bytes("key")), "key")
        same(keys.text_of(v.bytes("key")), v.bytes("text").decode(), "text")
    elif case == "text":
        keys.key_of(v.bytes("text").decode())
    elif case == "signature":
        require(keys.signature_holds(v.bytes("key"), v.bytes("message"), v.bytes("signature")), "signature")
    else:
        three = [v.bytes(f"{role}_key") for role in ("log", "transport", "witness")]
        keys.check_binding(v.bytes("network"), three, [v.bytes(f"{role}_signature") for role in ("log", "transport", "witness")])


def statements_(v):
    data, network = v.bytes("bytes"), v.bytes("network")
    envelope = statements.open_envelope(data, network)
    same((envelope.type, envelope.author, envelope.payload), (v.number("type"), v.bytes("author"), v.bytes("payload")), "fields")
    name = statements.name(envelope.type, envelope.payload)
    same(name, v.bytes("payload_digest"), "payload digest")
    same(keys.signing_bytes(network, envelope.type, name), v.bytes("signing_bytes"), "signing bytes")
    same(statements.envelope_digest(data), v.bytes("digest"), "digest")
    if "seed" in v:
        same(keys.sign(v.bytes("seed"), v.bytes("signing_bytes")), envelope.signature, "signature")


def statements_records(v):
    kind = next(kind for kind, (number, _) in records.PAYLOADS.items() if str(number) == v.text("type"))
    payload = records.read_payload(kind, v.bytes("payload"))
    same(encoding.canonical(payload), v.bytes("payload"), "payload")
    if "digest" in v:
        same(statements.name(kind, v.bytes("payload")), v.bytes("digest"), "digest")


def merkle(v):
    whole = tree.Tree()
    for entry in v.list("leaf"):
        whole.append(entry)
    same(whole.root(), v.bytes("root"), "root")


def proofs(v):
    if v.name.startswith("inclusion"):
        tree.check_inclusion(v.bytes("leaf_hash"), v.number("index"), v.number("size"), v.bytes("root"), v.list("hash"))
    else:
        tree.check_consistency(
            v.number("old_size"), v.bytes("old_root"), v.number("new_size"), v.bytes("new_root"), v.list("hash"))


def notes_(v):
    name, key = v.bytes("name").decode(), v.bytes("key")
    text = notes.read_note(v.bytes("note"), name, key)
    same(text.encode(), v.bytes("text"), "text")
    if "key_id" in v:
        same(notes.key_id(name, key), v.bytes("key_id"), "key id")
    if "seed" in v:
        same(notes.write_note(text, name, key, keys.sign(v.bytes("seed"), text.encode())), v.bytes("note"), "note")


def cosignatures(v):
    same(notes.cosigned_at(v.bytes("note"), v.bytes("name").decode(), v.bytes("key")), v.number("time"), "time")


def tiles_(v):
    if v.name.startswith("bundle"):
        same(tiles.read_bundle(v.bytes("bytes"), v.number("width")), v.list("entry"), "entries")
        return
    kind, index, width = tiles.parse_path(v.bytes("path").decode())
    if "size" in v:
        entries = [encoding.u64(number) for number in range(v.number("size"))]
        same(tiles.tile(entries, int(kind), index, width), v.bytes("bytes"), "tile")
    else:
        same((kind, index, width), (v.bytes("kind").decode(), v.number("index"), v.number("width")), "name")


def trust_policies(v):
    policy = trust.read_policy(v.bytes("file"))
    cosigned = trust.witnesses_of(policy, v.bytes("note"), v.bytes("log_key"))
    same([name.encode("utf-8", "surrogateescape") for name in cosigned], v.list("by"), "witnesses")


def witness(v):
    key = v.bytes("log_key") if "log_key" in v else None
    latest = (int.from_bytes(v.bytes("latest")[:8], "big"), v.bytes("latest")[8:]) if "latest" in v else (0, tree.EMPTY)
    status, checkpoint = trust.judge(v.bytes("body"), key, latest, v.bytes("entries_root") if "entries_root" in v else None)
    same(str(status), v.text("expect").replace("ok", "200")[:3], "status")
    if "answer" in v:
        same(f"{latest[0]}\n".encode(), v.bytes("answer"), "answer")
    require(status == 200, f"status {status}")
    same(encoding.u64(checkpoint.size) + checkpoint.root, v.bytes("next"), "what the witness keeps")


def checkpoints(v):
    found = notes.read_checkpoint(v.bytes("note"), v.bytes("key"))
    same((found.network, found.log, found.size, found.root, found.state_root),
         (v.bytes("network"), v.bytes("log"), v.number("size"), v.bytes("root"), v.bytes("state_root")), "checkpoint")


def symlog_(v):
    try:
        file = symlog.read_file(v.bytes("file"))
    except symlog.Damaged as damage:
        expected = v.text("expect").split(" ")
        same(str(damage.entry) if damage.entry is not None else None, expected[1] if len(expected) > 1 else None, "entry")
        raise
    header = file.header
    for name in ("network_id", "log_id", "log_key", "params"):
        same(getattr(header, name), v.bytes(name), name)
    same(file.entries, [v.bytes(f"entry_{index}") for index in range(header.size)], "entries")


# ---- records and rules (chapters 05, 06, 08, 12) ------------------------------------------------------------------------


def entries(v):
    entry = replay.read_entry(v.bytes("bytes"), v.bytes("network"), None)
    message = entry.message
    same((str(message.index), message.previous.hex(), str(message.time_ms), entry.kind.replace("_", "-")),
         (v.text("index"), v.text("previous"), v.text("time_ms"), v.text("kind").replace("_", "-")), "fields")


def faults(v):
    first, *rest = v.list("entry")
    fold, found = replay.Replay(first), []
    try:
        for data in rest:
            found += fold.push(data).findings
    except replay.Fault as fault:
        found.append(fault)
    same([(fault.rule, fault.peer.hex(), str(fault.entry)) for fault in found],
         [(v.text("expect"), v.text("peer"), v.text("entry_index"))], "faults")
    raise Refused("as it should")


def evidence_(v):
    try:
        found = evidence.verify(v.bytes("evidence"))
    except evidence.Unreadable as error:
        same("unreadable", v.text("expect"), "evidence")
        raise Refused("as it should") from error
    except Refused:
        same("refused", v.text("expect"), "evidence")
        raise
    same((found.rule, found.peer, found.entry, found.network, found.log),
         (v.text("expect"), v.bytes("peer"), int(v.text("entry_index")), v.bytes("network"), v.bytes("log")), "conviction")
    raise Refused("as it should")


# ---- mathematics (chapters 07, 09, 10, 11) ------------------------------------------------------------------------------


def ln(v):
    same(encoding.pack(m.ln(from_bits(v.text("x")))).hex(), v.text("ln"), "ln")


def numbers(texts):
    return [from_bits(text) for text in texts]


def listed(values):
    return " ".join(encoding.pack(value).hex() for value in values)


def embedding(v):
    def embedding_of(name):
        require(len(v.bytes(name)) == 128, "length")
        return m.embedding(v.bytes(name))

    if v.name.startswith("length"):
        embedding_of("embedding")
    elif v.name.startswith("text"):
        same(tuple(m.embedding_of(v.bytes("text").decode() * int(v.text("times")))), embedding_of("embedding"), "embedding")
    elif v.name.startswith("cosine"):
        left, right = embedding_of("left"), embedding_of("right")
        same(listed([m.cosine(left, right), m.similarity(left, right)]), f"{v.text('cosine')} {v.text('similarity')}", "likeness")
    else:
        found = m.match_ppm(v.text("capability_tags").split(), embedding_of("capability_embedding"),
                            v.text("requirement_tags").split(), embedding_of("requirement_embedding"))
        same(str(found), v.text("match_ppm"), "match")


def candidates(v):
    for line in v.all("candidate"):
        peer, bid, *rest, newcomer, settled = line.split()
        yield {"peer": bytes.fromhex(peer), "bid": int(bid), "newcomer": newcomer == "newcomer",
               "settled_at_close": int(settled), **dict(zip(m.NUMBERS, numbers(rest), strict=True))}


def screening(v):
    weights = [int(weight) for weight in v.text("weights_ppm").split()]
    ranking = m.rank(list(candidates(v)), weights, int(v.text("shortlist")), v.text("exploration"))
    same([f"{i} {bid} {listed([score])}" for i, bid, score in ranking], v.all("ranked"), "ranking")


def linucb(v):
    kind, *ppm = v.text("parameters").split()
    parameters = m.Parameters(kind, *map(int, ppm), 10**6)
    model = m.LinUcb(parameters)
    if "choice" in v or "forget" in v:
        rewards, forgets = iter(v.all("reward")), iter(v.all("forget"))
        for line in steps(v):
            if line[0] == "reward":
                model.reward(*(lambda r, *x: (r, x))(*numbers(next(rewards).split())))
            else:
                model.choice(numbers(line[1].split()), 0, 1 if line[0] == "choice" else -1)
        del forgets
    if v.name.startswith("pick"):
        limited = v.text("newcomers") == "at-most-one"
        shortlist = list(candidates(v))
        policy = m.Policy(parameters)
        policy.rule.model = model
        picks, policy = m.pick(policy, shortlist, int(v.text("executors")), 0, v.text("exploration"), limited)
        same([f"{i} {bid} {listed(rest)}" for i, bid, *rest, _ in picks], v.all("pick"), "picks")
        model = policy.rule.model
    beta = parameters.width_scale(6, model.t) if parameters.exploration == 1 else m.Parameters(
        kind, *map(int, ppm[:5]), 10**6, 10**6).width_scale(6, model.t)
    same((str(model.t), listed(m.triangle(model.inverse)), listed(m.triangle(model.settled)), listed(model.b),
          listed(m.times(model.settled, model.b)), listed([beta])),
         tuple(v.text(name) for name in ("observations", "triangle", "settled", "b", "theta", "beta")), "model")
    if "assess" in v:
        x = numbers(v.text("assess").split())[:6]
        same(f"{listed(x)} {listed(model.assess([x], 0)[0])}", v.text("assess"), "assessment")


def policies(v):
    """What a policy of any kind learned from choices, and whom it picks then."""
    kind, *ppm = v.text("parameters").split()
    frozen = v.text("frozen_after")
    policy = m.Policy(m.Parameters(kind, *map(int, ppm), frozen_after=None if frozen == "never" else int(frozen)))
    made = {}
    for line in (VECTORS / v.folder / (v.name + ".txt")).read_text().splitlines():
        name, _, value = line.partition(": ")
        words = value.split(" ")
        if name == "choose":
            peer, x = bytes.fromhex(words[0]), numbers(words[1:])
            number = policy.choose(peer, x)
            made[number] = (peer, x, number)
        elif name == "settle":
            policy.settle(*made[int(words[0])], from_bits(words[1]))
        elif name == "void":
            policy.void(*made[int(words[0])])
    shortlist = [{**one, "named": one["peer"].hex() in v.all("named")} for one in candidates(v)]
    picks, policy = m.pick(policy, shortlist, int(v.text("executors")), 0, "off")
    same([f"{i} {bid} {number} {listed(rest)}" for i, bid, *rest, number in picks], v.all("pick"), "picks")
    same(sorted(learned(policy)), sorted((name, value) for name in ("choices", "settled", "shared", "peer") for value in v.all(name)), "policy")


def learned(policy):
    """All numbers of a policy, as a vector has them."""
    yield "choices", str(policy.choices)
    yield "settled", str(policy.settled)
    rule = policy.rule
    if isinstance(rule, (m.OneForAll, m.Hybrid)):
        yield "shared", line_of(rule.model if isinstance(rule, m.OneForAll) else rule)
    for peer, model in getattr(rule, "peers", {}).items():
        yield "peer", f"{peer.hex()} {line_of(model)}"


def line_of(model):
    """Choices, the choice up to which it is discounted, and then its numbers in the order of `LinearState`."""
    state = replay.numbers_of(model)
    return f"{state.observations} {state.until} {(state.weight + state.matrix + state.squared + state.cross + state.b + state.settled).hex()}"


def steps(v):
    """The lines `choice`, `reward` and `forget` in the order of the file."""
    for line in (VECTORS / v.folder / (v.name + ".txt")).read_text().splitlines():
        name, _, value = line.partition(": ")
        if name in ("choice", "reward", "forget"):
            yield name, value


def hops(v):
    """BEACON-14."""
    hashed = v.bytes("token")
    for hop in range(int(v.text("hop_limit")), 0, -1):
        hashed = encoding.H("hop", hashed)
        if hashed == v.bytes("anchor"):
            return same(hop, int(v.text("hop")), "hop")
    raise Refused("no token of this beacon")


def vote(v):
    if "plan" in v:
        found = m.tally_of_plans([(None if answer == "none" else answer, from_bits(weight))
                                  for answer, weight in map(str.split, v.all("plan"))])
        same(f"{found[0]} {listed([found[1]])}" if found else "none", v.text("plan_tally"), "tally")
        return
    if "log_odds" in v:
        for reliability, weight in map(str.split, v.all("log_odds")):
            same(listed([m.log_odds(struct.unpack(">d", bytes.fromhex(reliability))[0])]), weight, "weight")
        return
    if "answers" in v:
        beliefs = [(answer, from_bits(reliability)) for answer, reliability in map(str.split, v.all("belief"))]
        found = m.probabilities(beliefs, v.text("answers") == "two")
        same([f"{answer} {listed([p])}" for answer, p in found.items()], list(v.all("probable")), "probabilities")
        return
    ballots = [(peer, voter, answer, int(confidence), from_bits(weight))
               for peer, voter, answer, confidence, weight in map(str.split, v.all("ballot"))]
    found = m.tally(ballots)
    if found:
        answer, weight, total, supporters, quorum = found
        found = f"{answer} {listed([weight, total])} {supporters} {'quorum' if quorum else 'no-quorum'}"
    same(found or "none", v.text("tally"), "tally")


def reward(v):
    outcome = None
    if len(v.text("outcome").split()) > 1:
        vote_, latency, check, price = v.text("outcome").split()
        outcome = (vote_ == "won", int(latency), check == "correct", int(price))
    raw, high, found = m.reward([int(one) for one in v.text("parameters").split()], outcome)
    same((listed([raw]), listed([0.0, high]), listed([found])), (v.text("raw"), v.text("bounds"), v.text("reward")), "reward")


def map_(v):
    def bytes_of(text):
        return b"" if text == "-" else bytes.fromhex(text)

    if v.name.startswith("root"):
        content = {}
        for line in (VECTORS / v.folder / (v.name + ".txt")).read_text().splitlines():
            word, *arguments = line.replace(":", "").split()
            if word == "set":
                content[bytes_of(arguments[0])] = bytes_of(arguments[1])
            elif word == "remove":
                content.pop(bytes_of(arguments[0]), None)
        same(state.root_of(content), v.bytes("root"), "root")
        return
    value = None if v.text("value") == "absent" else bytes_of(v.text("value"))
    terminal = None if v.text("terminal") == "empty" else tuple(map(bytes.fromhex, v.text("terminal").split()))
    state.check_proof(v.bytes("root"), v.bytes("key"), value, v.list("sibling"), terminal)


def chance(v):
    """Chapter 18."""
    if v.name.startswith("secret"):
        same(encoding.HP("secret", [v.bytes("log"), v.bytes("index"), v.bytes("secret")]), v.bytes("commitment"), "commitment")
    elif v.name.startswith("nonce"):
        same(encoding.HP("nonce", [v.bytes("beacon"), v.bytes("bidder"), v.bytes("nonce")]), v.bytes("commitment"), "commitment")
    elif v.name.startswith("seed"):
        parts = [part for both in v.list("opened") for part in (both[:32], both[32:])]
        same(encoding.HP("seed", [v.bytes("beacon"), v.bytes("secret"), *parts]), v.bytes("seed"), "seed")
    else:
        stream = m.Stream(v.bytes("seed"), int(v.text("slot")))
        for below, fraction, normals in zip(v.all("below"), v.all("fraction"), v.all("normals"), strict=True):
            count, expected = below.split()
            same(stream.below(int(count)), int(expected), "below")
            same(listed([stream.fraction()]), fraction, "fraction")
            same(listed(stream.normals()), normals, "normals")


CHECKS = {
    "chance": chance,
    "canonical": canonical, "keys": keys_, "statements": statements_, "statements-records": statements_records,
    "merkle": merkle, "proofs": proofs, "notes": notes_, "checkpoints": checkpoints, "symlog": symlog_,
    "cosignatures": cosignatures, "tiles": tiles_, "trust-policies": trust_policies, "witness": witness, "retirements": statements_records, "entries": entries, "faults": faults, "evidence": evidence_, "ln": ln, "embedding": embedding, "screening": screening, "linucb": linucb, "policies": policies,
    "hops": hops, "vote": vote, "reward": reward, "map": map_,
}

def check(path):
    vector = Vector(path)
    try:
        CHECKS[vector.folder](vector)
    except Refused as refused:
        return f"refused: {refused}" if vector.text("expect") == "ok" else None
    except (AssertionError, KeyError, ValueError, TypeError, replay.Unusable) as error:
        return f"{type(error).__name__}: {error}"
    return None if vector.text("expect") == "ok" else f"accepted, but it is {vector.text('expect')}"


def main():
    paths = sorted(VECTORS.rglob("*.txt"))
    unknown = {path.parent.name for path in paths} - set(CHECKS)
    wrong = [f"{folder}: no check for these vectors" for folder in sorted(unknown)]
    for path in paths:
        if path.parent.name in CHECKS and (reason := check(path)):
            wrong.append(f"{path.relative_to(VECTORS)}: {reason[:300]}")
    print(*wrong, f"{len(paths)} vectors, {len(wrong)} wrong", sep="\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
