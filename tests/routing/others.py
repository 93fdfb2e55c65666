"""Vowpal Wabbit and MABWiser over a stream of contexts and rewards, for `./x bench routing`.

    python others.py FILE

FILE: a line with the number of candidates and of features, then one line a round: all features of all candidates, then all
rewards. Says, a line each: seconds of processor time, mean reward and choices of each learner. Parsing is not measured, choosing and
learning is.
"""

import sys
import time
from importlib.metadata import version

import numpy
import vowpalwabbit
from mabwiser.mab import MAB, LearningPolicy


def read(path):
    with open(path, encoding="ascii") as file:
        candidates, dimension = (int(word) for word in file.readline().split())
        for line in file:
            numbers = [float(word) for word in line.split()]
            contexts = [numbers[dimension * number:dimension * (number + 1)] for number in range(candidates)]
            yield contexts, numbers[dimension * candidates:]


def say(learner, seconds, choices, rewards):
    print(f"{learner}.seconds {seconds!r}")
    print(f"{learner}.reward {sum(rewards) / len(rewards)!r}")
    print(f"{learner}.choices", *choices)


def run_vowpal_wabbit(rounds):
    """One model for all candidates; costs are 1 - reward. The first feature is the intercept, which it has by itself."""
    learner = vowpalwabbit.Workspace("--cb_explore_adf --epsilon 0.05 --cb_type mtr --quiet --random_seed 1")

    def texts(contexts, label=None):
        lines = []
        for number, x in enumerate(contexts):
            features = " ".join(f"f{place}:{value!r}" for place, value in enumerate(x) if place > 0)
            mark = f"0:{label[1]!r}:{label[2]!r} " if label and label[0] == number else ""
            lines.append(f"{mark}| {features}")
        return lines

    generator = numpy.random.default_rng(1)
    seconds, choices, earned = 0.0, [], []
    for contexts, rewards in rounds:
        asked = learner.parse(texts(contexts), vowpalwabbit.LabelType.CONTEXTUAL_BANDIT)
        began = time.process_time()
        probabilities = learner.predict(asked)
        seconds += time.process_time() - began
        learner.finish_example(asked)
        shares = numpy.asarray(probabilities)
        choice = int(generator.choice(len(shares), p=shares / shares.sum()))
        label = (choice, 1.0 - rewards[choice], float(shares[choice]))
        taught = learner.parse(texts(contexts, label), vowpalwabbit.LabelType.CONTEXTUAL_BANDIT)
        began = time.process_time()
        learner.learn(taught)
        seconds += time.process_time() - began
        learner.finish_example(taught)
        choices.append(choice)
        earned.append(rewards[choice])
    learner.finish()
    say("vowpalwabbit", seconds, choices, earned)


def run_mabwiser(rounds):
    """A model for each arm, the first candidate's context for all arms. Each arm has learned once before the first choice."""
    arms = list(range(len(rounds[0][1])))
    learner = MAB(arms=arms, learning_policy=LearningPolicy.LinUCB(alpha=1.0, l2_lambda=1.0))
    warm_up, rest = rounds[:len(arms)], rounds[len(arms):]
    learner.fit(
        decisions=arms,
        rewards=[rewards[arm] for arm, (_, rewards) in enumerate(warm_up)],
        contexts=[contexts[0] for contexts, _ in warm_up],
    )
    seconds, choices, earned = 0.0, [], []
    for contexts, rewards in rest:
        x = [contexts[0]]
        began = time.process_time()
        choice = learner.predict(x)
        learner.partial_fit([choice], [rewards[choice]], x)
        seconds += time.process_time() - began
        choices.append(choice)
        earned.append(rewards[choice])
    say("mabwiser", seconds, choices, earned)


def main():
    rounds = list(read(sys.argv[1]))
    run_vowpal_wabbit(rounds)
    run_mabwiser(rounds)
    print(f"versions vowpalwabbit {version('vowpalwabbit')}, mabwiser {version('mabwiser')}, numpy {version('numpy')}")


if __name__ == "__main__":
    main()
