"""Chapters 07, 09 and the reward of 10. Python's floats are binary64, and no operation is ever fused (SELECT-1)."""

import copy
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

# A candidate is a dict with `peer`, `bid`, `newcomer`, `settled_at_close` and these numbers:
NUMBERS = ("similarity", "prior", "load", "latency", "availability", "reputation")


def composite(one, weights):
    stability = unit(0.4 * (1 - unit(one["load"])) + 0.4 * (1 - unit(one["latency"])) + 0.2 * unit(one["availability"]))
    similar, prior = ratio(weights[0]) * unit(one["similarity"]), ratio(weights[1]) * unit(one["prior"])
    return unit(similar + prior + ratio(weights[2]) * stability)


def rank(candidates, weights, shortlist, exploration):
    """The best of the candidates as (index, bid, score)."""
    scores = [composite(one, weights) for one in candidates]
    if exploration.startswith("in-turn-"):
        return [(i, candidates[i]["bid"], scores[i]) for i in in_turn(candidates, int(exploration[8:]))[:shortlist]]
    order = sorted(range(len(candidates)), key=lambda i: (-scores[i], candidates[i]["peer"], candidates[i]["bid"]))
    best, rest = order[:shortlist], order[shortlist:]
    kept = explored(order, candidates, exploration)
    if best and kept and kept[0] in rest:
        best[-1] = kept[0]
    return [(i, candidates[i]["bid"], scores[i]) for i in best]


def in_turn(candidates, closes):
    """SELECT-28."""
    order = sorted(range(len(candidates)), key=lambda i: (candidates[i]["settled_at_close"], candidates[i]["peer"], candidates[i]["bid"]))
    turned = []
    for settled in sorted({one["settled_at_close"] for one in candidates}):
        equals = [i for i in order if candidates[i]["settled_at_close"] == settled]
        turned += equals[closes % len(equals):] + equals[: closes % len(equals)]
    return turned


def explored(order, candidates, exploration):
    """SELECT-11: for whom a close keeps a place, best first; `exploration` is off, newcomers, everybody-CLOSES, or in-turn-CLOSES (SELECT-28)."""
    newcomers = [i for i in order if candidates[i]["newcomer"]] if exploration != "off" else []
    if exploration.startswith("everybody-") and order and not newcomers:
        closes = int(exploration[10:])
        return [max(order, key=lambda i: max(0, closes - candidates[i]["settled_at_close"]) * unit(candidates[i]["prior"]))]
    return newcomers


# ---- linear models (SELECT-12 to SELECT-22) ---------------------------------------------------------------------------


class Parameters:
    """Of a policy: its kind, then λ, δ, α, noise, S, exploration and γ in parts per million, and after how many settlements it
    learns no more (None: never)."""

    def __init__(self, kind, *ppm, frozen_after=None, epsilon=0):
        self.kind, self.frozen_after, self.epsilon = kind, frozen_after, epsilon
        self.ridge, self.failure, self.alpha, self.noise, self.norm, self.exploration, self.discount = map(ratio, ppm)

    def width_scale(self, dimension, t):
        """SELECT-15 and SELECT-16: exploration × β."""
        inner = float(dimension) * ln(1 + t / self.ridge) + 2 * ln(1 / self.failure)
        return self.exploration * (self.alpha * self.noise * math.sqrt(inner) + math.sqrt(self.ridge) * self.norm)


def bound(estimate, scale, square):
    """SELECT-16: estimate, width, score."""
    width = scale * (math.sqrt(square) if square > 0 else 0.0)
    return estimate, width, estimate + width + 0.0


def identity(size, diagonal):
    return [[diagonal if i == j else 0.0 for j in range(size)] for i in range(size)]


def times(matrix, x):
    return [dot(row, x) + 0.0 for row in matrix]


def change(matrix, rule):
    """Replaces each element of the upper triangle by rule(row, column, held), and mirrors it."""
    for i in range(len(matrix)):
        for j in range(i, len(matrix)):
            matrix[i][j] = matrix[j][i] = rule(i, j, matrix[i][j]) + 0.0


def triangle(matrix):
    return [matrix[i][j] for i in range(len(matrix)) for j in range(i, len(matrix))]


def from_triangle(numbers, size):
    matrix, numbers = identity(size, 0.0), iter(numbers)
    change(matrix, lambda i, j, held: next(numbers))
    return matrix


def factor(matrix):
    """SELECT-22: Cholesky's L."""
    size = len(matrix)
    lower = identity(size, 0.0)
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j]
            for k in range(j):
                rest = rest - lower[i][k] * lower[j][k]
            lower[i][j] = math.sqrt(rest if rest > 1e-12 else 1e-12) if i == j else rest / lower[j][j] + 0.0
    return lower


def solve(lower, x):
    """SELECT-22: what the factored matrix takes to x."""
    size, result = len(lower), list(x)
    for i in range(size):
        for k in range(i):
            result[i] = result[i] - lower[i][k] * result[k]
        result[i] = result[i] / lower[i][i]
    for i in reversed(range(size)):
        for k in range(i + 1, size):
            result[i] = result[i] - lower[k][i] * result[k]
        result[i] = result[i] / lower[i][i]
    return [number + 0.0 for number in result]


class LinUcb:
    """SELECT-12: a linear model that forgets nothing."""

    def __init__(self, parameters):
        self.parameters = parameters
        self.inverse, self.settled = identity(6, 1.0 / parameters.ridge), identity(6, 1.0 / parameters.ridge)
        self.b, self.t = [0.0] * 6, 0

    def assess(self, contexts, now):
        """SELECT-16."""
        theta, scale = times(self.settled, self.b), self.parameters.width_scale(6, self.t)
        return [bound(dot(x, theta) + 0.0, scale, dot(x, times(self.inverse, x)) + 0.0) for x in contexts]

    def choice(self, x, number=0, sign=1):
        """SELECT-17, or with sign −1 SELECT-18."""
        u = times(self.inverse, x)
        divisor = 1 + sign * (dot(x, u) + 0.0)
        if sign < 0 and (divisor <= 1e-12 or self.t == 0):
            return
        change(self.inverse, lambda i, j, held: held - sign * (u[i] * u[j] / divisor))
        self.t += sign

    def reward(self, r, x, number=0):
        """SELECT-19."""
        u = times(self.settled, x)
        divisor = 1 + (dot(x, u) + 0.0)
        change(self.settled, lambda i, j, held: held - u[i] * u[j] / divisor)
        self.b = [held + r * feature + 0.0 for held, feature in zip(self.b, x, strict=True)]


def power(base, exponent):
    """SELECT-21."""
    result, square = 1.0, base
    while exponent:
        if exponent & 1:
            result = result * square
        square, exponent = square * square, exponent >> 1
    return result


class Discounted:
    """SELECT-21: a linear model that forgets."""

    def __init__(self, parameters):
        self.parameters, ridge = parameters, parameters.ridge
        self.design, self.settled, self.squared, self.b = identity(6, ridge), identity(6, ridge), identity(6, ridge), [0.0] * 6
        self.weight, self.t, self.until = 0.0, 0, 0

    def age(self, now):
        steps = max(0, now - self.until)
        if not steps:
            return
        share = power(self.parameters.discount, steps)
        for matrix, by in ((self.design, share), (self.settled, share), (self.squared, share * share)):
            kept = (1 - by) * self.parameters.ridge
            change(matrix, lambda i, j, held: by * held + (kept if i == j else 0.0))
        self.b = [share * held + 0.0 for held in self.b]
        self.weight, self.until = share * share * self.weight + 0.0, now

    def assess(self, contexts, now):
        """SELECT-22."""
        aged = copy.deepcopy(self)
        aged.age(now)
        lower, scale = factor(aged.design), self.parameters.width_scale(6, aged.weight)
        theta = solve(factor(aged.settled), aged.b)
        for x in contexts:
            u = solve(lower, x)
            yield bound(dot(x, theta) + 0.0, scale, dot(u, times(aged.squared, u)) + 0.0)

    def choice(self, x, number, sign=1):
        if sign > 0:
            self.age(number)
        elif self.t == 0:
            return
        share = 1.0 if sign > 0 else power(self.parameters.discount, max(0, self.until - number))
        change(self.design, lambda i, j, held: held + sign * (share * (x[i] * x[j])))
        change(self.squared, lambda i, j, held: held + sign * (share * share * (x[i] * x[j])))
        self.weight = self.weight + sign * (share * share) + 0.0
        self.t += sign

    def reward(self, r, x, number):
        share = power(self.parameters.discount, max(0, self.until - number))
        change(self.settled, lambda i, j, held: held + share * (x[i] * x[j]))
        self.b = [held + share * r * feature + 0.0 for held, feature in zip(self.b, x, strict=True)]


def linear_model(parameters):
    return LinUcb(parameters) if parameters.discount == 1 else Discounted(parameters)


# ---- policies (SELECT-13 to SELECT-26) --------------------------------------------------------------------------------


class OneForAll:
    """`shared` and `paper`."""

    def __init__(self, parameters):
        self.model = linear_model(parameters)

    def assess(self, candidates, contexts, now):
        return list(self.model.assess(contexts, now))

    def choice(self, peer, x, number, sign=1):
        self.model.choice(x, number, sign)

    def reward(self, peer, r, x, number):
        self.model.reward(r, x, number)


class Disjoint:
    """SELECT-23. `peers` has the models of those that are asked about, if they have one."""

    def __init__(self, parameters):
        self.parameters, self.peers = parameters, {}

    def of(self, peer):
        return self.peers.get(peer) or linear_model(self.parameters)

    def assess(self, candidates, contexts, now):
        return [next(iter(self.of(one["peer"]).assess([x], now))) for one, x in zip(candidates, contexts, strict=True)]

    def choice(self, peer, x, number, sign=1):
        self.peers[peer] = self.of(peer)
        self.peers[peer].choice(x, number, sign)

    def reward(self, peer, r, x, number):
        self.peers[peer] = self.of(peer)
        self.peers[peer].reward(r, x, number)


class Part:
    """SELECT-24: what `hybrid` holds of one peer."""

    def __init__(self, parameters):
        self.design, self.cross, self.b, self.t = identity(2, parameters.ridge), [[0.0] * 6, [0.0] * 6], [0.0, 0.0], 0

    def back(self, v):
        return [dot([row[j] for row in self.cross], v) + 0.0 for j in range(6)]


class Hybrid:
    """SELECT-24."""

    def __init__(self, parameters):
        self.parameters, self.peers = parameters, {}
        self.design, self.b, self.t = identity(6, parameters.ridge), [0.0] * 6, 0

    def of(self, peer):
        return self.peers.get(peer) or Part(self.parameters)

    def assess(self, candidates, contexts, now):
        shared, scale = factor(self.design), self.parameters.width_scale(8, self.t)
        beta = solve(shared, self.b)
        for one, z in zip(candidates, contexts, strict=True):
            part, x = self.of(one["peer"]), z[:2]
            solved = solve(factor(part.design), x)
            left = [number - taken for number, taken in zip(z, part.back(solved), strict=True)]
            estimate = (dot(left, beta) + 0.0) + (dot(solved, part.b) + 0.0) + 0.0
            yield bound(estimate, scale, (dot(left, solve(shared, left)) + 0.0) + (dot(x, solved) + 0.0))

    def exchange(self, part, sign):
        lower = factor(part.design)
        columns = [[row[j] for row in part.cross] for j in range(6)]
        solved = [solve(lower, column) for column in columns]
        change(self.design, lambda i, j, held: held + sign * (dot(columns[i], solved[j]) + 0.0))
        share = part.back(solve(lower, part.b))
        self.b = [held + sign * number + 0.0 for held, number in zip(self.b, share, strict=True)]

    def choice(self, peer, z, number):
        part, x = self.of(peer), z[:2]
        self.exchange(part, 1)
        change(part.design, lambda i, j, held: held + x[i] * x[j])
        part.cross = [[held + x[i] * z[j] + 0.0 for j, held in enumerate(row)] for i, row in enumerate(part.cross)]
        change(self.design, lambda i, j, held: held + z[i] * z[j])
        part.t, self.t = part.t + 1, self.t + 1
        self.exchange(part, -1)
        self.peers[peer] = part

    def reward(self, peer, r, z, number):
        part = self.of(peer)
        self.exchange(part, 1)
        part.b = [held + r * feature + 0.0 for held, feature in zip(part.b, z)]
        self.b = [held + r * feature + 0.0 for held, feature in zip(self.b, z, strict=True)]
        self.exchange(part, -1)
        self.peers[peer] = part


class Measured:
    """SELECT-25: `strongest`, `screening`, `static`."""

    def __init__(self, parameters):
        pass

    def assess(self, candidates, contexts, now):
        return [bound(unit(one["prior"]), 0.0, 0.0) for one in candidates]

    def choice(self, peer, x, number, sign=1):
        pass

    def reward(self, peer, r, x, number):
        pass


RULES = {"shared": OneForAll, "paper": OneForAll, "disjoint": Disjoint, "hybrid": Hybrid,
         "strongest": Measured, "screening": Measured, "static": Measured,
         "random": OneForAll, "random-top": OneForAll, "epsilon-greedy": OneForAll, "thompson": OneForAll}


class Policy:
    """A policy with what it learned."""

    def __init__(self, parameters):
        self.parameters, self.kind, self.rule = parameters, parameters.kind, RULES[parameters.kind](parameters)
        self.choices = self.settled = 0
        self.early = self.kind not in ("paper", "hybrid")

    def frozen(self):
        """SELECT-26."""
        return self.parameters.frozen_after is not None and self.settled >= self.parameters.frozen_after

    def choose(self, peer, x):
        """SELECT-17: the number of the choice."""
        self.choices += 1
        if self.early and not self.frozen():
            self.rule.choice(peer, x, self.choices)
        return self.choices

    def settle(self, peer, x, number, r):
        """SELECT-19."""
        if self.frozen():
            return
        if not self.early:
            number = self.choices
            self.rule.choice(peer, x, number)
        self.rule.reward(peer, r, x, number)
        self.settled += 1

    def void(self, peer, x, number):
        """SELECT-18."""
        if self.early and not self.frozen():
            self.rule.choice(peer, x, number, -1)

    def best(self, candidates, contexts):
        """SELECT-16, SELECT-25: the index of the one that is chosen, with estimate, width and score."""
        bounds = list(self.rule.assess(candidates, contexts, self.choices))
        best = 0
        if self.kind == "static":
            best = next((i for i, one in enumerate(candidates) if one.get("named")), 0)
        elif self.kind != "screening":
            best = min(range(len(candidates)), key=lambda i: (-bounds[i][2], candidates[i]["peer"], i))
        return best, bounds[best]


def features(kind, one):
    """SELECT-13."""
    raw = [1.0] + [unit(one[name]) for name in ("similarity", "load", "latency", "reputation", "availability")]
    divisor = {"paper": max(1.0, math.sqrt(dot(raw, raw))), "hybrid": math.sqrt(8.0)}.get(kind, math.sqrt(6.0))
    return [number / divisor for number in raw]


def pick(policy, shortlist, executors, newcomers_picked, exploration, limited=True):
    """SELECT-20: picks as (index, bid, estimate, width, score, number), and the policy that has noted them."""
    policy, picks, remaining, new = copy.deepcopy(policy), [], list(range(len(shortlist))), newcomers_picked
    last = min(executors, len(shortlist))
    for place in range(1, last + 1):
        known = [i for i in remaining if not shortlist[i]["newcomer"]]
        eligible = remaining
        if exploration.startswith("in-turn-"):
            eligible = remaining[:1]
        elif new == 0 and place == last:
            eligible = [i for i in remaining if i in explored(range(len(shortlist)), shortlist, exploration)] or remaining
        elif limited and new > 0:
            eligible = known or remaining
        contexts = [features(policy.kind, shortlist[i]) for i in eligible]
        chosen, bounds = policy.best([shortlist[i] for i in eligible], contexts)
        best = eligible[chosen]
        number = policy.choose(shortlist[best]["peer"], contexts[chosen])
        picks.append((best, shortlist[best]["bid"], *bounds, number))
        remaining = [i for i in remaining if i != best]
        new += shortlist[best]["newcomer"]
    return picks, policy


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


def votes(policy, candidates, stream):
    """CHANCE-12: for whom each of 256 samples votes; `candidates` are key and context."""
    model, parameters = policy.rule.model, policy.parameters
    theta, root = times(model.settled, model.b), cholesky(model.inverse)
    scale = parameters.exploration * parameters.noise
    for _ in range(256):
        z = [number for _ in range(3) for number in stream.normals()]
        weights = [theta[i] + scale * dot(root[i][: i + 1], z[: i + 1]) for i in range(6)]
        yield min(range(len(candidates)), key=lambda i: (-dot(candidates[i][1], weights), candidates[i][0], i))


def chosen_by_chance(policy, candidates, best, stream):
    """CHANCE-10: the place of the pick among the candidates, and its propensity."""
    n, epsilon = len(candidates), policy.parameters.epsilon
    if policy.kind == "epsilon-greedy":
        place = stream.below(n) if stream.below(1_000_000) < epsilon else best
        any_one = ratio(epsilon) / n
        return place, (1 - ratio(epsilon)) + any_one if place == best else any_one
    if policy.kind == "thompson":
        cast = list(votes(policy, candidates, stream))
        place = cast[stream.below(256)]
        return place, cast.count(place) / 256
    return stream.below(n), 1 / n


def draw(policy, shortlist, executors, newcomers_picked, stream):
    """CHANCE-10: picks as `pick` gives them, their propensities, and the policy that has noted them."""
    policy, picks, propensities = copy.deepcopy(policy), [], []
    remaining, new = list(range(len(shortlist))), newcomers_picked
    for _ in range(min(executors, len(shortlist))):
        known = [i for i in remaining if not shortlist[i]["newcomer"]]
        eligible = known or remaining if new > 0 else remaining
        contexts = [features(policy.kind, shortlist[i]) for i in eligible]
        asked = [shortlist[i] for i in eligible]
        best, _ = policy.best(asked, contexts)
        candidates = [(one["peer"], x) for one, x in zip(asked, contexts, strict=True)]
        place, propensity = chosen_by_chance(policy, candidates, best, stream)
        bounds = list(policy.rule.assess(asked, contexts, policy.choices))[place]
        chosen = eligible[place]
        number = policy.choose(shortlist[chosen]["peer"], contexts[place])
        picks.append((chosen, shortlist[chosen]["bid"], *bounds, number))
        propensities.append(propensity)
        remaining = [i for i in remaining if i != chosen]
        new += shortlist[chosen]["newcomer"]
    return picks, propensities, policy


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


RELIABILITY_START = 0.6


def believed(reliability):
    return 0.99 if reliability >= 0.99 else reliability if reliability > 0.51 else 0.51


def log_odds(reliability):
    """VOTE-2."""
    p = believed(reliability)
    return ln(p / (1 - p))


def probabilities(beliefs, two_answers):
    """VOTE-7, of (answer, reliability): the probability of each answer."""
    def likelihood(answer):
        product = 1.0
        for given, reliability in beliefs:
            p = believed(reliability)
            product = product * (p if given == answer else 1 - p)
        return product
    found = {answer: likelihood(answer) for answer in sorted({answer for answer, _ in beliefs})}
    total = 0.0
    for value in found.values():
        total = total + value
    if not two_answers or len(found) < 2:
        total = total + likelihood(None)
    return {answer: value / total for answer, value in found.items()}


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
