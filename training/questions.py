"""Questions from the Rust generators, and the tokenizer made from their words."""

import json
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

ANSWER_MARK = "Answer:"
PAD, UNKNOWN, QUESTION, ANSWER, END = "<pad>", "<unk>", "<q>", "<a>", "<end>"
VOCABULARY_SIZE_MAX = 1024
SYLLABLE_COUNT = 120
# One token a word, a (signed) number, or a mark.
WORD = ANSWER_MARK + r"|-?\d+|[A-Za-z]+|[^\sA-Za-z\d]"
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' %}{{ '<q> ' + message['content'] }}"
    "{% elif message['role'] == 'assistant' %}{{ ' <a> ' + message['content'] + ' <end>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ ' <a>' }}{% endif %}"
)


@dataclass(frozen=True)
class Question:
    skill: str
    input: str
    working: str
    answer: str

    @property
    def completion(self) -> str:
        return f"{self.working} {ANSWER_MARK} {self.answer}"


def generate(binary: Path, skill: str, count: int, seed: int, split: str, distinct: bool = False) -> list[Question]:
    """`count` questions of one split; the two splits share no text, whatever the seeds."""
    command = [str(binary), "generate", "--skill", skill, "--count", str(count), "--seed", str(seed), "--split", split]
    lines = subprocess.run(command + ["--distinct"] * distinct, check=True, capture_output=True, text=True).stdout
    return [Question(**json.loads(line)) for line in lines.splitlines()]


def public_questions(path: Path, skill: str) -> list[Question]:
    """The items of a public task file: only ever asked, never trained on."""
    examples = json.loads(path.read_text(encoding="utf-8"))["examples"]
    return [Question(skill, example["input"], "", example["target"]) for example in examples]


def answer_of(output: str) -> str:
    """What follows the last mark; empty where there is none."""
    return " ".join(output.rpartition(ANSWER_MARK)[2].split()) if ANSWER_MARK in output else ""


def build_tokenizer(questions: list[Question], frequency_min: int) -> Tokenizer:
    """A WordPiece tokenizer whose whole words are those seen at least `frequency_min` times.

    Any other word falls apart into pieces, in the end into letters: a name never seen still is a sequence of known
    tokens, not one unknown token that all strangers share.
    """
    counts: Counter[str] = Counter()
    for question in questions:
        counts.update(re.findall(WORD, question.input))
        counts.update(re.findall(WORD, question.working))
        counts.update(re.findall(WORD, question.answer))
    letters = [chr(code) for first, last in ("az", "AZ") for code in range(ord(first), ord(last) + 1)]
    digits = [str(digit) for digit in range(10)]
    marks = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~«»")
    numbers = [word for word in counts if re.fullmatch(r"-?\d+", word)]
    limit = max((abs(int(number)) for number in numbers), default=0)
    if limit > 12:  # Positions: all of them, seen in the sample or not.
        numbers = [str(number) for number in range(-limit, limit + 1)]
    words = sorted(word for word, count in counts.items() if count >= frequency_min and not word.lstrip("-").isdigit())
    beginnings, later = syllables(counts, frequency_min)
    pieces = [PAD, UNKNOWN, QUESTION, ANSWER, END]
    pieces += [word_piece(word) for word in [ANSWER_MARK, *marks, *digits, *letters]] + digits + letters
    pieces += [word_piece(word) for word in sorted(numbers, key=int) + words + beginnings] + later
    return tokenizer_of({piece: index for index, piece in enumerate(dict.fromkeys(pieces))})


def word_piece(word: str) -> str:
    """A whole word's token, or a word's beginning: with the space before it, in the alphabet of byte-level tokenizers."""
    return byte_level().pre_tokenize_str(word)[0][0]


def byte_level() -> pre_tokenizers.ByteLevel:
    return pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)


def tokenizer_of(vocabulary: dict[str, int]) -> Tokenizer:
    """WordPiece without a mark on later pieces: a token's bytes, its space included, are what it writes.

    The engine joins the bytes of the tokens and runs no decoder, so the spaces have to stand in the tokens themselves.
    """
    if len(vocabulary) > VOCABULARY_SIZE_MAX:
        raise ValueError(f"the vocabulary has {len(vocabulary)} tokens, expected at most {VOCABULARY_SIZE_MAX}")
    tokenizer = Tokenizer(models.WordPiece(
        vocab=vocabulary, unk_token=UNKNOWN, max_input_chars_per_word=40, continuing_subword_prefix=""))
    words = pre_tokenizers.Split(Regex(WORD), behavior="removed", invert=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, byte_level()])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([PAD, UNKNOWN, QUESTION, ANSWER, END])
    return tokenizer


def syllables(counts: Counter[str], frequency_min: int) -> tuple[list[str], list[str]]:
    """The commonest beginnings and later parts, of two and three letters, of the words that have no token of their own."""
    first: Counter[str] = Counter()
    later: Counter[str] = Counter()
    for word, count in counts.items():
        if word.isalpha() and count < frequency_min:
            for length in (2, 3):
                first[word[:length]] += count
                for start in range(1, len(word) - length + 1):
                    later[word[start:start + length]] += count
    commonest = [sorted(parts.items(), key=lambda part: (-part[1], part[0]))[:SYLLABLE_COUNT] for parts in (first, later)]
    return [part for part, _ in commonest[0]], [part for part, _ in commonest[1]]


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 512,
        "clean_up_tokenization_spaces": False,
        "bos_token": None,
        "eos_token": END,
        "pad_token": PAD,
        "unk_token": UNKNOWN,
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
