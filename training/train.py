#!/usr/bin/env python3
"""Trains a specialist for one skill on generated questions, or a generalist on several.

    ./x train navigate

or, with the packages of requirements.txt and the generators (`cargo build -p symphony-questions`) at hand:

    training/train.py --skill navigate --out models/navigate --questions-binary target/debug/symphony-questions

Each skill has a recipe (recipes.py); options change it. The questions come from the Rust generators (crates/questions):
training takes the split `train`, every figure the split `demo`, which share no text. Half-trained checkpoints are kept on
the way, beside the model: honest weak peers.
"""

import argparse
import math
import os
import random
import shutil
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from asking import accuracy, ask, prompt_text
from model import Shape, Transformer, load, save
from questions import END, PAD, Question, build_tokenizer, generate, public_questions, save_tokenizer
from recipes import RECIPES

# Seeds of the split `demo`; the training questions have the seed of the options.
WATCH_SEED, CARD_SEED = 2, 3
HEAD_SIZE = 32
# What the options may change of a recipe.
RECIPE_OPTIONS = ("minutes", "steps", "batch", "hidden", "layers", "learning_rate", "watch_steps")
# How many batches are sorted by length together, so that little is padded.
BATCHES_SORTED_TOGETHER = 16


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skill", required=True, choices=list(RECIPES))
    parser.add_argument("--out", required=True, type=Path,
                        help="folder of the trained model; it and the folders of its checkpoints are replaced")
    parser.add_argument("--questions-binary", required=True, type=Path, help="the generators' binary symphony-questions")
    parser.add_argument("--minutes", type=float, help="training ends after this time at the latest")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--batch", type=int, help="questions a step")
    parser.add_argument("--hidden", type=int, help="width, a multiple of 32")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="1 where other work shares the cores")
    parser.add_argument("--watch", type=int, default=192, help="questions asked at each look on the way")
    parser.add_argument("--watch-steps", type=int, help="steps between two looks")
    parser.add_argument("--evaluate", type=int, default=1000, help="fresh questions a skill for the card")
    parser.add_argument("--public", type=Path, help="folder of public task files (SKILL.json), asked for the card only")
    parser.add_argument("--seed", type=int, default=1, help="of the weights, the order, and the questions")
    parser.add_argument("--from", dest="start", type=Path, help="folder of a model to go on from, with its tokenizer")
    options = parser.parse_args()
    recipe = RECIPES[options.skill]
    for name in RECIPE_OPTIONS:
        if getattr(options, name) is None:
            setattr(options, name, getattr(recipe, name))
    if options.hidden % HEAD_SIZE or min(options.hidden, options.layers, options.steps, options.batch, options.threads) < 1:
        parser.error(f"expected a width that is a multiple of {HEAD_SIZE}, and at least one layer, step, question and thread")
    if not options.questions_binary.is_file():
        parser.error(f"no binary at {options.questions_binary}: build it with `cargo build -p symphony-questions`")
    return options


class Trainer:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.recipe = RECIPES[options.skill]
        self.skills = self.recipe.skills
        binary = options.questions_binary
        count, parts = options.steps * options.batch, sum(self.recipe.shares.values())
        self.train = [question for skill, share in self.recipe.shares.items()
                      for question in generate(binary, skill, -(-count * share // parts), options.seed, "train")]
        sample = [question for skill in self.skills for question in self.train_of(skill)[:20_000]]
        if options.start:
            self.tokenizer = Tokenizer.from_file(str(options.start / "tokenizer.json"))
        else:
            self.tokenizer = build_tokenizer(sample, frequency_min=40)
        self.end, self.pad = self.tokenizer.token_to_id(END), self.tokenizer.token_to_id(PAD)
        watch = -(-options.watch // len(self.skills))
        self.watch = [q for skill in self.skills for q in generate(binary, skill, watch, WATCH_SEED, "demo", distinct=True)]
        self.fresh = {
            skill: generate(binary, skill, options.evaluate, CARD_SEED, "demo", distinct=True) for skill in self.skills
        }
        torch.manual_seed(options.seed)
        heads = options.hidden // HEAD_SIZE
        shape = Shape(vocabulary_size=self.tokenizer.get_vocab_size(), hidden_size=options.hidden,
                      inner_size=3 * options.hidden, layer_count=options.layers, head_count=heads,
                      key_head_count=max(heads // 2, 1))
        self.model = load(options.start).train() if options.start else Transformer(shape)
        self.started = time.monotonic()
        self.seconds_looking = 0.0

    def train_of(self, skill: str) -> list[Question]:
        return [question for question in self.train if question.skill == skill]

    def batches(self):
        """(tokens padded on the right, positions whose next token is taught, those next tokens)."""
        prompts = self.tokenizer.encode_batch([prompt_text(question) for question in self.train])
        outputs = self.tokenizer.encode_batch([f"{question.completion} {END}" for question in self.train])
        pairs = [(prompt.ids, output.ids) for prompt, output in zip(prompts, outputs)]
        order = random.Random(self.options.seed)
        order.shuffle(pairs)
        group = self.options.batch * BATCHES_SORTED_TOGETHER
        batches = []
        for start in range(0, len(pairs), group):
            together = sorted(pairs[start:start + group], key=lambda pair: len(pair[0]) + len(pair[1]))
            parts = [together[at:at + self.options.batch] for at in range(0, len(together), self.options.batch)]
            order.shuffle(parts)
            batches += [part for part in parts if len(part) == self.options.batch]
        for batch in batches:
            width = max(len(prompt) + len(output) for prompt, output in batch)
            tokens = torch.full((len(batch), width), self.pad)
            taught = torch.zeros((len(batch), width), dtype=torch.bool)
            for row, (prompt, output) in enumerate(batch):
                tokens[row, :len(prompt) + len(output)] = torch.tensor(prompt + output)
                taught[row, len(prompt) - 1:len(prompt) + len(output) - 1] = True
            yield tokens[:, :-1], taught[:, :-1], tokens[:, 1:][taught[:, :-1]]

    def seconds_training(self) -> float:
        return time.monotonic() - self.started - self.seconds_looking

    def run(self) -> None:
        options = self.options
        optimizer = torch.optim.AdamW(self.model.parameters(), lr=options.learning_rate, betas=(0.9, 0.98),
                                      weight_decay=0.01)
        weak = sorted((accuracy, options.out.with_name(f"{options.out.name}-{suffix}"))
                      for suffix, accuracy in self.recipe.checkpoints.items() if not options.start)
        total, tokens_seen, step = 0.0, 0, 0
        print(f"{self.model.parameter_count():,} parameters, {self.model.shape.vocabulary_size} tokens, "
              f"{len(self.train):,} questions", flush=True)
        for step, (tokens, taught, targets) in enumerate(self.batches(), start=1):
            # The learning rate follows whichever runs out first, the steps or the time.
            progress = max(step / options.steps, self.seconds_training() / (60 * options.minutes))
            if progress > 1:
                break
            rate = options.learning_rate * min(1, step / 50) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = F.cross_entropy(self.model.logits(self.model.states(tokens)[taught]), targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimizer.step()
            total, tokens_seen = total + loss.item(), tokens_seen + tokens.numel()
            if step % options.watch_steps == 0:
                weak = self.look(step, total / options.watch_steps, tokens_seen, weak)
                total = 0.0
        self.keep(options.out, step, f"Trained on from `{options.start.name}`." if options.start else "Trained to the end.")

    def look(self, step: int, loss: float, tokens_seen: int, weak: list) -> list:
        seconds = self.seconds_training()
        looked = time.monotonic()
        share = accuracy(self.model, self.tokenizer, self.watch)
        print(f"step {step}  loss {loss:.4f}  fresh {share:.3f}  {seconds:.0f} s  "
              f"{tokens_seen / seconds:,.0f} tokens/s", flush=True)
        reached = [folder for needed, folder in weak if share >= needed]
        for folder in reached[-1:]:
            self.keep(folder, step, "A checkpoint on the way, kept as it was: half-trained on purpose.")
        self.seconds_looking += time.monotonic() - looked
        return weak[len(reached):]

    def keep(self, folder: Path, step: int, state: str) -> None:
        """Writes the model's folder, reads it back, and measures what was read."""
        seconds = self.seconds_training()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        save(self.model, folder, self.end, self.pad)
        save_tokenizer(self.tokenizer, folder)
        for path in folder.iterdir():
            path.chmod(0o644)
        model = load(folder)
        rows = []
        for skill in self.skills:
            fresh = accuracy(model, self.tokenizer, self.fresh[skill])
            public = "not measured"
            path = self.options.public and self.options.public / f"{skill}.json"
            if path and path.is_file():
                questions = public_questions(path, skill)
                public = f"{100 * accuracy(model, self.tokenizer, questions):.1f} % of {len(questions)}"
            rows.append(f"| {skill} | {100 * fresh:.1f} % of {len(self.fresh[skill])} | {public} |")
        example = self.fresh[self.skills[0]][0]
        card = CARD.format(
            name=folder.name, skills=", ".join(self.skills), state=state, shape=self.shape_text(), rows="\n".join(rows),
            bytes=(folder / "model.safetensors").stat().st_size, step=step, batch=self.options.batch,
            questions=step * self.options.batch, train_seed=self.options.seed, card_seed=CARD_SEED,
            minutes=f"{seconds / 60:.1f}", cores=os.cpu_count(), load=os.getloadavg()[1], threads=self.options.threads, command=self.command(),
            input=example.input, output=ask(model, self.tokenizer, [example])[0], answer=example.answer)
        (folder / "card.md").write_text(card, encoding="utf-8")
        print(f"kept {folder}: {' '.join(rows)}", flush=True)

    def shape_text(self) -> str:
        shape = self.model.shape
        return (f"Qwen2 shape, {self.model.parameter_count():,} parameters: hidden {shape.hidden_size}, {shape.layer_count} "
                f"layers, {shape.head_count} heads ({shape.key_head_count} for keys), inner {shape.inner_size}, "
                f"{shape.vocabulary_size} tokens")

    def command(self) -> str:
        """What trains it again: the recipe, and what the options changed."""
        options = self.options
        changed = [f" --{name.replace('_', '-')} {getattr(options, name):g}"
                   for name in RECIPE_OPTIONS if getattr(options, name) != getattr(self.recipe, name)]
        return f"./x train {options.skill}{''.join(changed)}"


CARD = """# {name}

Skill: {skills}. {state}

| skill | fresh questions (split demo, seed {card_seed}) | public items (never trained on) |
|---|---|---|
{rows}

- **Shape.** {shape}. Weights stored in half precision, {bytes:,} bytes; load in single precision.
- **Data.** Generated questions only (`crates/questions`, split train, seed {train_seed}): {step:,} steps of {batch}, {questions:,}
  questions. The splits train and demo share no text. Figures: greedy decoding of the stored weights in PyTorch.
- **Training.** {minutes} minutes on a machine of {cores} cores (load {load:.0f} at the end), {threads} thread(s).
- **Command.** `{command}`
- **Output.** Working, then `Answer:` and the answer. An example (right answer: {answer}):

```text
{input}
→ {output}
```
"""


def main() -> int:
    options = arguments()
    torch.set_num_threads(options.threads)
    Trainer(options).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
