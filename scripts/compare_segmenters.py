"""Compare sentence segmenters on the gold cases: one Markdown table for docs/segmentation.md.

    python scripts/compare_segmenters.py

Every candidate goes through the layout of `index.chunk` (paragraphs, lists, headings, wrapped lines), so that the
table compares segmenters and not their ideas of a line break. Candidates that are not installed are skipped by name.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from index.chunk import Segmenter, split_sentences  # noqa: E402

GOLD = ROOT / "tests" / "data" / "segmentation.jsonl"


def shipped() -> Segmenter | None:
    """`index.chunk` as it is: sentencex, with the language guessed from the text."""
    return None


def only_sentencex() -> Segmenter:
    """sentencex with its English rules for everything."""
    from itertools import accumulate

    import sentencex

    return lambda prose: list(accumulate(len(piece) for piece in sentencex.segment("en", prose)))


def pysbd() -> Segmenter:
    """pySBD, the rules of the Ruby gem pragmatic_segmenter."""
    import pysbd

    segmenter = pysbd.Segmenter(language="en", clean=False, char_span=True)
    return lambda prose: [span.end for span in segmenter.segment(prose)]


def syntok() -> Segmenter:
    """syntok, segtok's successor."""
    from syntok import segmenter

    def ends(prose: str) -> list[int]:
        found = []
        for paragraph in segmenter.process(prose):
            for sentence in paragraph:
                tokens = list(sentence)
                found.append(tokens[-1].offset + len(tokens[-1].value))
        return found

    return ends


def segtok() -> Segmenter:
    """segtok."""
    from segtok.segmenter import split_single

    return lambda prose: _ends_of(prose, split_single(prose))


def blingfire() -> Segmenter:
    """BlingFire, finite automata in C++."""
    from blingfire import text_to_sentences_and_offsets

    return lambda prose: [end for _start, end in text_to_sentences_and_offsets(prose)[1]] if prose.strip() else []


def punkt() -> Segmenter:
    """NLTK's Punkt with the English parameters that LlamaIndex carries."""
    import nltk
    from nltk.tokenize.punkt import PunktTokenizer

    spec = find_spec("llama_index.core")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("llama_index.core is not there, whose folder holds the parameters")
    nltk.data.path.insert(0, str(Path(spec.submodule_search_locations[0]) / "_static" / "nltk_cache"))
    tokenizer = PunktTokenizer("english")
    return lambda prose: [end for _start, end in tokenizer.span_tokenize(prose)]


def _ends_of(prose: str, sentences: Iterable[str]) -> list[int]:
    """Offsets for a segmenter that gives none; good enough to measure with, never for the index."""
    ends, position = [], 0
    for sentence in sentences:
        found = prose.find(sentence, position)
        if found >= 0:
            position = found + len(sentence)
            ends.append(position)
    return ends


CANDIDATES: dict[str, Callable[[], Segmenter | None]] = {
    "sentencex, guessed language": shipped,
    "sentencex, English": only_sentencex,
    "pysbd": pysbd,
    "syntok": syntok,
    "segtok": segtok,
    "blingfire": blingfire,
    "nltk punkt": punkt,
}


def boundaries(text: str, sentences: Sequence[str]) -> set[int]:
    """Where the gold sentences end, except the last one. The gold is written in order, so this search cannot err."""
    return set(_ends_of(text, sentences)[:-1])


def score(cases: list[dict[str, Any]], segmenter: Segmenter | None) -> float:
    """F1 of the boundaries inside the texts of `cases`, in percent."""
    right = found = wanted = 0
    for case in cases:
        gold = boundaries(case["text"], case["sentences"])
        predicted = {span.end for span in split_sentences(case["text"], segmenter)[:-1]}
        right, found, wanted = right + len(gold & predicted), found + len(predicted), wanted + len(gold)
    return 100 * 2 * right / (found + wanted)


def exact(cases: list[dict[str, Any]], segmenter: Segmenter | None) -> int:
    """How many texts come out without a single wrong or missing boundary."""
    return sum(
        boundaries(case["text"], case["sentences"])
        == {span.end for span in split_sentences(case["text"], segmenter)[:-1]}
        for case in cases
    )


def main() -> None:
    """Print the table."""
    cases = [json.loads(line) for line in GOLD.read_text(encoding="utf-8").splitlines()]
    categories = list(dict.fromkeys(case["category"] for case in cases))
    prose = "\n\n".join(case["text"] for case in cases)
    prose = (prose + "\n\n") * (1_000_000 // len(prose.encode()) + 1)
    prose = prose.encode()[:1_000_000].decode(errors="ignore")
    columns: dict[str, list[str]] = {}
    for name, make in CANDIDATES.items():
        try:
            segmenter = make()
        except (ImportError, LookupError, OSError) as error:
            print(f"{name}: skipped, {error}", file=sys.stderr)
            continue
        cells = [f"{score([c for c in cases if c['category'] == k], segmenter):.0f}" for k in categories]
        began = time.perf_counter()
        split_sentences(prose, segmenter)
        seconds = time.perf_counter() - began
        cells += [f"**{score(cases, segmenter):.1f}**", str(exact(cases, segmenter)), f"{seconds:.1f}"]
        columns[name] = cells
        print(f"{name}: done", file=sys.stderr)
    labels = [f"{k} ({sum(c['category'] == k for c in cases)})" for k in categories]
    labels += [f"**all ({len(cases)})**", "texts without an error", "seconds for 1 MB"]
    print("| boundary F1, % (texts) | " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for row, label in enumerate(labels):
        print(f"| {label} | " + " | ".join(cells[row] for cells in columns.values()) + " |")


if __name__ == "__main__":
    main()
