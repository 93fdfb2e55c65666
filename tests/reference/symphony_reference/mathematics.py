"""Chapters 07, 09 and the reward of 10. Python's floats are binary64, and no operation is ever fused (SELECT-1)."""

import math
import struct

from .encoding import H, hasher

# ---- numbers (SELECT-2, SELECT-3) -------------------------------------------------------------------------------------


def ratio(ppm):
    return ppm / 1_000_000.0


def unit(x):
    return 1.0 if x >= 1 else x if x > 0 else 0.0


def floor_ppm(x):
    return math.floor(unit(x) * 1_000_000.0)


def from_bits(text):
    return struct.unpack(">d", bytes.fromhex(text))[0]


SQUARE_ROOT_OF_TWO, HIGH, LOW = map(from_bits, ("3ff6a09e667f3bcd", "3fe62e42fefa0000", "3d7cf79abc9e3b3a"))


def ln(x):
    if not 0 < x < math.inf:
        return 0.0
    mantissa, exponent = math.frexp(x)  # in [½, 1)
    mantissa, exponent = mantissa * 2, exponent - 1
    if mantissa > SQUARE_ROOT_OF_TWO:
        mantissa, exponent = mantissa / 2, exponent + 1
    f = mantissa - 1
    s = f / (2 + f)
    z = s * s
    r = 0.0
    for k in (23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3):
        r = (r + 2.0 / k) * z
    h = 0.5 * f * f
    t = s * (h + r) + exponent * LOW
    return exponent * HIGH - ((h - t) - f) + 0.0


def dot(left, right):
    total = 0.0
    for a, b in zip(left, right, strict=True):
        total = total + a * b
    return total


# ---- likeness (SELECT-4 to SELECT-8) ----------------------------------------------------------------------------------


def embedding_of(text):
    """SELECT-5; no rule of replay needs it."""
    numbers, words, word = [0] * 64, [], ""
    for letter in text + " ":
        if ord(letter) < 128 and not letter.isalnum():
            words.append(word)
            word = ""
        else:
            word += letter.lower() if ord(letter) < 128 else letter
    for framed in (f"<{word}>" for word in words if word):
        for start in range(len(framed)):
            for size in (3, 4):
                gram = framed[start : start + size]
                if len(gram) == size:
                    place, sign = H("embedding", gram.encode())[:2]
                    numbers[place & 63] = max(-32768, min(32767, numbers[place & 63] + (-1 if sign & 1 else 1)))
    return numbers


def embedding(data):
    """SELECT-4."""
    return struct.unpack(">64h", data)


def cosine(left, right):
    product = sum(a * b for a, b in zip(left, right, strict=True))  # whole numbers
    norms = float(sum(a * a for a in left)) * float(sum(b * b for b in right))
    return max(-1.0, min(1.0, product / math.sqrt(norms))) if norms else 0.0


def similarity(left, right):
    return unit((1 + cosine(left, right)) / 2)


def match_ppm(offered, offered_embedding, required, required_embedding):
    coverage = sum(tag in offered for tag in required) / len(required) if required else 1.0
    return floor_ppm(0.5 * coverage + 0.5 * similarity(offered_embedding, required_embedding))


# ---- screening (SELECT-9 to SELECT-11) --------------------------------------------------------------------------------

# A candidate is a dict with `peer`, `bid`, `newcomer` and these numbers:
NUMBERS = ("similarity", "prior", "load", "latency", "availability", "reputation")


def composite(one, weights):
    stability = unit(0.4 * (1 - unit(one["load"])) + 0.4 * (1 - unit(one["latency"])) + 0.2 * unit(one["availability"]))
    similar, prior = ratio(weights[0]) * unit(one["similarity"]), ratio(weights[1]) * unit(one["prior"])
    return unit(similar + prior + ratio(weights[2]) * stability)


def rank(candidates, weights, shortlist, exploration):
    """The best of the candidates as (index, bid, score)."""
    scores = [composite(one, weights) for one in candidates]
    order = sorted(range(len(candidates)), key=lambda i: (-scores[i], candidates[i]["peer"], candidates[i]["bid"]))
    best, rest = order[:shortlist], order[shortlist:]
    newcomers = [i for i in rest if candidates[i]["newcomer"]]
    if exploration and best and newcomers and not any(candidates[i]["newcomer"] for i in best):
        best[-1] = newcomers[0]
    return [(i, candidates[i]["bid"], scores[i]) for i in best]


# ---- LinUCB (SELECT-12 to SELECT-20) ----------------------------------------------------------------------------------


class LinUcb:
    """The state of a policy. `parameters`: kind, then λ, δ, α, noise, S and exploration in parts per million."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.kind, *ppm = parameters
        self.ridge, self.failure, self.alpha, self.noise, self.norm, self.exploration = map(ratio, ppm)
        self.inverse = [[1.0 / self.ridge if i == j else 0.0 for j in range(6)] for i in range(6)]
        self.b, self.t = [0.0] * 6, 0

    def copy(self):
        other = LinUcb(self.parameters)
        other.inverse, other.b, other.t = [row[:] for row in self.inverse], self.b[:], self.t
        return other

    def times(self, x):
        return [dot(row, x) + 0.0 for row in self.inverse]

    def beta(self):
        """SELECT-15."""
        inner = 6.0 * ln(1 + self.t / self.ridge) + 2 * ln(1 / self.failure)
        return self.alpha * self.noise * math.sqrt(inner) + math.sqrt(self.ridge) * self.norm

    def assess(self, x):
        """SELECT-16: estimate, width, score."""
        square = dot(x, self.times(x))
        width = self.exploration * self.beta() * (math.sqrt(square) if square > 0 else 0.0)
        estimate = dot(x, self.times(self.b)) + 0.0
        return estimate, width, estimate + width

    def choice(self, x, sign=1):
        """SELECT-17, or with sign −1 SELECT-18."""
        u = self.times(x)
        divisor = 1 + sign * dot(x, u)
        if sign < 0 and (divisor <= 1e-12 or self.t == 0):
            return
        for i in range(6):
            for j in range(i, 6):
                step, held = u[i] * u[j] / divisor, self.inverse[i][j]
                self.inverse[i][j] = self.inverse[j][i] = (held - step if sign > 0 else held + step) + 0.0
        self.t += sign

    def reward(self, r, x):
        """SELECT-19."""
        self.b = [held + r * number + 0.0 for held, number in zip(self.b, x, strict=True)]

    def triangle(self):
        return [self.inverse[i][j] for i in range(6) for j in range(i, 6)]


def features(kind, one):
    """SELECT-13."""
    raw = [1.0] + [unit(one[name]) for name in ("similarity", "load", "latency", "reputation", "availability")]
    divisor = math.sqrt(6.0) if kind == "shared" else max(1.0, math.sqrt(dot(raw, raw)))
    return [number / divisor for number in raw]


def pick(model, shortlist, executors, newcomers_picked, exploration, limited=True):
    """SELECT-20: picks as (index, bid, estimate, width, score), and the model that has counted them."""
    model, picks, remaining, new = model.copy(), [], list(range(len(shortlist))), newcomers_picked
    last = min(executors, len(shortlist))
    for place in range(1, last + 1):
        known = [i for i in remaining if not shortlist[i]["newcomer"]]
        newcomers = [i for i in remaining if shortlist[i]["newcomer"]]
        eligible = remaining
        if exploration and new == 0 and place == last:
            eligible = newcomers or remaining
        elif limited and new > 0:
            eligible = known or remaining
        contexts = {i: features(model.kind, shortlist[i]) for i in eligible}
        assessed = {i: model.assess(x) for i, x in contexts.items()}
        best = min(eligible, key=lambda i: (-assessed[i][2], shortlist[i]["peer"], i))
        picks.append((best, shortlist[best]["bid"], *assessed[best]))
        remaining = [i for i in remaining if i != best]
        new += shortlist[best]["newcomer"]
        if model.kind == "shared":
            model.choice(contexts[best])
    return picks, model


# ---- chance (CHANCE-7 to CHANCE-12) --------------------------------------------------------------------------------------


class Stream:
    """CHANCE-7: the numbers of a seed for a slot."""

    def __init__(self, seed, slot):
        self.hasher, self.place = hasher("draw", seed + slot.to_bytes(4, "big")), 0

    def word(self):
        self.place += 8
        return int.from_bytes(self.hasher.digest(length=8, seek=self.place - 8), "big")

    def below(self, n):
        while (word := self.word()) > 2**64 - 1 - 2**64 % n:
            pass
        return word % n

    def fraction(self):
        return (self.word() >> 11) * 2.0**-53

    def normals(self):
        while True:
            u = 2 * self.fraction() - 1
            v = 2 * self.fraction() - 1
            s = u * u + v * v
            if 0 < s < 1:
                f = math.sqrt(-2 * ln(s) / s)
                return u * f, v * f


def cholesky(square):
    """CHANCE-12."""
    root = [[0.0] * 6 for _ in range(6)]
    for i in range(6):
        for j in range(i + 1):
            rest = square[i][j] - dot(root[i][:j], root[j][:j])
            element = rest / root[j][j] if j < i else math.sqrt(rest if rest > 1e-12 else 1e-12)
            root[i][j] = element if abs(element) <= 2**53 else 0.0 if j < i else math.sqrt(1e-12)
    return root


def votes(model, candidates, stream):
    """CHANCE-12: for whom each of 256 samples votes; `candidates` are key and context."""
    theta, root = model.times(model.b), cholesky(model.inverse)
    scale = model.exploration * model.noise
    for _ in range(256):
        z = [number for _ in range(3) for number in stream.normals()]
        weights = [theta[i] + scale * dot(root[i][: i + 1], z[: i + 1]) for i in range(6)]
        yield min(range(len(candidates)), key=lambda i: (-dot(candidates[i][1], weights), candidates[i][0], i))


def chosen_by_chance(model, kind, epsilon, candidates, best, stream):
    """CHANCE-10: the place of the pick among the candidates, and its propensity."""
    n = len(candidates)
    if kind == "epsilon-greedy":
        place = stream.below(n) if stream.below(1_000_000) < epsilon else best
        any_one = ratio(epsilon) / n
        return place, (1 - ratio(epsilon)) + any_one if place == best else any_one
    if kind == "thompson":
        cast = list(votes(model, candidates, stream))
        place = cast[stream.below(256)]
        return place, cast.count(place) / 256
    return stream.below(n), 1 / n


def draw(model, kind, epsilon, shortlist, executors, newcomers_picked, stream):
    """CHANCE-10: picks as `pick` gives them, their propensities, and the model that has counted them."""
    model, picks, propensities = model.copy(), [], []
    remaining, new = list(range(len(shortlist))), newcomers_picked
    for _ in range(min(executors, len(shortlist))):
        known = [i for i in remaining if not shortlist[i]["newcomer"]]
        eligible = known or remaining if new > 0 else remaining
        contexts = {i: features("shared", shortlist[i]) for i in eligible}
        assessed = {i: model.assess(x) for i, x in contexts.items()}
        best = min(eligible, key=lambda i: (-assessed[i][2], shortlist[i]["peer"], i))
        candidates = [(shortlist[i]["peer"], contexts[i]) for i in eligible]
        place, propensity = chosen_by_chance(model, kind, epsilon, candidates, eligible.index(best), stream)
        chosen = eligible[place]
        picks.append((chosen, shortlist[chosen]["bid"], *assessed[chosen]))
        propensities.append(propensity)
        remaining = [i for i in remaining if i != chosen]
        new += shortlist[chosen]["newcomer"]
        model.choice(contexts[chosen])
    return picks, propensities, model


# ---- vote (VOTE-1 to VOTE-6) ------------------------------------------------------------------------------------------


def tally(ballots):
    """Of (peer, "peer" or "coordinator", answer, confidence, weight): answer, weight, all weights, supporters, quorum."""
    first = {}
    for ballot in ballots:
        first.setdefault(ballot[0], ballot)
    counted = [ballot for ballot in first.values() if ballot[1] == "peer"]
    alone = not counted
    groups, total = {}, 0.0
    for _, voter, answer, confidence, weight in counted or first.values():
        weight = 0.0 if alone or not 0 < weight < math.inf else weight
        total = total + weight
        group = groups.setdefault(answer, [0.0, 0, 0])
        group[0], group[1], group[2] = group[0] + weight, group[1] + confidence, group[2] + (voter == "peer")
    if not groups:
        return None
    answer = min(groups, key=lambda a: (-groups[a][0], -groups[a][1], a))
    weight, _, supporters = groups[answer]
    return answer, weight, total, supporters, supporters >= 2


def tally_of_plans(plans):
    """VOTE-6, of (answer or None, weight): answer and weight, or None."""
    sums = {}
    for answer, weight in plans:
        if answer:
            sums[answer] = sums.get(answer, 0.0) + weight
    best = min(sums, key=lambda a: (-sums[a], a), default=None)
    return None if best is None else (best, sums[best])


# ---- reward (SETTLE-1 to SETTLE-4) ------------------------------------------------------------------------------------


def reward(parameters, outcome):
    """Raw reward, upper bound and reward. `parameters`: bonus, penalty, scale in ms, checker, price; `outcome`: None for what is
    not valid, else whether it won, latency in ms, whether a checker found it correct, price share in parts per million."""
    bonus, penalty, scale, checker, price = parameters
    raw = 0.0
    if outcome is not None:
        won, latency, correct, share = outcome
        slow = (1.0 if latency else 0.0) if scale == 0 else 1.0 if latency >= scale else unit(latency / scale)
        raw = 1.0 + (ratio(bonus) if won else 0.0) - ratio(penalty) * math.sqrt(slow)
        raw = raw + (ratio(checker) if correct else 0.0) - ratio(price) * unit(ratio(share))
    high = 1.0 + ratio(bonus) + ratio(checker)
    return raw, high, unit((raw - 0.0) / (high - 0.0))
