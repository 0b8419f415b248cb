"""Answers, passages and traces as plain text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from datetime import datetime

from qa.feedback import Rated
from qa.grounding import Grounding
from qa.trace import Trace
from qa.types import Answer, PassageResult

SERVICE = "http://127.0.0.1:8000"
"""Where `qa serve` listens by default; links in the terminal lead there."""


def answer(answer: Answer) -> str:
    """The answer, each sentence with the numbers of its citations, then the citations."""
    if answer.status == "not_answerable":
        lines = [answer.answer, ""]
        if answer.passages:
            lines += ["Nearest text:", *(f"  {_one_line(p.text, 160)}" for p in answer.passages[:2])]
        if answer.note:
            lines += [answer.note]
        return "\n".join([*lines, _models(answer)])
    lines = [
        " ".join(claim.text + " " + "".join(f"[{i + 1}]" for i in claim.citation_indices) for claim in answer.claims),
        "",
    ]
    for number, citation in enumerate(answer.citations, 1):
        lines += [
            f"[{number}] {citation.document_title}, characters {citation.start_char_index}-{citation.end_char_index}",
            textwrap.indent(f"“{citation.cited_text}”", "    "),
            f"    {SERVICE}{citation.viewer_url}",
        ]
    if answer.unanswered:
        lines += ["", f"Not answered: {' '.join(answer.unanswered)}"]
    if answer.note:
        lines += ["", answer.note]
    return "\n".join([*lines, "", _models(answer)])


def grounding(found: Grounding) -> str:
    """Every sentence with a mark, its score and what it rests on, or what speaks against it; then the chunks."""
    lines = []
    for claim in found.claims:
        text = _one_line(claim.claim_text, 400)
        if not claim.grounding_check_required:
            lines.append(f"   -        {text}")
            continue
        mark = "ok" if claim.citation_indices else "NO"
        against = "contradicted" if (claim.contradiction_score or 0) >= 0.5 and mark == "NO" else ""
        cited = "".join(f"[{i + 1}]" for i in claim.citation_indices)
        lines.append(" ".join(filter(None, [f"  {mark}  {claim.score:.2f}  {text}", cited])))
        lines += [f"            {_one_line(reason, 300)}" for reason in filter(None, [against, *claim.reasons])]
    lines += [""] if found.cited_chunks else []
    for number, chunk in enumerate(found.cited_chunks, 1):
        title = chunk.title or chunk.source_metadata.get("title") or f"fact {chunk.source}"
        lines += [
            f"[{number}] {title}, characters {chunk.start_pos}-{chunk.end_pos}",
            textwrap.indent(f"“{chunk.chunk_text}”", "    "),
        ]
        lines += [f"    {SERVICE}{chunk.viewer_url}"] if chunk.viewer_url else []
    required = [claim for claim in found.claims if claim.grounding_check_required]
    supported = sum(bool(claim.citation_indices) for claim in required)
    return "\n".join([*lines, "", f"{supported} of {len(required)} sentences that state something are supported"])


def all_supported(found: Grounding) -> bool:
    """Whether every sentence that states something cites what supports it."""
    return all(claim.citation_indices for claim in found.claims if claim.grounding_check_required)


def _models(answer: Answer) -> str:
    took = sum(answer.timings.model_dump().values())
    how = {"extract": "verbatim", "llm": f"written by {answer.models.llm}", None: "refused"}[answer.composed_by]
    return f"probability {answer.answerable_probability:.2f}, {how}, {took:.0f} ms"


def passages(found: Sequence[PassageResult]) -> str:
    """Passages with their ranks, best first."""
    if not found:
        return "No passages found."
    lines = []
    for number, item in enumerate(found, 1):
        read = "" if item.reader_score is None else f", reader {item.reader_score:+.2f}"
        lines += [
            f"{number}. {item.document_title}, characters {item.start_char_index}-{item.end_char_index}",
            f"   score {item.score:.4f} (dense rank {item.dense_rank or '-'}, lexical rank {item.lexical_rank or '-'})"
            + read,
            textwrap.indent(item.text, "   | ", lambda line: True),
        ]
    return "\n".join(lines)


def feedback(found: Sequence[Rated]) -> str:
    """Ratings and refusals, a line each, the latest first."""
    if not found:
        return "Nothing has been rated yet, and no refusal is kept (QA_KEEP_REFUSALS)."
    wide = max(len(item.collection) for item in found)
    lines = []
    for item in found:
        when = datetime.fromtimestamp(item.at).astimezone().strftime("%Y-%m-%d %H:%M")
        lines.append(f"{when}  {item.rating:<7}  {item.collection:<{wide}}  {_one_line(item.question, 100)}")
        if item.answer:
            lines.append(f"{'':<27}{'':<{wide}}  answer: {_one_line(item.answer, 100)}")
        if item.reason:
            lines.append(f"{'':<27}{'':<{wide}}  reason: {_one_line(item.reason, 100)}")
    return "\n".join(lines)


def trace(answer: Answer, trace: Trace) -> str:
    """Every stage of one question."""
    lines = []
    if trace.understood:
        how = (
            f"by {trace.understood.by}" if trace.understood.changed else "stands by itself, or leans on nothing certain"
        )
        lines += [f"UNDERSTAND {_one_line(trace.understood.question, 200)} ({how})", ""]
    if len(trace.parts) > 1:
        lines += [*(f"ASKED      {_one_line(part, 200)}" for part in trace.parts), ""]
    lines += ["RETRIEVE   rank  fused   dense rank (cosine)  lexical rank (BM25)  place"]
    by_rank = sorted(trace.read, key=lambda item: (-item.ranked.score, item.ranked.passage.id))
    for rank, item in enumerate((read.ranked for read in by_rank), 1):
        dense = f"{item.dense_rank or '-'} ({item.cosine:.3f})"
        lexical = f"{item.lexical_rank} ({item.lexical_score:.2f})" if item.lexical_rank else "-"
        place = f"{item.passage.document_title} {item.passage.start}-{item.passage.end}"
        lines.append(f"           {rank:>4}  {item.score:.4f}  {dense:<19}  {lexical:<19}  {place}")
    lines += ["", "READ       rank   score  span, the preferred passage first"]
    for read in trace.read:
        rank = by_rank.index(read) + 1
        if read.candidates is None:
            lines.append(f"           {rank:>4}          not read: what was read before it is good enough")
        for candidate in read.candidates or []:
            span = read.place(candidate)
            words = _one_line(read.ranked.passage.slice(span), 60)
            lines.append(f"           {rank:>4}  {candidate.score:+6.2f}  {span.start}-{span.end} “{words}”")
    lines += ["", *_decisions(answer, trace)]
    lines += ["", f"PLAN       {answer.mode}: {answer.mode_reason}"]
    for drafted in trace.drafted:
        outcome = "shown" if drafted.shown else "not shown"
        lines += [
            f"COMPOSE    {answer.models.llm} wrote: {_one_line(drafted.sentence, 200)}",
            f"VERIFY     {outcome}: support score {drafted.support.score:.2f}",
            *(f"           - {reason}" for reason in drafted.support.reasons),
            *(
                f"           by {passage.document_title} {span.start}-{span.end}"
                for passage, span in drafted.support.sentences
            ),
        ]
    timings = ", ".join(f"{name.removesuffix('_ms')} {ms:.1f} ms" for name, ms in answer.timings.model_dump().items())
    return "\n".join([*lines, "", f"TIME       {timings}"])


def _decisions(answer: Answer, trace: Trace) -> list[str]:
    if not trace.found:
        return ["DECIDE     refuse: nothing to read"]
    verdict = "answer" if answer.status == "answered" else "refuse"
    return [
        f"DECIDE     {verdict}: “{_one_line(found.words, 60)}”, passage {found.score:+.2f}, "
        f"quote {found.quote_score:+.2f}, borne out {found.odds:+.2f}, "
        f"probability {found.probability:.3f}, threshold {trace.threshold:.3f}"
        for found in trace.found
    ]


def _one_line(text: str, width: int) -> str:
    return textwrap.shorten(text, width, placeholder="…") if len(text) > width else " ".join(text.split())
