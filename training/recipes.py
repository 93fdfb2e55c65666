"""How each skill is trained: found by trying, on two cores."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    skills: list[str]
    """Skills of the generators, in equal shares."""
    steps: int
    """Optimizer steps of `batch` questions."""
    layers: int
    hidden: int = 96
    batch: int = 96
    learning_rate: float = 2e-3
    minutes: float = 20
    checkpoints: dict[str, float] = field(default_factory=dict)
    """Suffix of a folder: the first checkpoint of at least this accuracy on fresh questions is kept there."""


SKILLS = ["boolean_expressions", "navigate", "web_of_lies", "dyck_languages", "object_counting"]
RECIPES = {
    "boolean_expressions": Recipe(["boolean_expressions"], 1500, 3, checkpoints={"early": 0.6, "half": 0.8}),
    "navigate": Recipe(["navigate"], 1800, 4, batch=64, checkpoints={"early": 0.65, "half": 0.85}),
    "web_of_lies": Recipe(["web_of_lies"], 1000, 3, batch=64, checkpoints={"early": 0.65, "half": 0.85}),
    "dyck_languages": Recipe(["dyck_languages"], 1800, 4, batch=64, checkpoints={"early": 0.3, "half": 0.7}),
    "object_counting": Recipe(["object_counting"], 1400, 3, batch=64, checkpoints={"early": 0.3, "half": 0.7}),
    "generalist": Recipe(["boolean_expressions", "navigate", "web_of_lies", "object_counting"], 1200, 3, batch=64, minutes=17),
}
