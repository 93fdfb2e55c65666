"""Asking a model and marking its answers."""

from tokenizers import Tokenizer

from model import Transformer
from questions import ANSWER, END, PAD, QUESTION, Question, answer_of

OUTPUT_LENGTH_MAX = 256
ASKED_TOGETHER = 100


def prompt_text(question: Question) -> str:
    """What the chat template makes of one user message."""
    return f"{QUESTION} {question.input} {ANSWER}"


def ask(model: Transformer, tokenizer: Tokenizer, questions: list[Question]) -> list[str]:
    """Greedy outputs."""
    end, pad = tokenizer.token_to_id(END), tokenizer.token_to_id(PAD)
    outputs = []
    for start in range(0, len(questions), ASKED_TOGETHER):
        texts = [prompt_text(question) for question in questions[start:start + ASKED_TOGETHER]]
        prompts = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
        outputs += tokenizer.decode_batch(model.decode(prompts, end, pad, OUTPUT_LENGTH_MAX))
    return outputs


def accuracy(model: Transformer, tokenizer: Tokenizer, questions: list[Question]) -> float:
    """The share of questions answered exactly."""
    outputs = ask(model, tokenizer, questions)
    right = sum(answer_of(output) == question.answer for output, question in zip(outputs, questions))
    return right / max(len(questions), 1)
