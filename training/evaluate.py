#!/usr/bin/env python3
"""Measures a model's folder on fresh questions, or on the items of a public task file.

    training/evaluate.py models/navigate --skill navigate --questions-binary target/debug/symphony-questions
    training/evaluate.py models/navigate --skill navigate --public navigate.json
"""

import argparse
import os
from pathlib import Path

import torch
from tokenizers import Tokenizer

from asking import answer_of, ask
from model import load
from questions import generate, public_questions
from recipes import SKILLS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, nargs="+", help="folders of models")
    parser.add_argument("--skill", required=True, choices=SKILLS)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--questions-binary", type=Path, help="the generators' binary: fresh questions")
    source.add_argument("--public", type=Path, help="a public task file")
    parser.add_argument("--count", type=int, default=1000, help="fresh questions")
    parser.add_argument("--seed", type=int, default=3, help="of the fresh questions")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--misses", type=int, default=0, help="wrong answers to print")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.public:
        questions = public_questions(options.public, options.skill)
    else:
        questions = generate(options.questions_binary, options.skill, options.count, options.seed, "demo", distinct=True)
    for folder in options.model:
        outputs = ask(load(folder), Tokenizer.from_file(str(folder / "tokenizer.json")), questions)
        misses = [(question, output) for question, output in zip(questions, outputs) if answer_of(output) != question.answer]
        share = 1 - len(misses) / max(len(questions), 1)
        print(f"{folder.name}: {100 * share:.1f} % of {len(questions)} ({options.skill})")
        for question, output in misses[:options.misses]:
            print(f"  {question.input!r}\n  -> {output!r}\n  expected {question.answer!r}")


if __name__ == "__main__":
    main()
