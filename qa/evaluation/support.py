"""Whether citations support what they are cited for, judged by the project's own verifier: no network, no LLM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.chunk import split_sentences
from index.embed import Embedder
from index.types import Passage
from qa.grounding import ended, plain
from qa.statement import states
from qa.support import Judge
from qa.verify import Evidence


@dataclass(frozen=True)
class SupportJudge:
    """Says whether passages support a claim: from this support score on, as in an answer.

    With the support model `model`, or by the exact checks alone.
    """

    embedder: Embedder
    threshold: float
    model: Judge | None

    def supports(self, passages: Sequence[Passage], claim: str, previous: str | None) -> bool:
        """Whether an answer may say it, resting on these passages; `previous` is the claim before it."""
        found = Evidence.of(self.embedder, passages, self.model).support(claim, previous)
        return found.supported and found.score >= self.threshold

    def score(self, passages: Sequence[Passage], text: str) -> float:
        """The lowest support score of the sentences that state something, as checking a text gives them."""
        known = Evidence.of(self.embedder, passages, self.model)
        claims = [plain(span.of(text)) for span in split_sentences(text)]
        return min((known.support(ended(claim), "").score for claim in claims if states(claim)), default=0.0)

    def citations(self, claims: Sequence[tuple[str, Sequence[Passage]]]) -> tuple[list[float], list[float]]:
        """Citation recall of each claim and citation precision of each citation: Gao et al., EMNLP 2023 (ALCE), 4.2.

        A claim has recall 1 if all that it cites together supports it. A citation has precision 1 if its claim has
        recall 1 and it is not irrelevant: it supports the claim by itself, or the others do not without it. ALCE asks a
        language model for natural language inference; this asks the verifier, with which answers are made: it finds
        what a change of the answers breaks, and cannot find what the verifier itself gets wrong.
        """
        recalls, precisions = [], []
        previous: str | None = None
        for claim, cited in claims:
            whole = self.supports(cited, claim, previous)
            recalls.append(float(whole))
            for at, citation in enumerate(cited):
                rest = [*cited[:at], *cited[at + 1 :]]
                needed = whole and (
                    self.supports([citation], claim, previous) or not self.supports(rest, claim, previous)
                )
                precisions.append(float(needed))
            previous = claim
        return recalls, precisions
