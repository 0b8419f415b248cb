"""From a language model's reply to the sentences of it that are shown: verified, to the point, one by one."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from index.embed import Embedder, Vectors
from qa.attribute import attributed
from qa.compose import phrase
from qa.decide import Calibration, answer_odds
from qa.extract import Excerpt
from qa.generate import MISSING, conversation, sentences
from qa.llm import Budget, LanguageModel
from qa.read import Reader
from qa.retrieve import RankedPassage
from qa.rules import UNATTRIBUTED
from qa.support import Judge
from qa.trace import Drafted, Trace
from qa.verify import Evidence, Support, names_one
from qa.wording import collapse, read

TO_THE_POINT = 0.25
"""Cosine with the question below which neither a sentence nor its passage helps to answer, however true it is: of true
sentences of other documents than the one asked about nine in ten have less (tests/data/hostile)."""
ANSWERS, ANSWERING_PASSAGE = 0.35, 0.45
"""Cosines of question and sentence, or passage, from which a verified sentence answers a question that the reader would
refuse: a capable model has read the passages, too. Or, below them, this share of the reader's threshold:"""
HALF = 0.5
DRAFTS, TEMPERATURE, DRAWING = 6, 0.6, 3.0
"""Drafts of a sentence that is to be phrased, how freely the later ones are drawn, and the seconds after which no other
is begun (docs/phrasing.md)."""
LONGEST_MISSING = 25  # words


@dataclass(frozen=True, slots=True)
class Writer:
    """What it takes to have an answer written and checked. Every sentence that was looked at goes to the trace."""

    llm: LanguageModel
    embedder: Embedder
    reader: Reader
    calibration: Calibration
    judge: Judge | None
    support_threshold: float
    trace: Trace

    def phrased(
        self, question: str, excerpt: Excerpt, short_answer: str, budget: Budget
    ) -> Iterator[tuple[str, Support]]:
        """One sentence that gives the short answer, if the sentences that hold it support it.

        A small model rarely gets it right at once: where the first draft, the most probable one, does not pass, others
        are drawn. One that lacks nothing but the speaker is tried with the source's words for that.
        """
        evidence = Evidence(self.embedder, excerpt.holding, self.judge)
        shown = " ".join(passage.slice(span) for passage, span in excerpt.shown)
        until = time.monotonic() + DRAWING
        tried: set[str] = set()
        for seed in range(DRAFTS):
            drawn: dict[str, float] = {"temperature": TEMPERATURE, "seed": seed} if seed else {}
            draft = phrase(
                self.llm, question=question, evidence=shown, short_answer=short_answer, budget=budget, **drawn
            )
            for sentence in (draft, attributed(draft, excerpt.evidence())):
                if sentence is None or sentence in tried:
                    break
                tried.add(sentence)
                began = time.perf_counter()
                support = evidence.phrased(sentence, question=question, short_answer=short_answer)
                if self._shown(sentence, support, began):
                    yield sentence, support
                    return
                if support.reasons != (UNATTRIBUTED,):
                    break
            if time.monotonic() > until or budget.cancelled():
                return

    def generated(
        self, question: str, ranked: Sequence[RankedPassage], budget: Budget, *, answered: bool
    ) -> Iterator[tuple[str, Support]]:
        """The sentences of the reply that the passages support and that help to answer.

        Where the reader has not `answered`, they are held back until one of them does.
        """
        window = self.llm.load().metadata.context_window
        budget = replace(budget, max_tokens=min(budget.max_tokens, window // 2))  # or no passage would fit
        room = window - budget.max_tokens - PROMPT_TOKENS
        passages = [item.passage for item in ranked]
        likeness = {item.passage.id: item.cosine for item in ranked}
        evidence = Evidence.of(self.embedder, passages, self.judge)
        parts = self.trace.parts or [question]
        asked = [self.embedder.embed_query(part) for part in dict.fromkeys([question, *parts])]
        quoted = {sentence for found in self.trace.found if answered for sentence in found.excerpt.shown}
        held: list[tuple[str, Support]] = []
        said: set[str] = set()
        previous = question if names_one(question) else None
        for sentence in sentences(self.llm.write(conversation(question, passages, room), budget)):
            if sentence.startswith(MISSING):
                self.trace.missing = missing(sentence.removeprefix(MISSING), question)
                return
            began = time.perf_counter()
            support = evidence.support(sentence, previous)
            cosine = self._likeness(asked, sentence) if support.supported else 0.0
            about = [cosine, *(likeness[passage.id] for passage, _ in support.sentences)]
            beside = max(about) < TO_THE_POINT and quoted.isdisjoint(support.sentences)
            if support.supported and beside and not any(self._answers(part, sentence) for part in parts):
                support = Support(0.0, support.sentences, ("question: it does not help to answer",))
            if support.supported and collapse(sentence) in said:
                support = Support(0.0, support.sentences, ("repetition: it has been said",))
            shown = self._shown(sentence, support, began)
            if shown or said:  # what a pronoun means must be on the page
                previous = sentence if shown else None
            if not shown:
                continue
            said.add(collapse(sentence))
            held.append((sentence, support))
            answered = answered or cosine >= ANSWERS or max(about[1:]) >= ANSWERING_PASSAGE
            answered = answered or any(self._answers(part, sentence) for part in parts)
            if answered:
                yield from held
                held.clear()
        for at, drafted in enumerate(self.trace.drafted):
            if drafted.shown and (drafted.sentence, drafted.support) in held:
                reasons = ("question: it is true, but neither it nor what was found answers the question",)
                support = Support(0.0, drafted.support.sentences, reasons)
                self.trace.drafted[at] = Drafted(drafted.sentence, support, False, drafted.seconds)

    def _shown(self, sentence: str, support: Support, began: float) -> bool:
        shown = support.supported and support.score >= self.support_threshold
        self.trace.drafted.append(Drafted(sentence, support, shown, time.perf_counter() - began))
        return shown

    def _likeness(self, asked: Sequence[Vectors], sentence: str) -> float:
        """Cosine of a sentence and the part of the question that it is most like."""
        vector = self.embedder.embed_query(sentence)
        return max(float(part @ vector) for part in asked)

    def _answers(self, question: str, sentence: str) -> bool:
        found = self.reader.read(question, [sentence], 1)[0]
        if not found:
            return False
        score, words = found[0].score, found[0].span.of(sentence)
        odds = answer_odds(question, self.judge, self.calibration)(sentence, words)
        return self.calibration.probability(score, score, odds) >= HALF * self.trace.threshold


PROMPT_TOKENS = 400
"""Of `qa/prompts/answer_system.txt` and a question; passages take what is left of the context."""


def missing(text: str, question: str) -> str:
    """What a model says is not stated, if it says so in the words of the question: it is no place for news."""
    text = collapse(text).strip(" .")
    asked = {item.key for item in read(question)}
    known = all(item.key in asked for item in read(text) if item.content)
    plain = not re.search(r"[^\w\s,'’$€£%&.-]", text)
    return text if text and known and plain and len(text.split()) <= LONGEST_MISSING else ""
