"""Which passage answers, how likely it is that it does, and whether to say so."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a reader's scores are worth. `docs/deciding.md` says what else was tried.

    `cosine_weight`: logits that a cosine of 1 between question and passage adds when passages are compared; the reader
    alone prefers short, plain passages to the one that was asked about. `slope`, `quote_slope` and `intercept` map two
    scores, of the passage chosen and of the sentences that would be shown from it (by themselves, or with the sentence
    before them, whichever is higher), to the probability that these are right; from `threshold` on they are shown.
    `enough`: when a passage has this preference, hardly any passage ranked after it has more.
    """

    cosine_weight: float
    slope: float
    quote_slope: float
    intercept: float
    threshold: float
    enough: float
    made_from: str

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """The calibration stored beside a reader, as `scripts/calibrate_reader.py` writes it."""
        record = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{field.name: record[field.name] for field in fields(cls)})

    def preference(self, score: float, cosine: float) -> float:
        """How much speaks for a passage: of several, the one with the most is chosen."""
        return score + self.cosine_weight * cosine

    def probability(self, score: float, quote_score: float) -> float:
        """Probability that the answer is right, from the reader's scores for passage and quote."""
        logit = self.slope * score + self.quote_slope * quote_score + self.intercept
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))


UNCALIBRATED = Calibration(
    cosine_weight=0,
    slope=0.15,
    quote_slope=0.15,
    intercept=0,
    threshold=0.5,
    enough=math.inf,
    made_from="nothing: its probabilities are guesses until scripts/calibrate_reader.py has been run",
)
"""For a reader that brings no calibration: answers where a network trained on SQuAD 2.0 prefers its span to none."""
