"""Which passage answers, how likely it is that it does, and whether to say so."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

from qa.errors import SettingsError
from qa.support import Judge, answer_claim


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a reader's scores are worth. `docs/deciding.md` says what else was tried.

    `fused_weight`: logits that a fused score of 1 (`qa.retrieve`) adds when passages are compared; the reader alone
    prefers short, plain passages to the one that was asked about. `odds_weight`: what is added for
    each logit of the support model's log-odds that a passage's sentences bear out its answer. `slope`,
    `quote_slope`, `odds_slope` and `intercept` map two scores, of the passage chosen and of the sentences that
    would be shown from it (by themselves, or with the sentence before them, whichever is higher), and these
    log-odds to the probability that these sentences are right; from `threshold` on they are shown. `enough`:
    when a passage has this preference, hardly any passage ranked after it has more.
    """

    fused_weight: float
    slope: float
    quote_slope: float
    intercept: float
    threshold: float
    enough: float
    made_from: str
    odds_weight: float = 0.0
    odds_slope: float = 0.0

    @classmethod
    def load(cls, path: Path) -> Calibration:
        """The calibration stored beside a reader, as `scripts/calibrate_reader.py` writes it.

        Raises `SettingsError` for one that says too little, as an earlier release wrote it.
        """
        record = json.loads(path.read_text(encoding="utf-8"))
        try:
            return cls(**{field.name: record[field.name] for field in fields(cls) if field.name in record})
        except TypeError as error:
            raise SettingsError(
                f"the calibration in {path} was written by another release",
                help="Make it again with scripts/calibrate_reader.py (docs/deciding.md), or delete it to do without.",
            ) from error

    @property
    def hears_support(self) -> bool:
        """Whether the support model has a say."""
        return bool(self.odds_weight or self.odds_slope)

    def preference(self, score: float, fused: float, odds: float = 0.0) -> float:
        """How much speaks for a passage: of several, the one with the most is chosen."""
        return score + self.fused_weight * fused + self.odds_weight * odds

    def probability(self, score: float, quote_score: float, odds: float) -> float:
        """Probability that the answer is right, from the reader's scores for passage and quote and the log-odds."""
        logit = self.slope * score + self.quote_slope * quote_score + self.odds_slope * odds + self.intercept
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))


UNCALIBRATED = Calibration(
    fused_weight=0,
    slope=0.15,
    quote_slope=0.15,
    intercept=0,
    threshold=0.5,
    enough=math.inf,
    made_from="nothing: its probabilities are guesses until scripts/calibrate_reader.py has been run",
)
"""For a reader that brings no calibration: answers where a network trained on SQuAD 2.0 prefers its span to none."""


Odds = Callable[[str, str], float]
"""Log-odds that sentences bear out an answer; 0 where nobody is asked."""


def answer_odds(question: str, judge: Judge | None, calibration: Calibration) -> Odds:
    """Asks the support model about answers to this question, about each once, where the calibration hears it."""
    if judge is None or not calibration.hears_support:
        return lambda evidence, words: 0.0
    return cache(lambda evidence, words: judge(evidence, answer_claim(question, words)).odds)
