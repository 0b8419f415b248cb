"""Exact checks and support model together: how probable is a claim that the checks reject?

By themselves the checks reject most light paraphrases, and the model takes most sentences that are made of the
evidence's words for supported, whoever does what in them. What a check finds counts where it tells true claims from
false ones: in sentences made of the evidence's words. `docs/verifying.md` says how the weights came about.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

OPEN = frozenset({"word", "words", "meaning", "structure", "emphasis", "opposite"})
"""Kinds of reasons that are a matter of words: paraphrase gives them as well as an error does."""
OVERRULED = OPEN | {"hedge", "extent", "cause", "time"}
"""Kinds of reasons that a model may overrule in an answer. Of written claims that nothing was trained on (half of them
true) and that it holds for supported, 93 had some of the last four kinds against them and else only words: 86 were
true; of 396 with words alone 321."""
ROLES = frozenset({"roles", "order", "direction", "owner"})
"""Kinds of reasons that say who does what, or what belongs to whom."""
NEAR, WORDED = 0.75, 0.95
"""Shares of a claim's content words in one sentence from which it is near it, and from which it is of its words."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found out about a claim.

    `together` and `alone` are the model's log-odds of support, by the nearest sentences and by those that the checks
    say least against; `share` is the largest share of its content words that one sentence has, `kinds` are those of
    the reasons against it.
    """

    together: float
    alone: float
    share: float
    kinds: frozenset[str]

    @property
    def features(self) -> tuple[float, ...]:
        """What `Weighing` has weights for, in its order."""
        worded = self.share >= WORDED
        return (
            self.together,
            self.alone,
            -float(worded and not self.kinds <= OPEN),
            -float(worded and "negation" in self.kinds),
            -float(self.share >= NEAR and not self.kinds.isdisjoint(ROLES)),
        )


@dataclass(frozen=True, slots=True)
class Weighing:
    """Weights of a logistic regression, none below zero, as `scripts/calibrate_support.py` fits them.

    `rejected`, `negated` and `roles` are taken off where a claim made of the evidence's words has a reason of a kind
    that is not open, or a negation against it, and where one that is near the evidence has a reason about roles.
    """

    together: float = 1.0
    alone: float = 0.5
    rejected: float = 0.7
    negated: float = 0.6
    roles: float = 1.0
    intercept: float = 0.0

    def probability(self, seen: Seen) -> float:
        """That the claim is supported."""
        weights = (self.together, self.alone, self.rejected, self.negated, self.roles)
        logit = self.intercept + sum(w * x for w, x in zip(weights, seen.features, strict=True))
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))
