"""Chapters 05, 06 and 08: which values the fields of parameters, statements and entries may have."""

import re

from .encoding import MESSAGES, children, decode, parts, require, unpack, unpack_all
from .keys import key_is_acceptable
from .notes import parse_checkpoint, parse_note
from .tree import EMPTY as EMPTY_TREE
from .tree import SIZE_MAX

ENTRY_SIZE_MAX = 8_192  # LOG-5
PARAMS_SIZE_MAX = 1_024  # CAP-1

# Payloads of statements: type (KEYS-9), largest size.
PAYLOADS = {
    "Capability": (1, 4_096), "Revocation": (2, 128), "Beacon": (3, 4_096), "Bid": (4, 512), "Assignment": (5, 1_024),
    "Receipt": (6, 1_024), "Reveal": (7, 1_024), "Acknowledgement": (8, 128), "Challenge": (10, 1_152),
    "Retirement": (13, 256), "Call": (14, 256), "Opening": (15, 256),
}


# ---- what a field may be ----------------------------------------------------------------------------------------------


def between(least, most):
    return lambda value: least <= value <= most


def size(least, most=None):
    return lambda value: least <= len(value) <= (most or least)


def key(value):
    return key_is_acceptable(value)


def number(value):
    unpack(value)
    return True


def numbers(count):
    return lambda value: unpack_all(value, count) is not None


def bounded(count):
    """Numbers of a state (EVIDENCE-11)."""
    return lambda value: all(abs(one) <= 2**53 for one in unpack_all(value, count))


def or_empty(check):
    return lambda value: not value or check(value)


def ascending(values):
    return all(a < b for a, b in zip(values, values[1:]))


def name(value):
    return re.fullmatch("[a-z0-9-]{1,64}", value) is not None


def tags(most):
    return lambda values: len(values) <= most and all(map(name, values)) and ascending(list(values))


def sorted_keys(values):
    return len(values) <= 64 and all(map(key, values)) and ascending(list(values))


def models(values):
    return len(values) <= 16 and ascending([model.name.encode() for model in values])


def named(values):
    return len(values) <= 16 and ascending([one.bucket for one in values])


def listed(value):
    """Numbers of a state, as many as there are."""
    return len(value) % 8 == 0 and bounded(len(value) // 8)(value)


def plans(values):
    return 1 <= len(values) <= 8 and all(1 <= steps <= 8 for steps in values)


share, thousandths, hour, day = between(0, 10**6), between(1, 10**6), between(1, 3_600_000), between(1, 86_400_000)
count = between(0, 2**53)
propensity = lambda value: 0 < unpack(value) <= 1  # noqa: E731
digest, signature, embedding, context, many = size(32), size(64), size(128), numbers(6), size(0, 32)

FIELDS = {
    "Params": {
        "name": name, "rules_revision": between(1, 2**32 - 1), "admission_difficulty_bits": between(0, 40),
        "match_threshold_ppm": share, "screening_similarity_ppm": share, "screening_prior_ppm": share,
        "screening_stability_ppm": share, "latency_scale_ms": hour, "latency_start_ms": between(0, 3_600_000),
        "latency_weight_ppm": share, "failure_weight_ppm": share, "reputation_weight_ppm": share,
        "prior_success_milli": thousandths, "prior_failure_milli": thousandths,
        "newcomer_settlements": between(0, 1_000), "newcomer_interval": between(0, 10**6), "bids_max": between(1, 256),
        "bid_window_ms_max": hour, "execute_ms_max": day, "reveal_ms_max": hour,
    },
    "Policy": {
        "lambda_ppm": between(1_000, 10**9), "delta_ppm": between(1, 999_999), "alpha_ppm": between(0, 10**8),
        "noise_ppm": between(0, 10**8), "norm_bound_ppm": between(0, 10**8), "exploration_ppm": between(0, 10**8),
        "winner_bonus_ppm": between(0, 10**7), "latency_penalty_ppm": share, "checker_ppm": between(0, 10**7),
        "discount_ppm": between(500_000, 10**6), "named": named, "change_threshold_ppm": between(0, 10**8), "change_drift_ppm": share,
        "warm_up_closes": between(0, 10**6),
        "price_ppm": share, "price_scale_microunits": between(1, 10**15),
    },
    "NamedPeer": {"bucket": digest, "peer": key},
    "Origin": {"log_id": digest},
    "Model": {"name": lambda value: 1 <= len(value.encode()) <= 128, "digest": digest},
    "Capability": {"tags": tags(32), "embedding": embedding, "models": models, "parallel_max": between(1, 1_024)},
    "Beacon": {
        "tags": tags(8), "embedding": embedding, "close_bids": between(1, 256), "execute_ms": day, "reveal_ms": hour,
        "hop_limit": between(0, 16), "asked": sorted_keys, "shortlist": between(1, 32), "executors": between(1, 16),
        "policy": digest, "secret_commitment": or_empty(digest), "hop_anchor": or_empty(digest),
    },
    "OwnBid": {"match_ppm": share, "load_ppm": share},
    "Bid": {"beacon": digest, "capability": digest, "match_ppm": share, "load_ppm": share, "coordinator": key,
            "nonce_commitment": or_empty(digest)},
    "Call": {"beacon": digest, "close": digest},
    "Opening": {"beacon": digest, "coordinator": key, "nonce": digest},
    "Assignment": {
        "beacon": digest, "executor": key, "prompt": digest, "key_commitment": digest, "execute_ms": day, "reveal_ms": hour,
    },
    "Receipt": {"assignment": digest, "model": digest, "output": digest, "ballot": digest},
    "Reveal": {"assignment": digest, "answer": digest, "confidence_ppm": share, "salt": digest},
    "Acknowledgement": {"statement": digest},
    "Challenge": {"log_id": digest, "count": between(1, 32), "checkpoint": size(0, 1_024)},
    "Retirement": {"log_id": digest, "size": between(0, SIZE_MAX), "root": digest, "successor_id": digest},
    "Entry": {"previous": digest},
    "Genesis": {
        "network_id": digest, "log_key": key, "transport_key": key, "witness_key": key,
        "log_signature": signature, "transport_signature": signature, "witness_signature": signature,
    },
    "TaskOpened": {"key_commitment": digest, "plan_steps": plans},
    "Close": {"ranking": many, "selections": many, "state_root": digest},
    "Ranked": {"score": number},
    "Selection": {"features": context, "estimate": number, "width": number, "propensity": or_empty(propensity)},
    "Draw": {"secret": digest, "seed": digest, "selections": many, "state_root": digest},
    "Settlement": {"answer": or_empty(digest), "weight": or_empty(number), "outcomes": many, "state_root": digest},
    "Outcome": {"reward": number},
    "RootRecorded": {"state_root": digest},
    "MeasuresImported": {"source": key, "weight_ppm": share},
    "TaskDecided": {"answer": or_empty(digest), "weight": or_empty(number)},
    # Values of the state (EVIDENCE-11).
    "Clock": {"entries": count, "duty": between(0, 8), "weight": count, "open_tasks": ascending, "open_beacons": ascending,
              "bids_begin": count, "bids_end": count, "orders_begin": count, "orders_end": count},
    "Counters": dict.fromkeys(("closes", "selections", "settlements", "void_settlements", "timeouts", "self_selections",
                               "tasks", "tasks_decided", "draws", "openings_missed", "sources"), count),
    "PolicyState": {"since": count, "choices": count, "settled": count},
    "PolicyPeerState": {"since": count},
    "LinearState": {"observations": count, "until": count, "weight": or_empty(bounded(1)), "matrix": listed, "squared": listed,
                    "cross": listed, "b": listed, "settled": listed},
    "PeerMeasures": {"latency_ms": bounded(1), "failure": bounded(1), "selections": count, "settlements": count,
                     "timeouts": count},
    "BucketMeasures": {"settlements": count, "wins": count, "settled_at_close": count, "reputation": bounded(1), "reliability": bounded(1)},
    "ImportsState": {"sources": lambda values: ascending([one.peer for one in values])},
    "SourceState": {"peer": key, "size": count, "odds": bounded(1)},
    "ImportedState": {"claims": lambda values: ascending([one.source for one in values])},
    "ClaimState": {"source": key, "size": count, "settlements": count, "wins": count, "reputation": bounded(1)},
    "ChangeState": {"rewards": count, "mean": bounded(1), "rise": bounded(1), "fall": bounded(1)},
    "CapabilityState": {"statement": digest},
    "TaskState": {"key_commitment": digest, "plans": size(1, 8)},
    "PlanState": {"steps": between(1, 8), "steps_done": between(0, 8), "score_sum": bounded(1), "answer": or_empty(digest)},
    "BeaconState": {"statement": digest, "since": count, "seed": or_empty(digest)},
    "CandidateState": {"peer": key, "statement": digest, "load_ppm": share, "price_share_ppm": share,
                       "nonce_commitment": or_empty(digest), "nonce": or_empty(digest),
                       **dict.fromkeys(("similarity", "prior", "latency", "availability", "reputation"), bounded(1))},
    "OwnBidState": {"nonce_commitment": or_empty(digest)},
    "RankedState": {"score": bounded(1)},
    "SelectionState": {
        "executor": key, "features": bounded(6), "assignment": or_empty(digest), "receipt": or_empty(digest),
        "ballot": or_empty(digest), "progress": between(1, 6), "answer": or_empty(digest), "confidence_ppm": share,
        "checker": between(0, 2), "number": count,
    },
    "OwnAssignmentState": {"ballot": or_empty(digest)},
    "QueuedBid": {"author": key, "beacon": digest},
    "QueuedAssignment": {"assignment": digest},
}



def challenge(message):
    """EVIDENCE-14: a checkpoint of the log that covers the entries."""
    checkpoint = parse_checkpoint(parse_note(message.checkpoint)[0])
    return checkpoint.log == message.log_id and message.first + message.count <= checkpoint.size


def policy(message):
    """CAP-2: named peers, forgetting and a share of chance belong to some kinds only."""
    if message.kind >= 16 and message.warm_up_closes:
        return False
    epsilon = 1 <= message.epsilon_ppm <= 10**6 if message.kind == 18 else not message.epsilon_ppm
    return epsilon and (message.kind == 7 or not message.named) and (message.kind <= 3 or message.discount_ppm == 10**6)


# Conditions on two fields.
PAIRS = {
    "Params": lambda m: m.prior_failure_milli > m.prior_success_milli,
    "Policy": policy,
    "Capability": lambda m: m.valid_until_ms > m.valid_from_ms,
    "Beacon": lambda m: m.executors <= m.shortlist,
    "Challenge": challenge,
    "Retirement": lambda m: m.log_id != m.successor_id and (m.size > 0 or m.root == EMPTY_TREE),
    "Settlement": lambda m: bool(m.answer) == bool(m.weight),
    "TaskDecided": lambda m: bool(m.answer) == bool(m.weight),
}


def check_fields(message):
    kind = message.DESCRIPTOR.name
    for field, check in FIELDS.get(kind, {}).items():
        require(check(getattr(message, field)), f"{kind}.{field}: {getattr(message, field)!r}")
    require(PAIRS.get(kind, bool)(message) or kind not in PAIRS, f"{kind}: fields that exclude each other")
    for field in parts(message.DESCRIPTOR)[3]:
        for child in children(message, field):
            check_fields(child)


def read(kind, data, size_max):
    """A canonical message with every field in its range."""
    message = decode(kind, data, size_max)
    check_fields(message)
    return message


def read_payload(kind, data):
    return read(kind, data, PAYLOADS[kind][1])


KIND_OF_TYPE = {number: kind for kind, (number, _) in PAYLOADS.items()}
ISSUED = {  # entries with a payload of the author
    "capability_issued": "Capability", "revocation_issued": "Revocation", "beacon_issued": "Beacon", "bid_issued": "Bid",
    "assignment_issued": "Assignment", "receipt_issued": "Receipt", "reveal_issued": "Reveal",
    "call_issued": "Call", "opening_issued": "Opening",
}
RECEIVED = {  # entries with a statement of another peer
    "capability_received": "Capability", "revocation_received": "Revocation", "bid_received": "Bid",
    "assignment_received": "Assignment", "receipt_received": "Receipt", "reveal_received": "Reveal",
    "opening_received": "Opening", "acknowledgement_received": "Acknowledgement",
}
assert all(kind in MESSAGES for kind in (*FIELDS, *PAYLOADS))
