"""How each skill is trained: found by trying, on two cores."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    shares: dict[str, int]
    """Skills of the generators, and how the questions are shared among them."""
    steps: int
    """Optimizer steps of `batch` questions."""
    layers: int
    hidden: int = 96
    batch: int = 96
    learning_rate: float = 2e-3
    minutes: float = 20
    watch_steps: int = 50
    """Steps between two looks. A skill that is learned in a jump needs close ones, or its half-trained peer is a finished one."""
    checkpoints: dict[str, float] = field(default_factory=dict)
    """Suffix of a folder: the first checkpoint of at least this accuracy on fresh questions is kept there."""

    @property
    def skills(self) -> list[str]:
        return list(self.shares)


SKILLS = ["boolean_expressions", "navigate", "web_of_lies", "dyck_languages", "object_counting"]
RECIPES = {
    "boolean_expressions": Recipe({"boolean_expressions": 1}, 1500, 3, checkpoints={"early": 0.6, "half": 0.8}),
    "navigate": Recipe({"navigate": 1}, 1800, 4, batch=64, checkpoints={"early": 0.65, "half": 0.85}),
    "web_of_lies": Recipe({"web_of_lies": 1}, 1000, 3, batch=64, watch_steps=10, checkpoints={"early": 0.6, "half": 0.75}),
    "dyck_languages": Recipe({"dyck_languages": 1}, 1800, 4, batch=64, checkpoints={"early": 0.3, "half": 0.7}),
    "object_counting": Recipe({"object_counting": 1}, 1400, 3, batch=64, checkpoints={"early": 0.3, "half": 0.7}),
    # Mediocre at all on purpose: truth chains are learned fastest and get the smallest share, counting slowest.
    "generalist": Recipe({"boolean_expressions": 3, "navigate": 3, "web_of_lies": 2, "object_counting": 4}, 750, 3, batch=64),
}
