"""An answer in the making: quote, claims and citations, put together into the object that is sent."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence

from index.types import Span
from qa.cite import citation_id, cite, viewer_url
from qa.find import Found
from qa.retrieve import RankedPassage
from qa.types import Answer, Citation, Claim, Models, PassageResult, Quote, Timings

REFUSAL = "The documents in this collection do not answer this question."


class Clock:
    """Milliseconds by step."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self.laps: dict[str, float] = {"retrieve_ms": 0, "read_ms": 0, "compose_ms": 0, "verify_ms": 0}

    def lap(self, name: str) -> None:
        """Add the time since the last lap to a step."""
        now = time.perf_counter()
        self.laps[name] = round(self.laps[name] + (now - self._last) * 1000, 2)
        self._last = now

    def timings(self) -> Timings:
        """The laps so far."""
        return Timings(**self.laps)


class Draft:
    """An answer in the making. Quote, claims and citations are only ever appended to."""

    quoted: Quote

    def __init__(self, question: str, collection: str, passages: list[PassageResult], probability: float) -> None:
        self.question = question
        self.collection = collection
        self.passages = passages
        self.probability = probability
        self.short_answer = ""
        self.citations: list[Citation] = []
        self.claims: list[Claim] = []
        self.composed_by: str = "extract"
        self.note: str | None = None

    def quote(self, found: Sequence[Found]) -> None:
        """Cite the sentences found and make them the verbatim answer."""
        sentences = dict.fromkeys(sentence for answer in found for sentence in answer.excerpt.shown)
        self.citations = [cite(passage, span, self.collection) for passage, span in sentences]
        text = " ".join(citation.cited_text for citation in self.citations)
        self.quoted = Quote(text=text, citation_indices=list(range(len(self.citations))))
        self.short_answer = "; ".join(dict.fromkeys(answer.words for answer in found))

    def claim_quote(self) -> None:
        """One claim a verbatim sentence."""
        start = 0
        for index, citation in enumerate(self.citations):
            end = start + len(citation.cited_text)
            self.claims.append(
                Claim(start=start, end=end, text=citation.cited_text, score=1.0, citation_indices=[index])
            )
            start = end + 1

    def claim_written(self, sentence: str, score: float) -> None:
        """One claim for the sentence of an LLM, cited to the verbatim answer that it phrases."""
        self.composed_by = "llm"
        self.claims.append(
            Claim(
                start=0,
                end=len(sentence),
                text=sentence,
                score=score,
                citation_indices=list(self.quoted.citation_indices),
            )
        )

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

    def refused(self, models: Models, clock: Clock) -> Answer:
        """The refusal: nothing is cited."""
        return self._answer(
            "not_answerable",
            REFUSAL,
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
                "question": self.question,
                "collection": self.collection,
                "answer": answer,
                "answerable_probability": self.probability,
                "claims": self.claims,
                "citations": self.citations,
                "passages": self.passages,
                "models": models,
                "timings": clock.timings(),
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
