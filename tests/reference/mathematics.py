"""Writes the vectors of chapters 07, 09, 10 (reward) and 11 with the second verifier's mathematics.

`python tests/reference/mathematics.py` writes tests/vectors/{chance,ln,embedding,screening,linucb,vote,reward,map}/*.txt anew; a change
of any of them is a change of the protocol. The Rust crates are checked against these files.
"""

import math
import pathlib
import struct

from symphony_reference.encoding import H as digest
from symphony_reference.encoding import HP as list_digest
from symphony_reference.encoding import u64
from symphony_reference.mathematics import (
    NUMBERS, LinUcb, Parameters, Policy, Stream, cosine, embedding_of, features, from_bits, ln, log_odds, match_ppm, pick, probabilities, rank,
    reward, similarity, tally, tally_of_plans, times, triangle,
)
from vectors import learned
from symphony_reference.state import EMPTY, Inner, bit, digest_of, inserted, root_of

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "vectors"

# Log keys of the Ed25519 seeds 01…01 to 08…08.
PEERS = [
    "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
    "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394",
    "ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1",
    "ca93ac1705187071d67b83c7ff0efe8108e8ec4530575d7726879333dbdabe7c",
    "6e7a1cdd29b0b78fd13af4c5598feff4ef2a97166e3ca6f2e4fbfccd80505bf1",
    "8a875fff1eb38451577acd5afee405456568dd7c89e090863a0557bc7af49f17",
    "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c",
    "1398f62c6d1a457c51ba6a4b5f3dbd2f69fca93216218dc8997e416bd17d93ca",
]


# ---- bytes ----------------------------------------------------------------------------------------------------------


def bits(number):
    """An f64 as 16 hexadecimal digits; −0 as +0."""
    return struct.pack(">d", 0.0 if number == 0 else number).hex()


def write(folder, name, expect, spec, comment, *fields):
    (VECTORS / folder).mkdir(parents=True, exist_ok=True)
    lines = [("expect", expect), ("spec", spec), ("comment", comment), *fields]
    text = "".join(f"{key}: {value}".rstrip() + "\n" for key, value in lines)
    (VECTORS / folder / (name + ".txt")).write_text(text, encoding="utf-8")


def ln_vectors():
    for name, x in {
        "one": 1.0,
        "two": 2.0,
        "ten": 10.0,
        "twenty": 20.0,
        "tenth": 0.1,
        "below-one": 1 - 2.0**-53,
        "above-one": 1 + 2.0**-52,
        "square-root-of-two": math.sqrt(2),
        "above-square-root-of-two": math.nextafter(math.sqrt(2), 2),
        "million-and-one": 1_000_001.0,
        "least-subnormal": 2.0**-1074,
        "least-normal": 2.0**-1022,
        "largest": from_bits("7fefffffffffffff"),
        "third": 1 / 3,
        "zero": 0.0,
        "minus-one": -1.0,
    }.items():
        write("ln", name, "ok", "SELECT-3", f"ln({x!r}).", ("x", bits(x)), ("ln", bits(ln(x))))


# ---- embeddings and matching (SELECT-4 to SELECT-8) ---------------------------------------------------------------------


def packed(numbers):
    return struct.pack(">64h", *numbers).hex()


def embedding_vectors():
    for name, (text, times) in {
        "empty": ("", 1),
        "separators-only": (" -_.!\n\t\x7f", 1),
        "one-letter": ("a", 1),
        "words": ("boolean expressions", 1),
        "case-and-separators": ("Web-of_LIES, 2nd part", 1),
        "beyond-ascii": ("Größe É 東京 naïve", 1),
        "repeated": ("navigate ", 50),
        "saturated": ("a ", 40_000),
    }.items():
        fields = ("text", text.encode().hex()), ("times", times), ("embedding", packed(embedding_of(text * times)))
        write("embedding", "text-" + name, "ok", "SELECT-5", f"The text {text!r}, {times} times.", *fields)
    zero, low, high = [0] * 64, [-32768] * 64, [32767] * 64
    boolean, navigate = embedding_of("boolean expressions"), embedding_of("navigate to the start")
    for name, left, right in (
        ("same", boolean, boolean),
        ("near", boolean, embedding_of("boolean logic expression")),
        ("far", boolean, navigate),
        ("zero", boolean, zero),
        ("opposite", low, high),
        ("largest", low, low),
    ):
        write(
            "embedding", "cosine-" + name, "ok", "SELECT-6, SELECT-7", "Cosine and likeness of two embeddings.",
            ("left", packed(left)), ("right", packed(right)),
            ("cosine", bits(cosine(left, right))), ("similarity", bits(similarity(left, right))),
        )
    for name, offered, left, required, right in (
        ("full", ["boolean", "logic"], boolean, ["boolean"], boolean),
        ("nothing-fits", ["navigate"], zero, ["boolean"], zero),
        ("third", ["a"], boolean, ["a", "b", "c"], navigate),
        ("no-requirement", [], navigate, [], boolean),
        ("case-matters", ["Boolean"], boolean, ["boolean"], boolean),
    ):
        write(
            "embedding", "match-" + name, "ok", "SELECT-8", "The match of a capability with a requirement.",
            ("capability_tags", " ".join(offered)), ("capability_embedding", packed(left)),
            ("requirement_tags", " ".join(required)), ("requirement_embedding", packed(right)),
            ("match_ppm", match_ppm(offered, left, required, right)),
        )
    for length in (0, 127, 129):
        write(
            "embedding", f"length-{length}", "wrong-length", "SELECT-4", f"{length} bytes are no embedding.",
            ("embedding", "00" * length),
        )


# ---- screening (SELECT-9 to SELECT-11) ------------------------------------------------------------------------------------


def candidate(peer, bid, newcomer=False, settled_at_close=0, **numbers):
    start = {"similarity": 0.5, "prior": 0.4, "load": 0.0, "latency": 0.25, "availability": 1.0, "reputation": 0.5}
    return {"peer": PEERS[peer], "bid": bid, "newcomer": newcomer, "settled_at_close": settled_at_close, **start, **numbers}


def candidate_fields(candidates):
    for one in candidates:
        numbers = " ".join(bits(one[name]) for name in NUMBERS)
        yield "candidate", f"{one['peer']} {one['bid']} {numbers} {'newcomer' if one['newcomer'] else 'known'} {one['settled_at_close']}"


POOL = [
    candidate(0, 10, similarity=0.91, prior=0.7, load=0.25, latency=0.1, reputation=0.8),
    candidate(1, 11, similarity=0.62, prior=0.55, load=1.0, latency=0.9, availability=0.5, reputation=0.3),
    candidate(2, 12, similarity=0.88, prior=0.35, latency=0.33, reputation=0.45),
    candidate(3, 13, similarity=0.15, prior=1 / 3, newcomer=True, reputation=0.0),
    candidate(4, 14, similarity=0.2, prior=1 / 3, newcomer=True, reputation=0.0),
    candidate(5, 15, similarity=0.75, prior=0.66, latency=1.0, availability=0.2, reputation=0.7),
    candidate(6, 16, similarity=0.75, prior=0.66, latency=1.0, availability=0.2, reputation=0.7),
]
# Nobody is new, and the last but one was settled longest ago.
KNOWN = [{**one, "newcomer": False, "settled_at_close": close} for one, close in zip(POOL, (40, 38, 41, 33, 22, 3, 9), strict=True)]
# The best one was settled longest ago.
OLD_FIRST = [{**one, "settled_at_close": 1 if one["bid"] == 10 else 50} for one in KNOWN]
WEIGHTS = (500_000, 350_000, 150_000)


def screening_vectors():
    equal = [candidate(peer, peer) for peer in range(8)]
    twice = [candidate(0, 9), candidate(0, 8)]
    wild = [candidate(0, 1, similarity=7.5, load=-3.0, latency=1e300), candidate(1, 2, similarity=-1.0, prior=2.0)]
    for name, comment, candidates, weights, shortlist, exploration in (
        ("pool", "Seven bids, the best five.", POOL, WEIGHTS, 5, "off"),
        ("newcomer", "The third place is kept for the better newcomer.", POOL, WEIGHTS, 3, "newcomers"),
        ("newcomer-present", "A newcomer is among the best already.", POOL[2:5], WEIGHTS, 2, "newcomers"),
        ("no-newcomer", "A place is kept, but nobody is new.", POOL[:3], WEIGHTS, 2, "newcomers"),
        ("neglected", "The third place is kept for the largest product of prior and closes since the newest settlement.", KNOWN, WEIGHTS, 3, "everybody-42"),
        ("neglected-prior", "Who was settled longest ago has a small prior, and waits.", [{**one, "prior": 0.01} if one["bid"] == 15 else one for one in KNOWN],
         WEIGHTS, 2, "everybody-42"),
        ("neglected-late", "Closes that are fewer than those at a settlement count as equal.", KNOWN, WEIGHTS, 3, "everybody-8"),
        ("neglected-present", "The neglected one is among the best already.", KNOWN, WEIGHTS, 5, "everybody-42"),
        ("neglected-equal", "Of two with the largest product the better one.", [*KNOWN, candidate(7, 17, similarity=0.2, prior=0.66, settled_at_close=3)],
         WEIGHTS, 3, "everybody-42"),
        ("neglected-newcomer", "A newcomer goes before the known.", POOL, WEIGHTS, 3, "everybody-42"),
        ("ties", "Equal scores stand by key bytes.", equal, WEIGHTS, 8, "off"),
        ("ties-bid", "Equal scores and keys stand by the bid's index.", twice, WEIGHTS, 2, "off"),
        ("clipped", "Numbers outside [0, 1] are taken as the nearer end.", wild, WEIGHTS, 2, "off"),
        ("other-weights", "Weights that do not sum to one.", POOL, (900_000, 0, 700_001), 4, "off"),
        ("in-turn", "While the log is warmed up: whom nobody settled for longest first, equal ones turned round.", POOL, WEIGHTS, 5,
         "in-turn-4"),
        ("in-turn-equal", "Nobody is settled: another one begins at each close.", equal, WEIGHTS, 3, "in-turn-13"),
        ("in-turn-known", "The order of settlements alone.", KNOWN, WEIGHTS, 4, "in-turn-7"),
        ("empty", "Nobody bid.", [], WEIGHTS, 5, "everybody-42"),
        ("in-turn-empty", "Nobody bid.", [], WEIGHTS, 5, "in-turn-7"),
    ):
        write(
            "screening", name, "ok", "SELECT-9, SELECT-10, SELECT-11", comment,
            ("weights_ppm", " ".join(map(str, weights))), ("shortlist", shortlist),
            ("exploration", exploration), *candidate_fields(candidates),
            *(("ranked", f"{i} {bid} {bits(score)}") for i, bid, score in rank(candidates, weights, shortlist, exploration)),
        )


# ---- LinUCB (SELECT-12 to SELECT-20) ----------------------------------------------------------------------------------------

SHARED = ("shared", 1_000_000, 50_000, 1_000_000, 500_000, 1_000_000, 1_000_000)
PAPER = ("paper", 1_000_000, 50_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000)


def listed(numbers):
    return " ".join(map(bits, numbers))


def model_fields(model, parameters):
    yield "observations", model.t
    yield "triangle", listed(triangle(model.inverse))
    yield "b", listed(model.b)
    yield "settled", listed(triangle(model.settled))
    yield "theta", listed(times(model.settled, model.b))
    yield "beta", bits(Parameters(*parameters[:6], 1_000_000, 1_000_000).width_scale(6, model.t))


def lasting(parameters):
    return Parameters(*parameters, 1_000_000)


def history(kind, length):
    """A written sequence of contexts and rewards: no library's random numbers."""
    state = 20_260_201
    for _ in range(length):
        numbers = []
        for _ in range(6):
            state = (state * 1_103_515_245 + 12_345) % 2**31
            numbers.append(state / 2.0**31)
        names = ("similarity", "load", "latency", "reputation", "availability")
        yield features(kind, dict(zip(names, numbers[:5], strict=True))), numbers[5]


def linucb_vectors():
    bold = ("shared", 500_000, 100_000, 2_000_000, 250_000, 1_500_000, 300_000)
    for name, parameters, length in (
        ("shared-new", SHARED, 0), ("shared-1", SHARED, 1), ("shared-200", SHARED, 200),
        ("paper-1", PAPER, 1), ("paper-10", PAPER, 10), ("paper-100", PAPER, 100), ("bold-40", bold, 40),
    ):
        model, steps = LinUcb(lasting(parameters)), []
        for x, r in history(parameters[0], length):
            model.choice(x)
            model.reward(r, x)
            steps += [("choice", listed(x)), ("reward", f"{bits(r)} {listed(x)}")]
        x = features(parameters[0], POOL[0])
        write(
            "linucb", "learn-" + name, "ok", "SELECT-12, SELECT-15, SELECT-16, SELECT-17, SELECT-19",
            f"{length} choices with their rewards.", ("parameters", " ".join(map(str, parameters))), *steps,
            *model_fields(model, parameters), ("assess", f"{listed(x)} {listed(model.assess([x], 0)[0])}"),
        )
    model, steps = LinUcb(lasting(SHARED)), []
    for index, (x, r) in enumerate(history("shared", 20)):
        model.choice(x)
        steps.append(("choice", listed(x)))
        if index % 2 == 0:
            model.reward(r, x)
            steps.append(("reward", f"{bits(r)} {listed(x)}"))
    x = features("shared", POOL[0])
    write(
        "linucb", "learn-pending", "ok", "SELECT-15, SELECT-17, SELECT-19", "Every second reward is still to come: it has no say in the estimate.",
        ("parameters", " ".join(map(str, SHARED))), *steps, *model_fields(model, SHARED),
        ("assess", f"{listed(x)} {listed(model.assess([x], 0)[0])}"),
    )
    model, steps = LinUcb(lasting(SHARED)), []
    for index, (x, r) in enumerate(history("shared", 12)):
        model.choice(x)
        steps.append(("choice", listed(x)))
        if index % 3 == 2:
            model.choice(x, 0, -1)
            steps.append(("forget", listed(x)))
        else:
            model.reward(r, x)
            steps.append(("reward", f"{bits(r)} {listed(x)}"))
    write(
        "linucb", "forget", "ok", "SELECT-18", "Every third choice is taken back.",
        ("parameters", " ".join(map(str, SHARED))), *steps, *model_fields(model, SHARED),
    )
    x = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    model = LinUcb(lasting(SHARED))
    model.choice(x, 0, -1)
    write(
        "linucb", "forget-refused", "ok", "SELECT-18", "What was never counted cannot be taken back.",
        ("parameters", " ".join(map(str, SHARED))), ("forget", listed(x)), *model_fields(model, SHARED),
    )
    for name, comment, parameters, length, shortlist, executors, newcomers, exploration in (
        ("new", "A policy that has seen nothing.", SHARED, 0, POOL, 3, "at-most-one", "off"),
        ("learned", "After 30 settlements.", SHARED, 30, POOL, 3, "at-most-one", "off"),
        ("explore", "The last pick goes to a newcomer.", SHARED, 60, POOL, 3, "at-most-one", "newcomers"),
        ("unlimited", "Newcomers count like everybody.", SHARED, 0, POOL[3:], 4, "unlimited", "off"),
        ("all-new", "Newcomers fill up when nobody else remains.", SHARED, 0, POOL[3:5], 3, "at-most-one", "newcomers"),
        ("neglected", "The last pick goes to the neglected one.", SHARED, 60, KNOWN, 3, "at-most-one", "everybody-42"),
        ("neglected-picked", "The neglected one is picked already.", SHARED, 60, OLD_FIRST, 3, "at-most-one", "everybody-51"),
        ("in-turn", "The order of the shortlist, whoever is better or new.", SHARED, 60, POOL, 4, "at-most-one", "in-turn-9"),
        ("paper", "The policy is not changed by picks.", PAPER, 30, POOL, 3, "at-most-one", "off"),
        ("ties", "Equal scores fall to the smallest key.", PAPER, 0, POOL[6:4:-1], 1, "at-most-one", "off"),
    ):
        model, steps = LinUcb(lasting(parameters)), []
        for x, r in history(parameters[0], length):
            model.choice(x)
            model.reward(r, x)
            steps += [("choice", listed(x)), ("reward", f"{bits(r)} {listed(x)}")]
        policy = Policy(lasting(parameters))
        policy.rule.model = model
        picks, after = pick(policy, shortlist, executors, 0, exploration, newcomers == "at-most-one")
        write(
            "linucb", "pick-" + name, "ok", "SELECT-13, SELECT-16, SELECT-17, SELECT-20", comment,
            ("parameters", " ".join(map(str, parameters))), *steps, ("executors", executors),
            ("newcomers", newcomers), ("exploration", exploration), *candidate_fields(shortlist),
            *(("pick", f"{i} {bid} {listed(numbers)}") for i, bid, *numbers, _ in picks),
            *model_fields(after.rule.model, parameters),
        )


# ---- policies of every kind (SELECT-13 to SELECT-26) --------------------------------------------------------------------------


def policy_vectors():
    standard = (50_000, 50_000, 1_000_000, 500_000, 1_000_000, 100_000)
    for name, kind, discount, frozen, spec, comment in (
        ("shared", "shared", 1_000_000, None, "SELECT-12", "One model for all peers."),
        ("shared-discount", "shared", 970_000, None, "SELECT-21, SELECT-22", "What is long ago weighs less."),
        ("shared-frozen", "shared", 1_000_000, 9, "SELECT-26", "Nine settlements are learned, and no more."),
        ("shared-never", "shared", 1_000_000, 0, "SELECT-26", "Nothing is ever learned."),
        ("paper", "paper", 1_000_000, None, "SELECT-12", "Choices count when they are settled."),
        ("paper-discount", "paper", 900_000, None, "SELECT-21, SELECT-22", "Both at settlement, and forgetful."),
        ("disjoint", "disjoint", 1_000_000, None, "SELECT-23", "A model for each peer."),
        ("disjoint-discount", "disjoint", 950_000, None, "SELECT-23, SELECT-21", "What one peer did ages with the choices of all."),
        ("hybrid", "hybrid", 1_000_000, None, "SELECT-24", "A shared model, and one for each peer."),
        ("strongest", "strongest", 1_000_000, None, "SELECT-25", "The highest prior."),
        ("screening", "screening", 1_000_000, None, "SELECT-25", "The first of the ranking."),
        ("static", "static", 1_000_000, None, "SELECT-25", "Whom the operator named, then the first of the ranking."),
    ):
        policy = Policy(Parameters(kind, *standard, discount, frozen_after=frozen))
        steps, made = [], []
        for place, (x, r) in enumerate(history(kind, 24)):
            peer = bytes.fromhex(PEERS[place * place % 5])
            made.append((peer, x, policy.choose(peer, x)))
            steps.append(("choose", f"{peer.hex()} {listed(x)}"))
            late = place - place % 4  # rewards come late, and not in order
            if place % 4 == 3:
                for settled in (late + 2, late, late + 3):
                    policy.settle(*made[settled], r)
                    steps.append(("settle", f"{made[settled][2]} {bits(r)}"))
                policy.void(*made[late + 1])
                steps.append(("void", made[late + 1][2]))
        shortlist = [{**one, "peer": bytes.fromhex(one["peer"]), "named": one["peer"] == PEERS[2]} for one in POOL]
        picks, policy = pick(policy, shortlist, 3, 0, "off")
        write(
            "policies", name, "ok", spec, comment, ("parameters", " ".join(map(str, (kind, *standard, discount)))),
            ("frozen_after", "never" if frozen is None else frozen), *steps, ("executors", 3), ("named", PEERS[2]),
            *candidate_fields(POOL), *(("pick", f"{i} {bid} {number} {listed(rest)}") for i, bid, *rest, number in picks),
            *learned(policy),
        )


# ---- vote (VOTE-1 to VOTE-6) ----------------------------------------------------------------------------------------------------


def vote_vectors():
    one, two, three = "11" * 32, "22" * 32, "33" * 32

    def ballot(peer, answer, weight, confidence=500_000, voter="peer"):
        return PEERS[peer], voter, answer, confidence, weight

    for name, spec, comment, ballots in (
        ("weight", "VOTE-3", "One reliable peer outweighs two others.", [ballot(0, two, 0.9), ballot(1, one, 0.4), ballot(2, one, 0.4)]),
        ("sums-in-order", "VOTE-3", "Sums run in the order of ballots.", [ballot(0, one, 0.1), ballot(1, one, 0.2), ballot(2, one, 0.3), ballot(3, two, 0.6)]),
        ("tie-confidence", "VOTE-3", "Equal weights fall by confidence.", [ballot(0, one, 0.5), ballot(1, two, 0.5, 500_001)]),
        ("tie-bytes", "VOTE-3", "Equal weights and confidences fall to the smallest bytes.", [ballot(0, two, 0.5), ballot(1, one, 0.5)]),
        ("own-ignored", "VOTE-4", "The coordinator's ballot tips nothing.", [ballot(7, two, 1.0, 999_999, "coordinator"), ballot(0, two, 0.5), ballot(1, one, 0.5)]),
        ("own-alone", "VOTE-4", "The coordinator alone answers without quorum.", [ballot(7, three, 1.0, 1, "coordinator")]),
        ("own-and-zero", "VOTE-4", "A peer of weight 0 still comes before the coordinator.", [ballot(7, one, 1.0, 1, "coordinator"), ballot(0, two, 0.0, 0)]),
        ("quorum", "VOTE-5", "Two different peers agree.", [ballot(0, one, 0.25), ballot(1, one, 0.5), ballot(2, two, 0.7)]),
        ("peer-twice", "VOTE-5", "Of two ballots of one peer the first counts.", [ballot(0, one, 0.25), ballot(0, one, 0.5), ballot(0, two, 0.9)]),
        ("wild-weights", "VOTE-3", "Weights below 0 or infinite count as 0.", [ballot(0, three, -1.0), ballot(1, two, math.inf), ballot(2, one, 0.0)]),
        ("none", "VOTE-3", "No ballots, no answer.", []),
    ):
        result = tally(ballots)
        found = [("tally", "none")]
        if result:
            answer, weight, total, supporters, quorum = result
            found = [("tally", f"{answer} {bits(weight)} {bits(total)} {supporters} {'quorum' if quorum else 'no-quorum'}")]
        lines = [("ballot", f"{p} {v} {a} {c} {struct.pack('>d', w).hex()}") for p, v, a, c, w in ballots]
        write("vote", name, "ok", spec, comment, *lines, *found)
    for name, comment, reliabilities in (
        ("log-odds", "From the lower bound to the upper one.", (0.51, 0.6, 0.75, 0.9, 0.99)),
        ("log-odds-held", "Outside the bounds, and no number.", (0.0, -1.0, 0.5, 0.995, 7.0, math.nan)),
    ):
        lines = [("log_odds", f"{struct.pack('>d', p).hex()} {bits(log_odds(p))}") for p in reliabilities]
        write("vote", name, "ok", "VOTE-2", comment, *lines)
    for name, comment, answers, beliefs in (
        ("probable-alone", "One ballot teaches nothing.", 2, [(one, 0.6)]),
        ("probable-two", "Two answers, both given.", 2, [(two, 0.95), (one, 0.7), (one, 0.7)]),
        ("probable-agreed", "Two answers, one given.", 2, [(two, 0.8), (two, 0.7), (two, 0.6)]),
        ("probable-other", "There may be an answer that nobody gave.", 0, [(two, 0.95), (one, 0.7), (three, 0.2)]),
        ("probable-none", "No ballots.", 0, []),
    ):
        lines = [("belief", f"{answer} {bits(p)}") for answer, p in beliefs]
        found = [("probable", f"{answer} {bits(p)}") for answer, p in probabilities(beliefs, answers == 2).items()]
        write("vote", name, "ok", "VOTE-7", comment, ("answers", "two" if answers else "many"), *lines, *found)
    for name, comment, plans in (
        ("plans", "Two plans outweigh none; silence does not count.", [(None, 9.0), (three, 0.5), (two, 0.25), (two, 0.375)]),
        ("plans-tie", "Equal weights fall to the smallest bytes.", [(three, 0.5), (one, 0.5)]),
        ("plans-silent", "No plan has an answer.", [(None, 1.0)]),
    ):
        best = tally_of_plans(plans)
        lines = [("plan", f"{answer or 'none'} {bits(weight)}") for answer, weight in plans]
        write("vote", name, "ok", "VOTE-6", comment, *lines, ("plan_tally", f"{best[0]} {bits(best[1])}" if best else "none"))


# ---- reward (SETTLE-1 to SETTLE-4) --------------------------------------------------------------------------------------------------


def reward_vectors():
    paper = (500_000, 200_000, 2_000, 0, 0)
    rich = (500_000, 200_000, 2_000, 300_000, 150_000)
    harsh = (100_000, 1_900_000, 0, 0, 0)
    for name, parameters, outcome in (
        ("won-instant", paper, ("won", 0, "unchecked", 0)),
        ("won-slow", paper, ("won", 1_234, "unchecked", 0)),
        ("won-too-slow", paper, ("won", 99_999, "unchecked", 0)),
        ("not-won", paper, ("not-won", 777, "unchecked", 0)),
        ("invalid", paper, "invalid"),
        ("timed-out", paper, "timed-out"),
        ("checked-correct", rich, ("not-won", 500, "correct", 250_000)),
        ("checked-wrong", rich, ("won", 500, "wrong", 1_000_000)),
        ("best", rich, ("won", 0, "correct", 0)),
        ("clipped", harsh, ("not-won", 1, "unchecked", 0)),
        ("no-scale", harsh, ("won", 0, "unchecked", 0)),
    ):
        terms = None
        if not isinstance(outcome, str):
            vote, latency, checked, share = outcome
            terms = (vote == "won", latency, checked == "correct", share)
        raw, high, scaled = reward(parameters, terms)
        write(
            "reward", name, "ok", "SETTLE-1, SETTLE-2, SETTLE-3, SETTLE-4",
            "Parameters: bonus, latency penalty, latency scale in ms, checker, price.",
            ("parameters", " ".join(map(str, parameters))),
            ("outcome", outcome if isinstance(outcome, str) else " ".join(map(str, outcome))),
            ("raw", bits(raw)), ("bounds", listed([0.0, high])), ("reward", bits(scaled)),
        )


# ---- state map (STATE-1 to STATE-6) ----------------------------------------------------------------------------------------------------

def prove(content, key):
    place, subtree, siblings = digest("state-key", key), None, []
    for held, value in content.items():
        subtree = inserted(subtree, digest("state-key", held), digest("state-value", value))
    while isinstance(subtree, Inner):
        side = bit(place, len(siblings))
        siblings.append(digest_of(subtree.halves[1 - side]))
        subtree = subtree.halves[side]
    return siblings, " ".join(part.hex() for part in subtree) if subtree else "empty"


def map_vectors():
    many = {f"peer/{number}".encode(): bytes([number] * (number % 5)) for number in range(100)}
    for name, comment, content in (
        ("empty", "Nothing.", {}),
        ("one", "One key: the root is its leaf.", {b"clock": b"\x01"}),
        ("two", "Two keys.", {b"clock": b"\x01", b"policy": b"\x02\x03"}),
        ("empty-key-and-value", "An empty key with an empty value is a leaf too.", {b"": b""}),
        ("hundred", "A hundred keys.", many),
    ):
        lines = [("set", f"{key.hex() or '-'} {value.hex() or '-'}") for key, value in content.items()]
        write("map", "root-" + name, "ok", "STATE-2, STATE-3, STATE-4", comment, *lines, ("root", root_of(content).hex()))
    steps = [("set", "61 01"), ("set", "62 02"), ("set", "63 03"), ("set", "61 04"), ("remove", "62"), ("remove", "64")]
    left = {b"a": b"\x04", b"c": b"\x03"}
    write("map", "root-after-removal", "ok", "STATE-3", "What was removed leaves no trace.", *steps, ("root", root_of(left).hex()))

    root = root_of(many)

    def proof(name, expect, spec, comment, key, value, siblings, terminal, against=root):
        write(
            "map", "proof-" + name, expect, spec, comment, ("root", against.hex()), ("key", key.hex()),
            ("value", "absent" if value is None else value.hex() or "-"),
            *(("sibling", sibling.hex()) for sibling in siblings), ("terminal", terminal),
        )

    key = b"peer/7"
    siblings, terminal = prove(many, key)
    proof("present", "ok", "STATE-5", "A key and its value.", key, many[key], siblings, terminal)
    proof("wrong-value", "value-mismatch", "STATE-6", "Another value than the proof's.", key, b"\x07", siblings, terminal)
    proof("denied", "not-absent", "STATE-6", "The key is there.", key, None, siblings, terminal)
    proof("wrong-root", "root-mismatch", "STATE-6", "Another root.", key, many[key], siblings, terminal, bytes([1] * 32))
    proof("short", "root-mismatch", "STATE-6", "The last sibling is missing.", key, many[key], siblings[:-1], terminal)
    proof("overlong", "too-long", "STATE-6", "257 siblings.", key, many[key], [EMPTY] * 257, terminal)
    absent = next(k for k in (f"no/{n}".encode() for n in range(1000)) if prove(many, k)[1] == "empty")
    proof("absent-empty", "ok", "STATE-5", "Nothing is on the key's path.", absent, None, *prove(many, absent))
    other = next(k for k in (f"no/{n}".encode() for n in range(1000)) if prove(many, k)[1] != "empty")
    proof("absent-leaf", "ok", "STATE-5", "Another key's leaf is on the key's path.", other, None, *prove(many, other))
    first = bit(digest("state-key", key), 0)
    far = next(k for k in many if bit(digest("state-key", k), 0) != first)
    proof("off-path", "off-path", "STATE-6", "A leaf that cannot lie on the key's path.", key, None, *prove(many, far))


# ---- chance (CHANCE-1, CHANCE-2, CHANCE-6, CHANCE-7) -----------------------------------------------------------------


def chance_vectors():
    log, beacon, secret = digest("log-id", b"log"), digest("payload", b"beacon"), digest("own-secret", b"secret")
    commitment = list_digest("secret", [log, u64(7), secret])
    fields = [("log", log), ("index", u64(7)), ("secret", secret), ("commitment", commitment)]
    write("chance", "secret", "ok", "CHANCE-1", "The commitment to a secret.", *((key, value.hex()) for key, value in fields))
    opened = [(bytes.fromhex(peer), digest("own-nonce", bytes([number]))) for number, peer in enumerate(PEERS[:3])]
    for number, (peer, nonce) in enumerate(opened):
        fields = [("beacon", beacon), ("bidder", peer), ("nonce", nonce), ("commitment", list_digest("nonce", [beacon, peer, nonce]))]
        write("chance", f"nonce-{number}", "ok", "CHANCE-2", "The commitment to a nonce.", *((key, value.hex()) for key, value in fields))
    for count in range(4):
        parts = [part for pair in opened[:count] for part in pair]
        fields = [("beacon", beacon), ("secret", secret), *(("opened", peer + nonce) for peer, nonce in opened[:count]),
                  ("seed", list_digest("seed", [beacon, secret, *parts]))]
        write("chance", f"seed-{count}", "ok", "CHANCE-6", f"A seed of a secret and {count} nonces.",
              *((key, value.hex()) for key, value in fields))
    for slot in (0, 1, 2**32 - 1):
        stream, taken = Stream(digest("seed", b"seed"), slot), []
        for count in (1, 2, 3, 5, 257, 1_000_000, 2**63 + 1, 2**64 - 1):
            taken.append(("below", f"{count} {stream.below(count)}"))
            taken.append(("fraction", bits(stream.fraction())))
            taken.append(("normals", " ".join(map(bits, stream.normals()))))
        write("chance", f"stream-{slot}", "ok", "CHANCE-7", f"The numbers for slot {slot}, one after another.",
              ("seed", digest("seed", b"seed").hex()), ("slot", slot), *taken)


if __name__ == "__main__":
    chance_vectors()
    ln_vectors()
    embedding_vectors()
    screening_vectors()
    linucb_vectors()
    policy_vectors()
    vote_vectors()
    reward_vectors()
    map_vectors()
