"""Chapter 21: what other peers measured, with its proof, and what it counts."""

from .encoding import MESSAGES, canonical, pack, require, unpack
from .keys import key_is_acceptable
from .notes import read_checkpoint
from .records import read
from .state import digest_of, subtree

COUNT_MAX = 2**53  # LinearState and all counts of a state: EVIDENCE-11
SIZE_MAX, VALUE_MAX = 3_072, 131_072  # IMPORT-1; a value of a state
SOURCES_MAX, CLAIMS_MAX, SETTLEMENTS_MAX = 4, 8, 20  # IMPORT-4, IMPORT-2, IMPORT-6
ODDS_MAX, ODDS_MIN, SURE = 16.0, 1e-12, 0.99  # IMPORT-7


def check(body, network):
    """IMPORT-1: what is wrong with an import by its bytes alone."""
    require(len(canonical(body)) <= SIZE_MAX, "too large an import")
    if not body.weight_ppm:
        require(not body.checkpoint and not body.nodes, "measures without a weight")
        return
    checkpoint = read_checkpoint(body.checkpoint, body.source)
    require(checkpoint.network == network, "a checkpoint of another network")
    require(checkpoint.size <= COUNT_MAX, "too large a checkpoint")


def claims_of(body, author):
    """IMPORT-2, IMPORT-3: rest of the key and claim of each value that the nodes open; or Refused."""
    require(body.source != author, "the author's own measures")
    if not body.weight_ppm:
        return []
    checkpoint, leaves, remaining = read_checkpoint(body.checkpoint, body.source), [], iter(body.nodes)
    part = subtree(remaining, 0, 0, leaves)
    require(next(remaining, None) is None, "nodes behind the tree")
    require(digest_of(part) == checkpoint.state_root, "another state root")
    require(1 <= len(leaves) <= CLAIMS_MAX, f"{len(leaves)} claims")
    return [claim_of(leaf, body.source, checkpoint.size, author) for leaf in leaves]


def claim_of(leaf, source, size, author):
    require(not leaf.payload, "a payload")
    require(leaf.key.startswith(b"bucket/") and len(leaf.key) == 7 + 64, "no measures")
    rest = leaf.key[7:]
    require(key_is_acceptable(rest[32:]), "no log key")
    require(rest[32:] not in (source, author), "measures of the source, or of the author")
    value = read("BucketMeasures", leaf.value, VALUE_MAX)
    require(1 <= value.settlements and value.wins <= value.settlements and 0 <= unpack(value.reputation) <= 1, "no such measures")
    return rest, MESSAGES["ClaimState"](source=source, size=size, settlements=value.settlements, wins=value.wins,
                                        reputation=value.reputation)


def holding(sources, row):
    """IMPORT-5: the claims of a row that hold, by their sources."""
    sizes = {one.peer: one.size for one in sources}
    return {claim.source: claim for claim in (row.claims if row else ()) if sizes.get(claim.source) == claim.size}


def said(claim, own, prior, s, f):
    """IMPORT-6: prior and reputation by one claim, or by the own record."""
    if claim is None:
        return prior, unpack(own.reputation)
    c = float(min(claim.settlements, SETTLEMENTS_MAX))
    k = c * float(claim.wins) / float(claim.settlements)
    samples = own.settlements + 1.0
    return ((1000.0 * (own.wins + k) + s) / (1000.0 * (own.settlements + c) + (s + f)),
            (samples * unpack(own.reputation) + c * unpack(claim.reputation)) / (samples + c))


def mixed(sources, claims, own, prior, s, f):
    """IMPORT-6."""
    (mean, reputation), weight = said(None, own, prior, s, f), 1.0
    for one in sources:
        odds, (theirs, praise) = unpack(one.odds), said(claims.get(one.peer), own, prior, s, f)
        mean, reputation, weight = mean + odds * theirs, reputation + odds * praise, weight + odds
    return mean / weight, reputation / weight


def judge(sources, claims, own, prior, s, f, succeeded):
    """IMPORT-7: the odds after an outcome."""
    def of(probability):
        cut = min(max(probability, 1.0 - SURE), SURE)
        return cut if succeeded else 1.0 - cut

    for one in sources:
        if one.peer in claims:
            odds = min(unpack(one.odds) * (of(said(claims[one.peer], own, prior, s, f)[0]) / of(prior)), ODDS_MAX)
            one.odds = pack(0.0 if odds < ODDS_MIN else odds)
