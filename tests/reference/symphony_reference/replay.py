"""Chapter 12: replay, and the rules of chapters 05, 06, 08 and 10 that it applies, entry by entry."""

import dataclasses

from . import imports
from . import mathematics as m
from .encoding import HP, MESSAGES, H, Refused, canonical, pack, pack_all, require, u32, u64, unpack, unpack_all
from .keys import check_binding
from .records import ENTRY_SIZE_MAX, ISSUED, PARAMS_SIZE_MAX, RECEIVED, read, read_payload
from .state import StateMap
from .statements import name, read_statement

RULES = {
    "REPLAY-20": "malformed entry", "REPLAY-21": "broken chain", "REPLAY-22": "wrong genesis",
    "REPLAY-23": "statement out of place", "REPLAY-24": "due and not settled", "REPLAY-25": "deadline passed over",
    "REPLAY-26": "time-out without a deadline", "REPLAY-27": "two capabilities under one number",
    "REPLAY-28": "expired or revoked capability relied on", "REPLAY-29": "beacon outside the agreed terms",
    "REPLAY-30": "wrong match", "REPLAY-31": "two bids for one beacon", "REPLAY-32": "bid out of turn",
    "REPLAY-33": "wrong ranking", "REPLAY-34": "wrong selection", "REPLAY-35": "assignment against its selection",
    "REPLAY-36": "two receipts for one assignment", "REPLAY-37": "receipt without an assignment",
    "REPLAY-38": "reveal that does not open its ballot", "REPLAY-39": "wrong tally", "REPLAY-40": "wrong reward",
    "REPLAY-41": "settled twice", "REPLAY-42": "wrong state root", "REPLAY-43": "wrong answer of a task",
    "REPLAY-44": "checkpoint of another history", "REPLAY-45": "acknowledged or named entry missing or changed",
    "REPLAY-46": "fork", "REPLAY-47": "opening out of turn", "REPLAY-48": "wrong secret or seed",
    "REPLAY-49": "wrong propensity", "REPLAY-50": "two logs under one key", "REPLAY-51": "wrong import",
}
RULES_REVISION = 1
TASKS_MAX = 128  # BEACON-2
NO_DUTY, CLOSE, ASSIGN, REPLACE, SETTLE, SETTLE_VOID, DECIDE, CALL, DRAW = range(9)
DECISIONS = {CLOSE: "close", ASSIGN: "assignment_issued", REPLACE: "replacement", SETTLE: "settlement",
             SETTLE_VOID: "settlement", DECIDE: "task_decided", CALL: "call_issued", DRAW: "draw"}
DIRECTED = 1  # reach (BEACON-3)
BIDS, RECEIPT, REVEALS, OPENINGS = 1, 2, 3, 4  # phases (SETTLE-21)
PICKED, ASSIGNED, ANSWERED, REVEALED, FAILED, TIMED_OUT = range(1, 7)  # progress of a selection (REPLAY-2)
RESULT_ANSWERED, RESULT_UNPARSABLE = 1, 2  # classes of receipts (EXEC-6)
CHANCE = {16: "random", 17: "random-top", 18: "epsilon-greedy", 19: "thompson"}  # kinds of policies (CHANCE-10)
WON, VALID, INVALID, TIMEOUT, VOID = range(1, 6)  # classes of outcomes (SETTLE-7)


# REPLAY-15: an entry, a key, a step, and what stands in lists.
SOURCE, CLAIM = 64, 72
ENTRY, KEY, STEP, BID, NONCES, RANKED, SELECTION, PICK, OUTCOME, NAMED = 128, 320, 256, 156, 68, 24, 176, 48, 24, 72
WEIGHT_MAX = 9_216  # REPLAY-16
KEYS_LOOKED_UP = {
    "acknowledgement_received": 0, "resumed": 0, "root_recorded": 0, "policy_set": 1, "task_opened": 1, "timeout": 1,
    "task_decided": 1, "capability_issued": 1, "capability_received": 1, "revocation_issued": 1, "revocation_received": 1,
    "beacon_issued": 4, "bid_issued": 5, "bid_received": 5, "assignment_issued": 3, "assignment_received": 4,
    "receipt_issued": 2, "receipt_received": 2, "reveal_issued": 2, "reveal_received": 2, "close": 2, "replacement": 3,
    "settlement": 4, "call_issued": 1, "opening_issued": 1, "opening_received": 2, "draw": 2, "measures_imported": 1,
}


class Unusable(Exception):
    """REPLAY-4: nothing that this auditor can judge."""


class Fault(Exception):
    """REPLAY-11. `peer`, `log` and `entry` are filled in by who knows them."""

    def __init__(self, rule, expected, found, peer=None):
        super().__init__(rule, expected, found)
        self.rule, self.expected, self.found, self.peer, self.log, self.entry = rule, expected, found, peer, None, None


def hold(condition, rule, expected, found=""):
    if not condition:
        raise Fault(rule, expected, found)


@dataclasses.dataclass
class Entry:
    """An entry that can be read (REPLAY-20), with the findings that it gave when it was applied."""

    message: object
    kind: str
    statement: tuple = None  # author, kind, payload and name of the author's payload or the foreign statement in it
    beacon: object = None  # the foreign beacon of a bid_issued, or call of an opening_issued
    findings: list = dataclasses.field(default_factory=list)

    @property
    def body(self):
        return getattr(self.message, self.kind)

    def holds(self, name, issued):
        """Whether this is where a statement stands as issued, or as received (REPLAY-14)."""
        return self.kind.endswith("_issued" if issued else "_received") and self.statement[3] == name


def read_entry(data, network, author):
    """REPLAY-20: an entry that is canonical, in range, and holds valid statements; or Refused."""
    message = read("Entry", data, ENTRY_SIZE_MAX)
    entry = Entry(message, message.WhichOneof("body"))
    if entry.kind in ISSUED:
        kind, payload = ISSUED[entry.kind], entry.body.payload
        entry.statement = (author, kind, read_payload(kind, payload), name(kind, payload))
    if entry.kind in RECEIVED:
        foreign = read_statement(entry.body.statement, network, RECEIVED[entry.kind])
        entry.statement = (foreign.author, foreign.kind, foreign.payload, foreign.name)
    if entry.kind == "bid_issued":
        entry.beacon = read_statement(entry.body.beacon, network, "Beacon")
    if entry.kind == "measures_imported":
        imports.check(entry.body, network)
    if entry.kind == "opening_issued":
        entry.beacon = read_statement(entry.body.call, network, "Call")
    return entry


# ---- rules on an entry alone ------------------------------------------------------------------------------------------


def check_place(entry, log, author, index):
    """REPLAY-23."""
    if entry.kind in ISSUED:
        place = entry.statement[2].origin
        hold((place.log_id, place.index) == (log, index), "REPLAY-23", f"{log.hex()} {index}",
             f"{place.log_id.hex()} {place.index}")
    if entry.kind in RECEIVED and entry.kind != "acknowledgement_received":
        hold(entry.statement[0] != author, "REPLAY-23", "as issued", "as received")


def check_bid(bid, foreign, author, time):
    """BEACON-11, up to the deadline."""
    rule, beacon = "REPLAY-32", foreign.payload
    hold((bid.beacon, bid.coordinator) == (foreign.name, foreign.author), rule, foreign.name.hex(), bid.beacon.hex())
    hold(foreign.author != author, rule, "another peer's beacon", "an own one")
    hold(beacon.reach != DIRECTED or author in beacon.asked, rule, "to be asked", "not asked")
    check_nonce(bid, beacon)
    hold(time < beacon.close_deadline_ms, rule, beacon.close_deadline_ms, time)


def check_nonce(bid, beacon):
    """CHANCE-2."""
    hold(bool(bid.nonce_commitment) == bool(beacon.secret_commitment), "REPLAY-32", "a commitment where there is a secret", "")


def check_called(opening, call):
    """CHANCE-4: an opening answers the call beside it."""
    hold((opening.beacon, opening.coordinator) == (call.payload.beacon, call.author), "REPLAY-47", "the call", "another one")


def claims_alone(body, author):
    """IMPORT-2, IMPORT-3."""
    try:
        return imports.claims_of(body, author)
    except Refused as error:
        raise Fault("REPLAY-51", "measures of others under a root that the source signed", str(error)) from error


def check_order(assignment, author):
    """EXEC-4: an assignment to whom."""
    hold(assignment.executor == author, "REPLAY-35", author.hex(), assignment.executor.hex())


@dataclasses.dataclass
class Step:
    """What the beacon of an open step says, by which rules go on."""

    index: int
    beacon: object
    bucket: bytes


def read_genesis(data, network=None):
    """REPLAY-4: entry 0, or Unusable."""
    try:
        entry = read("Entry", data, ENTRY_SIZE_MAX)
        require(entry.WhichOneof("body") == "genesis" and entry.index == 0 and entry.previous == bytes(32), "no entry 0")
        genesis = entry.genesis
        require(genesis.params.rules_revision == RULES_REVISION, "rules that this auditor does not know")
        params = canonical(genesis.params)
        require(len(params) <= PARAMS_SIZE_MAX and H("network-id", params) == genesis.network_id, "params")
        check_binding(genesis.network_id, [genesis.log_key, genesis.transport_key, genesis.witness_key],
                      [genesis.log_signature, genesis.transport_signature, genesis.witness_signature])
        difficulty = genesis.params.admission_difficulty_bits
        require(int.from_bytes(H("log-id", data), "big") >> (256 - difficulty) == 0, "the stamp of admission")
        require(network in (None, genesis.network_id), "another network")
    except Refused as error:
        raise Unusable(f"entry 0: {error}") from error
    return entry


class Replay:
    """The fold over one log (REPLAY-1)."""

    def __init__(self, data, network=None):
        entry = read_genesis(data, network)
        self.params, self.network, self.author = entry.genesis.params, entry.genesis.network_id, entry.genesis.log_key
        self.log, self.last = H("log-id", data), H("entry", data)
        self.map, self.steps, self.capabilities = StateMap(), {}, {}
        self.map.put("clock", b"", MESSAGES["Clock"](entries=1, time_ms=entry.time_ms))
        self.map.put("counters", b"", MESSAGES["Counters"]())
        self.map.commit()

    # ---- the fold -----------------------------------------------------------------------------------------------------

    @property
    def clock(self):
        return self.map.get("clock")

    @property
    def size(self):
        return self.clock.entries

    def root(self):
        return self.map.root()

    def push(self, data):
        """Applies the next entry, or raises the fault and leaves the state as it was."""
        try:
            return self.apply(data)
        except Fault as fault:
            self.map.undo()
            fault.peer, fault.log, fault.entry = self.author, self.log, self.size
            raise

    def apply(self, data):
        try:
            entry = read_entry(data, self.network, self.author)
        except Refused as error:
            raise Fault("REPLAY-20", "an entry", str(error)) from error
        clock, message, kind = self.clock, entry.message, entry.kind
        hold(message.index == clock.entries, "REPLAY-21", clock.entries, message.index)
        hold(message.previous == self.last, "REPLAY-21", self.last.hex(), message.previous.hex())
        hold(message.time_ms >= clock.time_ms, "REPLAY-21", clock.time_ms, message.time_ms)
        self.check_turn(kind, entry.body, message.time_ms)
        self.now, self.index, self.findings = message.time_ms, message.index, entry.findings
        self.duty, self.duty_index, self.duty_slot = clock.duty, clock.duty_index, clock.duty_slot
        if kind != "root_recorded":
            self.set_duty(NO_DUTY)  # it is taken up here; bodies set the next one
        check_place(entry, self.log, self.author, self.index)
        getattr(self, kind)(entry.body, *(entry.statement or ()), *([entry.beacon] if entry.beacon else []))
        self.weigh(self.weight_of(kind, entry.body))
        edited = self.map.edit("clock")
        edited.entries, edited.time_ms = self.index + 1, self.now
        self.map.commit()
        self.last = H("entry", data)
        return entry

    def check_turn(self, kind, body, time):
        """REPLAY-16, REPLAY-5, SETTLE-21, SETTLE-8."""
        clock = self.clock
        if clock.weight >= WEIGHT_MAX:
            hold(kind == "root_recorded", "REPLAY-24", "root_recorded", kind)
            hold(time == clock.time_ms, "REPLAY-24", clock.time_ms, time)
            return
        if kind == "resumed":
            return
        if clock.duty:
            hold(kind == DECISIONS[clock.duty], "REPLAY-24", DECISIONS[clock.duty], kind)
            hold(time == clock.time_ms, "REPLAY-24", clock.time_ms, time)
            return
        hold(kind not in (*DECISIONS.values(), "root_recorded"), "REPLAY-41", "no decision", kind)
        if kind == "timeout":
            self.map.get("beacon/", u64(body.beacon))  # of a partial state, it must be known
        first = self.first_deadline()
        if kind == "timeout":
            place = (body.beacon, body.phase, body.slot)
            hold(first and first[1:] == place, "REPLAY-26", first, place)
            hold(time >= first[0], "REPLAY-26", first[0], time)
        elif first:
            hold(time < first[0], "REPLAY-25", first, f"{kind} at {time}")

    def first_deadline(self):
        """SETTLE-21: due time, index of the beacon, phase, slot."""
        deadlines = []
        for key, step in self.map.table("beacon/").items():
            index = int.from_bytes(key, "big")
            beacon = self.steps[index].beacon
            if not step.closed:
                deadlines.append((beacon.close_deadline_ms, index, BIDS, 0))
            deadlines += [(later(s.assigned_ms, beacon.execute_ms), index, RECEIPT, slot)
                          for slot, s in enumerate(step.selections) if s.progress == ASSIGNED]
            if step.openings_due_ms:
                deadlines.append((step.openings_due_ms, index, OPENINGS, 0))
            if step.reveal_due_ms:
                deadlines.append((step.reveal_due_ms, index, REVEALS, 0))
        return min(deadlines, default=None)

    def enqueue(self, table, rest, row, queued, begin, end, until):
        """REPLAY-2: a new row of a table with a queue, which forgets at most two old ones."""
        clock, queue = self.map.edit("clock"), table.replace("/", "-queue/")
        for _ in range(2):
            first = getattr(clock, begin)
            if first == getattr(clock, end):
                break
            oldest = self.map.get(queue, u64(first))
            named = oldest.assignment if table == "assignment/" else oldest.author + oldest.beacon
            held = self.map.get(table, named)
            if held and getattr(held, until) > self.now:
                break
            self.map.remove(table, named)
            self.map.remove(queue, u64(first))
            setattr(clock, begin, first + 1)
        self.map.put(table, rest, row)
        self.map.put(queue, u64(getattr(clock, end)), queued)
        setattr(clock, end, getattr(clock, end) + 1)

    # ---- weight (REPLAY-15) -------------------------------------------------------------------------------------------

    def weigh(self, size):
        self.map.edit("clock").weight += size

    def weight_of(self, kind, body):
        size = sum(len(getattr(body, field)) for field in ("payload", "statement", "beacon", "call")
                   if isinstance(getattr(body, field, None), bytes))
        keys = KEYS_LOOKED_UP[kind]
        if kind == "beacon_issued" and self.steps[self.index].beacon.HasField("own_bid"):
            keys += 3
        if kind in ("close", "draw"):
            keys += len(body.selections)
            size = sum(PICK + len(s.features) for s in body.selections)
            size += RANKED * len(body.ranking) if kind == "close" else len(body.secret) + len(body.seed)
        if kind == "measures_imported":
            size = len(canonical(body))
        if kind == "replacement":
            size = PICK + len(body.selection.features)
        if kind == "settlement":
            keys += 3 * len(body.outcomes)
            size = OUTCOME * len(body.outcomes)
        return ENTRY + KEY * keys + size

    def weigh_capability(self, peer):
        if self.map.get("capability/", peer):
            self.weigh(len(canonical(self.capabilities[peer])))

    def heard(self, bucket, peer):
        """IMPORT-5: the sources, and the claims about a peer that hold; nothing is looked up where there is no source."""
        if not self.map.get("counters").sources or peer == self.author:
            return [], {}, 0
        held, row = self.map.get("imports"), self.map.get("imported/", bucket + peer)
        sources = held.sources if held else []
        return sources, imports.holding(sources, row), len(row.claims) if row else 0

    def weigh_imports(self, bucket, peer):
        if self.map.get("counters").sources and peer != self.author:
            sources, _, claims = self.heard(bucket, peer)
            self.weigh(2 * KEY + SOURCE * len(sources) + CLAIM * claims)

    def weigh_model(self):
        state = self.map.get("policy")
        if state:
            self.weigh(NAMED * len(state.policy.named) + size_of_numbers(state.shared))

    def weigh_learned(self, step, peers):
        state = self.map.get("policy")
        if state and state.since == self.state_of(step).since and hasattr(m.Policy(parameters(state.policy)).rule, "peers"):
            for peer in peers:
                held = self.map.get("policy-peer/", peer)
                self.weigh(KEY + (size_of_numbers(held.own) if held else 0))

    def weigh_choice(self, step, candidates):
        self.weigh_step(step)
        self.weigh_model()
        self.weigh_learned(step, [one["peer"] for one in candidates])

    def weigh_step(self, step):
        clock, state = self.map.edit("clock"), self.state_of(step)
        if clock.weighed_step == step.index:
            return
        clock.weighed_step = step.index
        bid = BID + NONCES if step.beacon.secret_commitment else BID
        self.weigh(STEP + len(canonical(step.beacon)) + bid * len(state.candidates) + RANKED * len(state.ranking)
                   + NAMED * len(state.policy.named) + sum(SELECTION + len(s.features) for s in state.selections))

    def begin_weight(self):
        clock = self.map.edit("clock")
        clock.weight, clock.weighed_step = 0, 0

    def root_recorded(self, body):
        """REPLAY-16."""
        self.check_root(body.state_root)
        self.begin_weight()

    def set_duty(self, duty, index=0, slot=0):
        clock = self.map.edit("clock")
        clock.duty, clock.duty_index, clock.duty_slot = duty, index, slot

    def find(self, rule, peer, expected, found):
        """REPLAY-9."""
        finding = Fault(rule, expected, found, peer)
        finding.log, finding.entry = self.log, self.index
        self.findings.append(finding)

    # ---- policy, capabilities, tasks (05, BEACON-2) ---------------------------------------------------------------------

    def genesis(self, body):
        raise Fault("REPLAY-22", "a genesis only as entry 0", "another one")

    def policy_set(self, body):
        """CAP-4, SELECT-27."""
        hold(not self.clock.bidding, "REPLAY-29", "no beacon open for bids", "a change of policy")
        state = MESSAGES["PolicyState"](policy=body.policy, since=self.index)
        if body.keep:
            earlier = self.map.get("policy")
            hold(earlier and follows(body.policy, earlier.policy), "REPLAY-29", "a policy that learns like the one before", "another")
            state.CopyFrom(earlier)
            state.policy.CopyFrom(body.policy)
            self.map.put("policy", b"", state)
            return
        self.keep_model(m.Policy(parameters(body.policy)), state)

    def measures_imported(self, body):
        """IMPORT-2 to IMPORT-5."""
        rule, counters = "REPLAY-51", self.map.edit("counters")
        claims = claims_alone(body, self.author)
        held = self.map.get("imports") if counters.sources else None
        state = clone(held) if held else MESSAGES["ImportsState"]()
        known = next((one for one in state.sources if one.peer == body.source), None)
        if not body.weight_ppm:
            hold(known, rule, "a source that is taken in", body.source.hex())
            state.sources.remove(known)
        else:
            size, odds = imports.read_checkpoint(body.checkpoint, body.source).size, m.ratio(body.weight_ppm)
            hold(not known or size >= known.size, rule, "a checkpoint at least as large as the one before", size)
            hold(known or len(state.sources) < imports.SOURCES_MAX, rule, "four sources", "a fifth")
            if known:
                known.size, known.odds = size, pack(min(unpack(known.odds), odds))
            else:
                new = MESSAGES["SourceState"](peer=body.source, size=size, odds=pack(odds))
                kept = sorted([*state.sources, new], key=lambda one: one.peer)
                state = MESSAGES["ImportsState"](sources=kept)
        for rest, claim in claims:
            row = self.map.get("imported/", rest)
            self.weigh(KEY + CLAIM * (len(row.claims) if row else 0))
            held = {**imports.holding(state.sources, row), claim.source: claim}
            self.map.put("imported/", rest, MESSAGES["ImportedState"](claims=[held[source] for source in sorted(held)]))
        counters.sources = len(state.sources)
        self.map.put("imports", b"", state) if state.sources else self.map.remove("imports", b"")

    def capability_issued(self, body, author, kind, capability, digest):
        self.weigh_capability(author)
        known = self.map.get("capability/", author)
        hold(not known or capability.sequence > known.sequence, "REPLAY-27", "a higher number", capability.sequence)
        self.keep_capability(author, capability, digest)

    def capability_received(self, body, author, kind, capability, digest):
        self.weigh_capability(author)
        known = self.map.get("capability/", author)
        if known and capability.sequence == known.sequence and digest != known.statement:
            self.find("REPLAY-27", author, known.statement.hex(), digest.hex())
            return
        hold(not known or capability.sequence > known.sequence, "REPLAY-28", "a newer capability", capability.sequence)
        self.keep_capability(author, capability, digest)

    def keep_capability(self, author, capability, digest):
        state = MESSAGES["CapabilityState"](entry=self.index, sequence=capability.sequence, statement=digest)
        self.map.put("capability/", author, state)
        self.capabilities[author] = capability

    def revocation_issued(self, body, author, kind, revocation, digest):
        self.weigh_capability(author)
        known = self.map.get("capability/", author)
        if known and known.sequence == revocation.sequence:
            self.map.edit("capability/", author).revoked = True

    revocation_received = revocation_issued

    def reliance(self, peer, named):
        """CAP-9: the newest capability of a peer, if it is the one that is named."""
        known = self.map.get("capability/", peer)
        hold(known and named(known), "REPLAY-28", "the newest capability", "another one")
        hold(not known.revoked, "REPLAY-28", "a capability that holds", "a revoked one")
        capability = self.capabilities[peer]
        hold(capability.valid_from_ms <= self.now < capability.valid_until_ms, "REPLAY-28",
             (capability.valid_from_ms, capability.valid_until_ms), self.now)
        return capability

    def task_opened(self, body):
        hold(len(self.clock.open_tasks) < TASKS_MAX, "REPLAY-29", f"at most {TASKS_MAX} open tasks", "one more")
        plans = [MESSAGES["PlanState"](steps=steps, score_sum=pack(0.0)) for steps in body.plan_steps]
        self.map.put("task/", u64(self.index), MESSAGES["TaskState"](key_commitment=body.key_commitment, plans=plans))
        self.map.edit("clock").open_tasks.append(self.index)
        self.map.edit("counters").tasks += 1

    # ---- beacon and bid (06) --------------------------------------------------------------------------------------------

    def match(self, capability, beacon):
        """BEACON-8; and the similarity."""
        offered, required = m.embedding(capability.embedding), m.embedding(beacon.embedding)
        return m.match_ppm(capability.tags, offered, beacon.tags, required), m.similarity(offered, required)

    def own_match(self, capability, beacon, claimed):
        phi, similarity = self.match(capability, beacon)
        hold(claimed == phi, "REPLAY-30", phi, claimed)
        hold(phi >= self.params.match_threshold_ppm, "REPLAY-32", self.params.match_threshold_ppm, phi)
        return similarity

    def beacon_issued(self, body, author, kind, beacon, digest):
        terms, params = "REPLAY-29", self.params
        task = self.map.get("task/", u64(beacon.task))
        hold(task and beacon.plan < len(task.plans), terms, "an open task and its plan", (beacon.task, beacon.plan))
        plan = task.plans[beacon.plan]
        hold(not plan.open and not plan.finished and plan.steps_done == beacon.step, terms, "the next step of a ready plan",
             beacon.step)
        policy = self.map.get("policy")
        hold(policy and beacon.policy == H("policy", canonical(policy.policy)), terms, "the policy", beacon.policy.hex())
        chance = policy.policy.kind in CHANCE
        hold(chance == bool(beacon.secret_commitment), terms, "a commitment under chance alone", beacon.secret_commitment.hex())
        window = beacon.close_deadline_ms - self.now
        hold(0 < window <= params.bid_window_ms_max, terms, params.bid_window_ms_max, window)
        hold(beacon.close_bids <= params.bids_max, terms, params.bids_max, beacon.close_bids)
        hold(beacon.execute_ms <= params.execute_ms_max, terms, params.execute_ms_max, beacon.execute_ms)
        hold(beacon.reveal_ms <= params.reveal_ms_max, terms, params.reveal_ms_max, beacon.reveal_ms)
        step = MESSAGES["BeaconState"](statement=digest, policy=policy.policy, since=policy.since)
        if beacon.HasField("own_bid"):
            own = beacon.own_bid
            capability = self.reliance(author, lambda known: known.entry == own.capability)
            similarity = self.own_match(capability, beacon, own.match_ppm)
            bucket = bucket_of(beacon)
            step.candidates.add(bid=self.index, peer=author, statement=digest, similarity=pack(similarity),
                                load_ppm=own.load_ppm, eligible=True, **self.standing(bucket, author))
            self.weigh_capability(author)
        self.weigh_model()
        self.map.edit("task/", u64(beacon.task)).plans[beacon.plan].open = True
        self.map.put("beacon/", u64(self.index), step)
        self.map.edit("clock").open_beacons.append(self.index)
        self.map.edit("clock").bidding += 1
        self.map.put("name/", digest, MESSAGES["NameState"](beacon=self.index))
        self.add_step(self.index, beacon)

    def add_step(self, index, beacon):
        self.steps[index] = Step(index, beacon, bucket_of(beacon))

    def bid_issued(self, body, author, kind, bid, digest, foreign):
        """BEACON-11."""
        beacon = foreign.payload
        check_bid(bid, foreign, author, self.now)
        hold(not self.map.get("bid/", foreign.author + bid.beacon), "REPLAY-31", "one bid", "a second one")
        capability = self.reliance(author, lambda known: known.statement == bid.capability)
        self.own_match(capability, beacon, bid.match_ppm)
        self.weigh_capability(author)
        until = later(beacon.close_deadline_ms, beacon.reveal_ms if beacon.secret_commitment else 0)
        row = MESSAGES["OwnBidState"](entry=self.index, until_ms=until, nonce_commitment=bid.nonce_commitment)
        self.enqueue("bid/", foreign.author + bid.beacon, row,
                     MESSAGES["QueuedBid"](author=foreign.author, beacon=bid.beacon), "bids_begin", "bids_end", "until_ms")

    def bid_received(self, body, author, kind, bid, digest):
        """BEACON-13."""
        turn = "REPLAY-32"
        hold(bid.coordinator == self.author, turn, self.author.hex(), bid.coordinator.hex())
        place = self.map.get("name/", bid.beacon)
        step = self.step_of(place.beacon) if place else None
        hold(step and not place.selection and not self.state_of(step).closed, turn, "an open beacon of this log", bid.beacon.hex())
        hold(step.beacon.reach != DIRECTED or author in step.beacon.asked, turn, "a peer that is asked", author.hex())
        self.weigh_step(step)
        held = next((c for c in self.state_of(step).candidates if c.peer == author), None)
        hold(not held or held.statement != digest, turn, "a bid once", "twice")
        if held:
            self.find("REPLAY-31", author, held.statement.hex(), digest.hex())
            return
        check_nonce(bid, step.beacon)
        capability = self.reliance(author, lambda known: known.statement == bid.capability)
        phi, similarity = self.match(capability, step.beacon)
        threshold = self.params.match_threshold_ppm
        if bid.match_ppm != phi:
            self.find("REPLAY-30", author, phi, bid.match_ppm)
        elif phi < threshold:
            self.find("REPLAY-32", author, threshold, phi)
        state = self.edit_step(step)
        state.candidates.add(bid=self.index, peer=author, statement=digest, similarity=pack(similarity),
                             load_ppm=bid.load_ppm, price_share_ppm=price_share(state.policy, bid.price_microunits),
                             eligible=bid.match_ppm == phi and phi >= threshold,
                             nonce_commitment=bid.nonce_commitment, **self.standing(step.bucket, author))
        self.weigh_capability(author)
        self.weigh_imports(step.bucket, author)
        if sum(c.peer != self.author for c in state.candidates) >= step.beacon.close_bids:
            self.set_duty(CLOSE, step.index)

    def state_of(self, step):
        return self.map.get("beacon/", u64(step.index))

    def edit_step(self, step):
        return self.map.edit("beacon/", u64(step.index))

    # ---- measures and candidates (SETTLE-12 to SETTLE-16) ---------------------------------------------------------------

    def peer_measures(self, peer):
        return self.map.get("peer/", peer) or MESSAGES["PeerMeasures"](
            latency_ms=pack(float(self.params.latency_start_ms)), failure=pack(0.0))

    def bucket_measures(self, bucket, peer):
        return self.map.get("bucket/", bucket + peer) or self.fresh_bucket()

    def fresh_bucket(self):
        s, f = self.params.prior_success_milli, self.params.prior_failure_milli
        return MESSAGES["BucketMeasures"](reputation=pack(s / (s + f)), reliability=pack(m.RELIABILITY_START))

    def start(self):
        return self.params.prior_success_milli, self.params.prior_failure_milli

    def prior(self, bucket, peer):
        s, f = self.params.prior_success_milli, self.params.prior_failure_milli
        measures = self.bucket_measures(bucket, peer)
        return (1000 * measures.wins + s) / (1000 * measures.settlements + (s + f))

    def standing(self, bucket, peer):
        """SETTLE-16: what is fixed with a bid."""
        measures, held = self.peer_measures(peer), self.bucket_measures(bucket, peer)
        sources, claims, _ = self.heard(bucket, peer)
        prior, reputation = imports.mixed(sources, claims, held, self.prior(bucket, peer), *self.start())
        return {
            "prior": pack(prior), "availability": pack(1 - unpack(measures.failure)),
            "latency": pack(m.unit(unpack(measures.latency_ms) / self.params.latency_scale_ms)),
            "reputation": pack(reputation), "newcomer": held.settlements < self.params.newcomer_settlements,
            "settled_at_close": held.settled_at_close,
        }

    def candidate(self, step, held):
        """SETTLE-16."""
        numbers = {name: unpack(getattr(held, name))
                   for name in ("similarity", "prior", "latency", "availability", "reputation")}
        named = any((one.bucket, one.peer) == (step.bucket, held.peer) for one in self.state_of(step).policy.named)
        return {"peer": held.peer, "bid": held.bid, "newcomer": held.newcomer, "settled_at_close": held.settled_at_close,
                "load": m.ratio(held.load_ppm), "named": named, **numbers}

    def model(self, peers):
        """The policy in force, with what it learned of these peers."""
        state = self.map.get("policy")
        policy = m.Policy(parameters(state.policy))
        policy.choices, policy.settled = state.choices, state.settled
        if state.HasField("shared"):
            into = policy.rule.model if isinstance(policy.rule, m.OneForAll) else policy.rule
            fill(into, state.shared)
        if hasattr(policy.rule, "peers"):
            for peer in peers:
                held = self.map.get("policy-peer/", peer)
                if held and held.since == state.since:
                    policy.rule.peers[peer] = fill(policy.rule.of(peer), held.own)
        return policy

    def keep_model(self, policy, state=None):
        state = clone(state or self.map.get("policy"))
        state.choices, state.settled = policy.choices, policy.settled
        rule = policy.rule
        if isinstance(rule, (m.OneForAll, m.Hybrid)):
            state.shared.CopyFrom(numbers_of(rule.model if isinstance(rule, m.OneForAll) else rule))
        self.map.put("policy", b"", state)
        for peer, model in getattr(rule, "peers", {}).items():
            self.map.put("policy-peer/", peer, MESSAGES["PolicyPeerState"](since=state.since, own=numbers_of(model)))

    def check_learned(self):
        """EVIDENCE-11: of a part of a state, that its numbers are those of its policy."""
        state = self.map.table("policy").get(b"")
        if state is None:
            return
        rule = m.Policy(parameters(state.policy)).rule
        require(state.HasField("shared") == isinstance(rule, (m.OneForAll, m.Hybrid)), "a policy that shares otherwise")
        if state.HasField("shared"):
            fill(rule.model if isinstance(rule, m.OneForAll) else rule, state.shared)
        for peer, held in self.map.table("policy-peer/").items():
            if held.since == state.since:
                require(hasattr(rule, "peers"), "a policy that learns nothing of a peer by itself")
                fill(rule.of(peer), held.own)

    def selector(self, step, peers):
        """SELECT-27: what selects in a step, and whether it is the policy in force."""
        if self.map.get("policy").since == self.state_of(step).since:
            return self.model(peers), True
        return m.Policy(m.Parameters("screening", *[10**6] * 7)), False

    # ---- close, assignments, replacement (BEACON-12, EXEC-1, EXEC-13) -----------------------------------------------------

    def check_root(self, claimed):
        root = self.root()
        hold(claimed == root, "REPLAY-42", root.hex(), claimed.hex())

    def step_due(self, index):
        hold(index == self.duty_index, "REPLAY-24", self.duty_index, index)
        return self.step_of(index)

    def step_with_root(self, body):
        """The step that is due, under the root that the decision records: compared first, before anything is looked up."""
        hold(body.beacon == self.duty_index, "REPLAY-24", self.duty_index, body.beacon)
        self.check_root(body.state_root)
        return self.step_of(body.beacon)

    def step_of(self, index):
        """An open step."""
        self.map.get("beacon/", u64(index))
        return self.steps[index]

    def take_selection(self, step, candidates, chosen, model):
        """Counts a selection (SETTLE-15) and adds it to its step."""
        place, bid, *_, number = chosen
        peer = candidates[place]["peer"]
        x = m.features(model.kind, candidates[place])
        self.edit_step(step).selections.add(bid=bid, executor=peer, features=pack_all(x), progress=PICKED, number=number)
        measures = self.peer_measures(peer)
        if not self.map.get("peer/", peer):
            self.map.put("peer/", peer, measures)
        self.map.edit("peer/", peer).selections += 1
        counters = self.map.edit("counters")
        counters.selections += 1
        counters.self_selections += peer == self.author

    def same_selection(self, claimed, chosen, model, candidates):
        place, bid, estimate, width, *_ = chosen
        x = pack_all(m.features(model.kind, candidates[place]))
        return (claimed.bid, claimed.features, claimed.estimate, claimed.width) == (bid, x, pack(estimate), pack(width))

    def check_picks(self, claimed, picks, model, candidates, propensities=None):
        """SELECT-20, CHANCE-8."""
        hold(len(picks) == len(claimed) and all(self.same_selection(one, chosen, model, candidates)
                                                for one, chosen in zip(claimed, picks)),
             "REPLAY-34", [bid for _, bid, *_ in picks], [one.bid for one in claimed])
        expected = [pack(one) for one in propensities] if propensities else [b""] * len(picks)
        hold([one.propensity for one in claimed] == expected, "REPLAY-49", propensities, [one.propensity for one in claimed])

    def close(self, body):
        step = self.step_with_root(body)
        state, params = self.edit_step(step), self.params
        counters = self.map.edit("counters")
        counters.closes += 1
        explores = params.newcomer_interval > 0 and counters.closes % params.newcomer_interval == 0
        alone = step.beacon.executors == 1 and counters.closes % (8 * params.newcomer_interval) != 0 if explores else False
        explores = ("newcomers" if alone else f"everybody-{counters.closes}") if explores else "off"
        if counters.closes <= state.policy.warm_up_closes:
            explores = f"in-turn-{counters.closes - 1}"  # SELECT-28
        candidates = [self.candidate(step, c) for c in state.candidates if c.eligible]
        weights = (params.screening_similarity_ppm, params.screening_prior_ppm, params.screening_stability_ppm)
        chance, everybody = state.policy.kind in CHANCE, CHANCE.get(state.policy.kind) == "random"
        ranking = m.rank(candidates, weights, 32 if everybody else step.beacon.shortlist, explores)
        shortlist = [candidates[i] for i, _, _ in ranking]
        # Looked up before anything is compared (EVIDENCE-12).
        model, in_force = self.selector(step, [one["peer"] for one in shortlist])
        hold([(r.bid, r.score) for r in body.ranking] == [(bid, pack(score)) for _, bid, score in ranking], "REPLAY-33",
             [bid for _, bid, _ in ranking], [r.bid for r in body.ranking])
        picks, after = ([], model) if chance else m.pick(model, shortlist, step.beacon.executors, 0, explores)
        self.check_picks(body.selections, picks, model, shortlist)
        self.begin_weight()
        self.weigh_choice(step, shortlist)
        state.closed = True
        self.map.edit("clock").bidding -= not chance
        for _, bid, score in ranking:
            state.ranking.add(bid=bid, score=pack(score))
        ranked = [clone(c) for c in state.candidates if any(c.bid == r.bid for r in state.ranking)]
        del state.candidates[:]
        state.candidates.extend(ranked)
        for chosen in picks:
            self.take_selection(step, shortlist, chosen, model)
        if in_force and not chance:
            self.keep_model(after)
        self.set_duty(ASSIGN if picks else SETTLE, step.index)
        if chance and ranking:
            self.set_duty(CALL if self.closed_nonces(step) else DRAW, step.index)

    # ---- chance (18) --------------------------------------------------------------------------------------------------------

    def ranked(self, step):
        """The bids of the ranking, in the order of their entries."""
        state = self.state_of(step)
        places = {r.bid for r in state.ranking}
        return [c for c in state.candidates if c.bid in places]

    def closed_nonces(self, step):
        return [c for c in self.ranked(step) if c.nonce_commitment and not c.nonce]

    def call_issued(self, body, author, kind, call, digest):
        """CHANCE-3."""
        step = self.step_due(self.duty_index)
        hold(call.beacon == self.state_of(step).statement, "REPLAY-24", "the step that is due", call.beacon.hex())
        hold(call.close == self.last, "REPLAY-47", self.last.hex(), call.close.hex())
        self.weigh_step(step)
        self.edit_step(step).openings_due_ms = later(self.now, step.beacon.reveal_ms)

    def opening_issued(self, body, author, kind, opening, digest, call):
        """CHANCE-4."""
        check_called(opening, call)
        own = self.map.get("bid/", opening.coordinator + opening.beacon)
        hold(own and own.nonce_commitment and self.now < own.until_ms, "REPLAY-47", "a closed nonce", "none")
        hold(own.nonce_commitment == nonce_commitment(opening, author), "REPLAY-47", own.nonce_commitment.hex(), "another one")
        self.map.edit("bid/", opening.coordinator + opening.beacon).nonce_commitment = b""

    def opening_received(self, body, author, kind, opening, digest):
        """CHANCE-4."""
        hold(opening.coordinator == self.author, "REPLAY-47", self.author.hex(), opening.coordinator.hex())
        place = self.map.get("name/", opening.beacon)
        step = self.step_of(place.beacon) if place else None
        hold(step and not place.selection and self.state_of(step).openings_due_ms, "REPLAY-47", "a beacon that is called", opening.beacon.hex())
        self.weigh_step(step)
        bid = next((c for c in self.closed_nonces(step) if c.peer == author), None)
        hold(bid, "REPLAY-47", "a closed nonce of the ranking", author.hex())
        hold(bid.nonce_commitment == nonce_commitment(opening, author), "REPLAY-47", bid.nonce_commitment.hex(), "another one")
        next(c for c in self.edit_step(step).candidates if c.bid == bid.bid).nonce = opening.nonce
        if not self.closed_nonces(step):
            self.end_openings(step)

    def end_openings(self, step):
        self.edit_step(step).openings_due_ms = 0
        self.set_duty(DRAW, step.index)

    def draw(self, body):
        """CHANCE-5, CHANCE-6."""
        step = self.step_with_root(body)
        state = self.edit_step(step)
        commitment = HP("secret", [self.log, u64(step.index), body.secret])
        hold(step.beacon.secret_commitment == commitment, "REPLAY-48", step.beacon.secret_commitment.hex(), commitment.hex())
        parts = [part for c in self.ranked(step) if c.nonce for part in (c.peer, c.nonce)]
        seed = HP("seed", [state.statement, body.secret, *parts])
        hold(seed == body.seed, "REPLAY-48", seed.hex(), body.seed.hex())
        closed = self.closed_nonces(step)
        everyone = {c.bid: self.candidate(step, c) for c in state.candidates if c.eligible}
        out = {c.bid for c in closed}
        candidates = [everyone[r.bid] for r in state.ranking if r.bid not in out]
        model, in_force = self.selector(step, [one["peer"] for one in candidates])
        picks, propensities, after = m.draw(model, candidates, step.beacon.executors, 0, m.Stream(seed, 0))
        self.check_picks(body.selections, picks, model, candidates, propensities)
        self.begin_weight()
        self.weigh_choice(step, candidates)
        self.weigh(KEY * len(closed))
        kept = [(r.bid, r.score) for r in state.ranking if r.bid not in out]
        del state.ranking[:]
        for bid, score in kept:
            state.ranking.add(bid=bid, score=score)
        counters = self.map.edit("counters")
        counters.draws += 1
        counters.openings_missed += len(closed)
        for c in closed:
            measures = self.map.put("peer/", c.peer, clone(self.peer_measures(c.peer)))
            measures.failure = pack(mean(unpack(measures.failure), 1.0, m.ratio(self.params.failure_weight_ppm)))
            measures.timeouts += 1
        state.seed = seed
        self.map.edit("clock").bidding -= 1
        for chosen in picks:
            self.take_selection(step, candidates, chosen, model)
        if in_force:
            self.keep_model(after)
        self.set_duty(ASSIGN if picks else SETTLE, step.index)

    def assignment_issued(self, body, author, kind, assignment, digest):
        hold(assignment.slot == self.duty_slot, "REPLAY-24", self.duty_slot, assignment.slot)
        step = self.step_of(self.duty_index)
        state, rule = self.edit_step(step), "REPLAY-35"
        hold(assignment.beacon == state.statement, "REPLAY-24", state.statement.hex(), assignment.beacon.hex())
        self.weigh_step(step)
        selection = state.selections[self.duty_slot]
        commitment = self.map.get("task/", u64(step.beacon.task)).key_commitment
        hold(assignment.executor == selection.executor, rule, selection.executor.hex(), assignment.executor.hex())
        hold(assignment.key_commitment == commitment, rule, commitment.hex(), assignment.key_commitment.hex())
        times = (step.beacon.execute_ms, step.beacon.reveal_ms)
        hold((assignment.execute_ms, assignment.reveal_ms) == times, rule, times, (assignment.execute_ms, assignment.reveal_ms))
        selection.assignment, selection.assigned_ms, selection.progress = digest, self.now, ASSIGNED
        self.map.put("name/", digest, MESSAGES["NameState"](beacon=step.index, selection=self.duty_slot + 1))
        waiting = [slot for slot, other in enumerate(state.selections) if other.progress == PICKED]
        if waiting:
            self.set_duty(ASSIGN, step.index, waiting[0])

    def replacement(self, body):
        hold((body.beacon, body.slot) == (self.duty_index, self.duty_slot), "REPLAY-24", (self.duty_index, self.duty_slot),
             (body.beacon, body.slot))
        step = self.step_of(body.beacon)
        state = self.edit_step(step)
        taken = {s.bid for s in state.selections}
        everyone = {c.bid: self.candidate(step, c) for c in state.candidates if c.eligible}
        candidates = [everyone[r.bid] for r in state.ranking if r.bid not in taken]
        newcomers = sum(everyone[bid]["newcomer"] for bid in taken)
        model, in_force = self.selector(step, [one["peer"] for one in candidates])
        propensities = None
        if state.seed and in_force:
            (chosen,), propensities, after = m.draw(model, candidates, 1, newcomers, m.Stream(state.seed, len(taken)))
        else:
            (chosen,), after = m.pick(model, candidates, 1, newcomers, "off")
        self.check_picks([body.selection], [chosen], model, candidates, propensities)
        self.weigh_choice(step, candidates)
        state.selections[body.slot].replaced = True
        self.take_selection(step, candidates, chosen, model)
        if in_force:
            self.keep_model(after)
        self.set_duty(ASSIGN, step.index, len(state.selections) - 1)

    # ---- receipts and reveals (08) ----------------------------------------------------------------------------------------

    def pending(self, assignment):
        """The step and slot of a selection under this assignment, or None."""
        place = self.map.get("name/", assignment)
        if not place or not place.selection:
            return None
        step = self.step_of(place.beacon)
        self.weigh_step(step)
        return step, place.selection - 1

    def remembered(self, assignment):
        """EXEC-9: what the author was ordered to execute, and may still reveal."""
        own = self.map.get("assignment/", assignment)
        return own if own and self.now < own.reveal_until_ms else None

    def assignment_received(self, body, author, kind, assignment, digest):
        check_order(assignment, self.author)
        hold(not self.remembered(digest), "REPLAY-35", "an assignment once", "twice")
        row = MESSAGES["OwnAssignmentState"](
            entry=self.index, receipt_until_ms=later(self.now, assignment.execute_ms),
            reveal_until_ms=later(self.now, 32 * assignment.execute_ms + assignment.reveal_ms))
        self.enqueue("assignment/", digest, row, MESSAGES["QueuedAssignment"](assignment=digest), "orders_begin", "orders_end",
                     "reveal_until_ms")

    def receipt_issued(self, body, author, kind, receipt, digest):
        """EXEC-8, EXEC-9."""
        pending = self.pending(receipt.assignment)
        if pending:
            hold(self.selection(pending).executor == author, "REPLAY-37", "an assignment", "none")
            self.take_receipt(pending, author, receipt, digest)
            return
        own = self.remembered(receipt.assignment)
        hold(own, "REPLAY-37", "an assignment", "none")
        hold(not own.receipt, "REPLAY-36", "one receipt", "a second one")
        hold(self.now <= own.receipt_until_ms, "REPLAY-37", own.receipt_until_ms, self.now)
        own = self.map.edit("assignment/", receipt.assignment)
        own.receipt, own.ballot = True, receipt.ballot if class_of(receipt) == RESULT_ANSWERED else b""

    def receipt_received(self, body, author, kind, receipt, digest):
        pending = self.pending(receipt.assignment)
        if pending:
            executor = self.selection(pending).executor
            hold(executor == author, "REPLAY-37", executor.hex(), author.hex())
            self.take_receipt(pending, author, receipt, digest)

    def selection(self, pending):
        step, slot = pending
        return self.state_of(step).selections[slot]

    def take_receipt(self, pending, author, receipt, digest):
        """EXEC-12."""
        step, slot = pending
        selection = self.selection(pending)
        if selection.receipt:
            if selection.receipt != digest:
                self.blame("REPLAY-36", author, selection.receipt.hex(), digest.hex())
            return
        selection = self.edit_step(step).selections[slot]
        selection.receipt = digest
        if selection.progress != ASSIGNED:
            return  # late
        selection.latency_ms = self.now - selection.assigned_ms
        result = class_of(receipt)
        selection.progress = {RESULT_ANSWERED: ANSWERED, RESULT_UNPARSABLE: REVEALED}.get(result, FAILED)
        if result == RESULT_ANSWERED:
            selection.ballot = receipt.ballot
        self.execution_ended(step, slot)

    def blame(self, rule, peer, expected, found):
        """A finding against another peer; of the author, its own fault (EXEC-8)."""
        hold(peer != self.author, rule, expected, found)
        self.find(rule, peer, expected, found)

    def execution_ended(self, step, slot):
        """SETTLE-20."""
        state = self.edit_step(step)
        taken = {s.bid for s in state.selections}
        if state.selections[slot].progress in (FAILED, TIMED_OUT) and any(r.bid not in taken for r in state.ranking):
            self.set_duty(REPLACE, step.index, slot)
        elif any(s.progress == ASSIGNED for s in state.selections):
            pass
        elif not any(s.progress == ANSWERED for s in state.selections):
            self.set_duty(SETTLE, step.index)
        else:
            state.reveal_due_ms = later(self.now, step.beacon.reveal_ms)

    def reveal_issued(self, body, author, kind, reveal, digest):
        """EXEC-8."""
        rule, pending = "REPLAY-38", self.pending(reveal.assignment)
        if pending:
            selection = self.selection(pending)
            hold(selection.executor == author and selection.progress == ANSWERED, rule, "a closed ballot", "none")
            self.take_reveal(pending, author, reveal, parses=True, checker=0)
            return
        own = self.remembered(reveal.assignment)
        hold(own and own.ballot and opens(reveal, author, own.ballot), rule, "the opening of a ballot", "none")
        self.map.remove("assignment/", reveal.assignment)

    def reveal_received(self, body, author, kind, reveal, digest):
        """EXEC-14, SETTLE-6."""
        policy = body.checker and self.map.get("policy")
        hold(not body.checker or policy and policy.policy.checker_ppm, "REPLAY-40", "no checker", body.checker)
        pending = self.pending(reveal.assignment)
        if pending:
            executor = self.selection(pending).executor
            hold(executor == author, "REPLAY-38", executor.hex(), author.hex())
            if self.selection(pending).progress == ANSWERED:
                self.take_reveal(pending, author, reveal, parses=body.check == 1, checker=body.checker)

    def take_reveal(self, pending, author, reveal, parses, checker):
        step, slot = pending
        hold(self.state_of(step).reveal_due_ms, "REPLAY-38", "all executions ended", "one goes on")
        if not opens(reveal, author, self.selection(pending).ballot):
            self.blame("REPLAY-38", author, self.selection(pending).ballot.hex(), "another ballot")
            return
        state = self.edit_step(step)
        selection = state.selections[slot]
        selection.progress, selection.ballot = REVEALED, b""
        selection.confidence_ppm, selection.checker = reveal.confidence_ppm, checker
        selection.answer = reveal.answer if parses else b""
        if not any(s.progress == ANSWERED for s in state.selections):
            self.set_duty(SETTLE, step.index)

    def acknowledgement_received(self, body, author, kind, acknowledgement, digest):
        pass

    # ---- time-outs, resuming (SETTLE-8, SETTLE-10) --------------------------------------------------------------------------

    def timeout(self, body):
        step = self.step_of(body.beacon)
        self.weigh_step(step)
        if body.phase == BIDS:
            self.set_duty(CLOSE, step.index)
        elif body.phase == OPENINGS:
            self.end_openings(step)
        elif body.phase == REVEALS:
            self.set_duty(SETTLE, step.index)
        else:
            self.edit_step(step).selections[body.slot].progress = TIMED_OUT
            self.map.edit("counters").timeouts += 1
            self.execution_ended(step, body.slot)

    def resumed(self, body):
        self.next_void()

    def next_void(self):
        """SETTLE-10: the first open step is settled as void; after the last, the first open task is decided."""
        clock = self.map.edit("clock")
        steps, tasks = clock.open_beacons, clock.open_tasks
        duty, index = (SETTLE_VOID, steps[0]) if steps else (DECIDE, tasks[0]) if tasks else (NO_DUTY, 0)
        clock.resuming = duty != NO_DUTY
        self.set_duty(duty, index)

    # ---- settlement (09, 10) --------------------------------------------------------------------------------------------------

    def weight(self, step, selection):
        """VOTE-2."""
        rule, reliability = self.state_of(step).policy.vote_rule, self.reliability(step, selection)
        if rule == 1:
            return m.log_odds(reliability)
        if rule == 2:
            return next(unpack(r.score) for r in self.state_of(step).ranking if r.bid == selection.bid)
        return 1.0

    def reliability(self, step, selection):
        return unpack(self.bucket_measures(step.bucket, selection.executor).reliability)

    def outcomes(self, step, tally):
        """SETTLE-7: class, latency, reward of each selection."""
        for s in self.state_of(step).selections:
            policy = self.state_of(step).policy
            bonus = 0 if step.beacon.executors == 1 else policy.winner_bonus_ppm
            terms = (bonus, policy.latency_penalty_ppm, self.params.latency_scale_ms, policy.checker_ppm, policy.price_ppm)
            if s.progress == TIMED_OUT:
                yield TIMEOUT, 0, 0.0
            elif not s.answer:
                yield INVALID, s.latency_ms, 0.0
            else:
                won = bool(tally and tally[4] and tally[0] == s.answer)
                yield (WON if won else VALID), s.latency_ms, m.reward(terms, (won, s.latency_ms, s.checker == 1, self.share(step, s)))[2]

    def share(self, step, selection):
        return next(c.price_share_ppm for c in self.state_of(step).candidates if c.bid == selection.bid)

    def settlement(self, body):
        step, void = self.step_with_root(body), self.duty == SETTLE_VOID
        state = self.state_of(step)
        tally, outcomes = None, [(VOID, 0, 0.0)] * len(state.selections)
        if not void:
            tally = m.tally([(s.executor, "coordinator" if s.executor == self.author else "peer", s.answer, s.confidence_ppm,
                              self.weight(step, s)) for s in state.selections if s.answer])
            outcomes = list(self.outcomes(step, tally))
        answer, weight, supporters = (tally[0], pack(tally[1]), tally[3]) if tally else (b"", b"", 0)
        hold((body.answer, body.weight, body.supporters) == (answer, weight, supporters), "REPLAY-39",
             (answer.hex(), weight.hex(), supporters), (body.answer.hex(), body.weight.hex(), body.supporters))
        claimed = [(class_of(o), o.latency_ms, unpack(o.reward)) for o in body.outcomes]
        hold(claimed == outcomes, "REPLAY-40", outcomes, claimed)
        self.begin_weight()
        self.weigh_step(step)
        self.weigh_model()
        self.weigh_learned(step, [one.executor for one in state.selections])
        step_weight = 0.0
        for selection in state.selections:
            step_weight = step_weight + self.weight(step, selection)
        if outcomes:
            self.learn(step, outcomes)
        self.finish_step(step, answer, step_weight / len(outcomes) if outcomes else 0.0)
        if void:
            self.next_void()

    def learn(self, step, outcomes):
        """SETTLE-11 to SETTLE-15, SETTLE-22, SETTLE-23, SETTLE-25."""
        params, counters = self.params, self.map.edit("counters")
        in_force = self.map.get("policy").since == self.state_of(step).since
        probabilities = m.probabilities([(s.answer, self.reliability(step, s)) for s in self.state_of(step).selections
                                         if s.answer and s.executor != self.author], step.beacon.form in (1, 2))
        for selection, (result, latency, reward) in zip(self.state_of(step).selections, outcomes):
            if in_force:
                model, choice = self.model([selection.executor]), (selection.executor, unpack_all(selection.features, 6), selection.number)
                model.void(*choice) if result == VOID else model.settle(*choice, reward)
                self.keep_model(model)
            if result == VOID:
                counters.void_settlements += 1
                continue
            counters.settlements += 1
            measures = self.map.edit("peer/", selection.executor)
            measures.settlements += 1
            measures.timeouts += result == TIMEOUT
            if selection.progress != FAILED:
                sample = float(step.beacon.execute_ms if result == TIMEOUT else latency)
                measures.latency_ms = pack(mean(unpack(measures.latency_ms), sample, m.ratio(params.latency_weight_ppm)))
            failed = 1.0 if result in (INVALID, TIMEOUT) else 0.0
            measures.failure = pack(mean(unpack(measures.failure), failed, m.ratio(params.failure_weight_ppm)))
            key = step.bucket + selection.executor
            bucket = self.map.put("bucket/", key, clone(self.bucket_measures(step.bucket, selection.executor)))
            alone = step.beacon.executors == 1 and result == VALID and selection.checker != 2  # no checker found it wrong
            self.judge_sources(step.bucket, selection.executor, bucket, result == WON or alone)
            changed = self.look_for_change(bucket, self.state_of(step).policy, reward)
            if changed and counters.sources and selection.executor != self.author:
                self.map.remove("imported/", key)  # IMPORT-8
            bucket.settlements += 1
            bucket.settled_at_close = counters.closes
            bucket.wins += result == WON or alone
            w = max(m.ratio(params.reputation_weight_ppm), 1 / (bucket.settlements + 1))
            bucket.reputation = pack(mean(unpack(bucket.reputation), reward, w))
            if selection.answer and selection.executor != self.author:
                bucket.reliability = pack(mean(unpack(bucket.reliability), probabilities[selection.answer], w))

    def judge_sources(self, bucket, peer, own, succeeded):
        """IMPORT-7."""
        self.weigh_imports(bucket, peer)
        _, claims, _ = self.heard(bucket, peer)
        if claims:
            imports.judge(self.map.edit("imports").sources, claims, own, self.prior(bucket, peer), *self.start(), succeeded)

    def look_for_change(self, bucket, policy, reward):
        """SETTLE-22; whether the peer is measured anew."""
        threshold, drift = m.ratio(policy.change_threshold_ppm), m.ratio(policy.change_drift_ppm)
        if not policy.change_threshold_ppm:
            bucket.ClearField("change")
            return False
        change, begun = bucket.change, bucket.HasField("change")
        rewards, mean_so_far, rise, fall = (change.rewards, *map(unpack, (change.mean, change.rise, change.fall))) if begun else (0, 0.0, 0.0, 0.0)
        if rewards:
            rise = max(0.0, rise + ((reward - mean_so_far) - drift))
            fall = max(0.0, fall + ((mean_so_far - reward) - drift))
        changed = rise > threshold or fall > threshold
        if changed:
            bucket.CopyFrom(self.fresh_bucket())
            rewards, mean_so_far, rise, fall = 0, 0.0, 0.0, 0.0
        rewards += 1
        mean_so_far = mean_so_far + (reward - mean_so_far) / rewards
        bucket.change.CopyFrom(MESSAGES["ChangeState"](rewards=rewards, mean=pack(mean_so_far), rise=pack(rise), fall=pack(fall)))
        return changed

    def finish_step(self, step, answer, weight):
        """SETTLE-9."""
        task = self.map.edit("task/", u64(step.beacon.task))
        plan = task.plans[step.beacon.plan]
        plan.steps_done += 1
        plan.score_sum = pack(unpack(plan.score_sum) + weight)
        plan.open = False
        plan.finished = not answer or plan.steps_done == plan.steps
        plan.answer = answer if plan.finished else b""
        state = self.state_of(step)
        for digest in (state.statement, *(s.assignment for s in state.selections if s.assignment)):
            self.map.remove("name/", digest)
        self.map.edit("clock").bidding -= not state.closed or state.policy.kind in CHANCE and not state.seed
        self.map.remove("beacon/", u64(step.index))
        self.map.edit("clock").open_beacons.remove(step.index)
        if all(plan.finished for plan in task.plans):
            self.set_duty(DECIDE, step.beacon.task)

    def task_decided(self, body):
        """VOTE-9."""
        hold(body.task == self.duty_index, "REPLAY-24", self.duty_index, body.task)
        task = self.map.get("task/", u64(body.task))
        tally = m.tally_of_plans([(plan.answer, unpack(plan.score_sum) / plan.steps) for plan in task.plans])
        answer, weight = (tally[0], pack(tally[1])) if tally else (b"", b"")
        hold((body.answer, body.weight) == (answer, weight), "REPLAY-43", (answer.hex(), weight.hex()),
             (body.answer.hex(), body.weight.hex()))
        self.map.remove("task/", u64(body.task))
        self.map.edit("clock").open_tasks.remove(body.task)
        self.map.edit("counters").tasks_decided += 1
        if self.clock.resuming:
            self.next_void()


def bucket_of(beacon):
    """BEACON-5."""
    return HP("bucket", [tag.encode() for tag in beacon.tags])


def later(time_ms, duration_ms):
    """CONV-8: a due time."""
    return min(time_ms + duration_ms, 2**64 - 1)


def opens(reveal, author, commitment):
    """EXEC-7, EXEC-10."""
    return HP("ballot", [reveal.assignment, author, reveal.answer, u32(reveal.confidence_ppm), reveal.salt]) == commitment


def nonce_commitment(opening, bidder):
    """CHANCE-2."""
    return HP("nonce", [opening.beacon, bidder, opening.nonce])


def class_of(message):
    """The field `class`, which Python can not spell."""
    return getattr(message, "class")


def clone(message):
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def mean(value, sample, w):
    return (1 - w) * value + w * sample


KINDS = {1: "shared", 2: "paper", 3: "disjoint", 4: "hybrid", 5: "strongest", 6: "screening", 7: "static", **CHANCE}


def parameters(policy):
    return m.Parameters(
        KINDS[policy.kind], policy.lambda_ppm, policy.delta_ppm, policy.alpha_ppm, policy.noise_ppm, policy.norm_bound_ppm,
        policy.exploration_ppm, policy.discount_ppm, frozen_after=policy.frozen_after if policy.HasField("frozen_after") else None, epsilon=policy.epsilon_ppm)


def price_share(policy, price):
    """SETTLE-24."""
    return min(10**6, price * 10**6 // policy.price_scale_microunits)


def follows(policy, earlier):
    """SELECT-27."""
    same = ("kind", "lambda_ppm", "discount_ppm", "winner_bonus_ppm", "latency_penalty_ppm", "checker_ppm", "price_ppm",
            "price_scale_microunits")
    return all(getattr(policy, name) == getattr(earlier, name) for name in same)


def fill(model, state):
    """Puts the numbers of a LinearState into a model that has seen nothing (REPLAY-2)."""
    size = 2 if isinstance(model, m.Part) else 6
    matrix = m.from_triangle(unpack_all(state.matrix, size * (size + 1) // 2), size)
    require(all(matrix[i][i] > 0 for i in range(size)), "a diagonal that is not positive")
    model.b, model.t = unpack_all(state.b, size), state.observations
    if isinstance(model, m.LinUcb):
        model.inverse = matrix
    else:
        model.design = matrix
    if isinstance(model, (m.LinUcb, m.Discounted)):
        model.settled = m.from_triangle(unpack_all(state.settled, 21), 6)
        require(all(model.settled[i][i] > 0 for i in range(6)), "a diagonal that is not positive")
    if isinstance(model, m.Discounted):
        model.squared = m.from_triangle(unpack_all(state.squared, 21), 6)
        require(all(model.squared[i][i] > 0 for i in range(6)), "a diagonal that is not positive")
        model.weight, model.until = unpack(state.weight), state.until
    if isinstance(model, m.Part):
        cross = unpack_all(state.cross, 12)
        model.cross = [cross[:6], cross[6:]]
    require(canonical(numbers_of(model)) == canonical(state), "numbers that this policy does not have")
    return model


def size_of_numbers(state):
    """REPLAY-15: of a LinearState."""
    return sum(len(part) for part in (state.matrix, state.settled, state.squared, state.cross, state.b))


def numbers_of(model):
    """The LinearState of a model (REPLAY-2)."""
    state = MESSAGES["LinearState"](observations=model.t, b=pack_all(model.b))
    state.matrix = pack_all(m.triangle(model.inverse if isinstance(model, m.LinUcb) else model.design))
    if isinstance(model, (m.LinUcb, m.Discounted)):
        state.settled = pack_all(m.triangle(model.settled))
    if isinstance(model, m.Discounted):
        state.until, state.weight, state.squared = model.until, pack(model.weight), pack_all(m.triangle(model.squared))
    if isinstance(model, m.Part):
        state.cross = pack_all(number for row in model.cross for number in row)
    return state
