"""An answer in the making: quote, claims and citations, put together into the object that is sent."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence

from index.types import Span
from qa.cite import citation_id, cite, viewer_url
from qa.extract import Sentence
from qa.find import Found
from qa.plan import Plan
from qa.retrieve import RankedPassage
from qa.types import Answer, Citation, Claim, Models, PassageResult, Quote, Timings

REFUSAL = "The documents in this collection do not answer this question."


class Clock:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.laps: dict[str, float] = {
            "understand_ms": 0,
            "retrieve_ms": 0,
            "read_ms": 0,
            "compose_ms": 0,
            "verify_ms": 0,
        }

    def lap(self, name: str, **parts: float) -> None:
        """Add the time since the last lap to a step, less those `parts` of it that go to other steps."""
        now = time.perf_counter()
        parts[name] = (now - self._last) * 1000 - sum(parts.values())
        for step, ms in parts.items():
            self.laps[step] = round(self.laps[step] + ms, 2)
        self._last = now

    def timings(self) -> Timings:
        """The laps so far."""
        return Timings(**self.laps)


class Draft:
    """An answer in the making. Quote, claims and citations are only ever appended to."""

    def __init__(self, question: str, collection: str, plan: Plan) -> None:
        self.asked = self.question = question
        self.collection = collection
        self.plan = plan
        self.passages: list[PassageResult] = []
        self.probability = 0.0
        self.quoted: Quote | None = None
        self.short_answer = ""
        self.unanswered: list[str] = []
        self.citations: list[Citation] = []
        self.claims: list[Claim] = []
        self.composed_by: str = "extract"
        self.note: str | None = None
        self.conversation_id: str | None = None

    def understood(self, question: str, plan: Plan) -> None:
        """From here on the question is another one than was asked: the follow-up, standing by itself."""
        self.question, self.plan = question, plan

    def quote(self, found: Sequence[Found]) -> Quote:
        """Cite the sentences found and make them the verbatim answer."""
        sentences = dict.fromkeys(sentence for answer in found for sentence in answer.excerpt.shown)
        indices = self._cited(sentences)
        text = " ".join(self.citations[index].cited_text for index in indices)
        self.short_answer = "; ".join(dict.fromkeys(answer.words for answer in found))
        self.quoted = Quote(text=text, citation_indices=indices)
        return self.quoted

    def claim_quote(self) -> list[Claim]:
        """One claim a verbatim sentence."""
        indices = self.quoted.citation_indices if self.quoted else []
        return [self._claim(self.citations[index].cited_text, 1.0, [index]) for index in indices]

    def claim_written(self, sentence: str, score: float, sentences: Iterable[Sentence]) -> Claim:
        """A claim for a sentence of an LLM, cited to the sentences that support it."""
        self.composed_by = "llm"
        return self._claim(sentence, score, self._cited(sentences))

    def _claim(self, text: str, score: float, citation_indices: list[int]) -> Claim:
        start = self.claims[-1].end + 1 if self.claims else 0
        claim = Claim(start=start, end=start + len(text), text=text, score=score, citation_indices=citation_indices)
        self.claims.append(claim)
        return claim

    def _cited(self, sentences: Iterable[Sentence]) -> list[int]:
        """The positions of the citations of these sentences, which are added where they are missing."""
        indices = []
        for passage, span in sentences:
            citation = cite(passage, span, self.collection)
            if citation not in self.citations:
                self.citations.append(citation)
            indices.append(self.citations.index(citation))
        return list(dict.fromkeys(indices))

    def answered(self, models: Models, clock: Clock) -> Answer:
        """The whole answer."""
        return self._answer(
            "answered",
            " ".join(claim.text for claim in self.claims),
            models,
            clock,
            short_answer=self.short_answer,
            support_score=min(claim.score for claim in self.claims),
            composed_by=self.composed_by,
            quote=self.quoted,
        )

    def refused(self, models: Models, clock: Clock, missing: str = "") -> Answer:
        """The refusal: nothing is cited. `missing` names what the documents would have to say."""
        return self._answer(
            "not_answerable",
            f"{REFUSAL} They do not state: {missing}." if missing else REFUSAL,
            models,
            clock,
            short_answer=None,
            support_score=None,
            composed_by=None,
            quote=None,
        )

    def _answer(self, status: str, answer: str, models: Models, clock: Clock, **rest: object) -> Answer:
        return Answer.model_validate(
            {
                "id": "ans_" + secrets.token_hex(8),
                "status": status,
                "question": self.asked,
                "standalone_question": self.question if self.question != self.asked else None,
                "conversation_id": self.conversation_id,
                "collection": self.collection,
                "answer": answer,
                "answerable_probability": self.probability,
                "mode": self.plan.mode,
                "mode_reason": self.plan.reason,
                "claims": self.claims,
                "citations": self.citations,
                "passages": self.passages,
                "models": models,
                "timings": clock.timings(),
                "unanswered": self.unanswered,
                "note": self.note,
                **rest,
            }
        )


def passage_result(item: RankedPassage, reader_score: float | None, collection: str) -> PassageResult:
    """A ranked passage as it is sent."""
    passage = item.passage
    cited = citation_id(passage, Span(passage.start, passage.end), collection)
    return PassageResult(
        id=str(passage.id),
        document_id=passage.document_id,
        document_title=passage.document_title,
        text=passage.text,
        start_char_index=passage.start,
        end_char_index=passage.end,
        score=item.score,
        dense_rank=item.dense_rank,
        lexical_rank=item.lexical_rank,
        reader_score=reader_score,
        viewer_url=viewer_url(passage.document_id, collection, cited),
    )
