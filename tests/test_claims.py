"""What the support model is trained on: the pairs say what their labels say, and no document is on both sides."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from index.embed import MiniLM
from qa.read import MODEL_DIR, onnx_reader, untruncated
from qa.support import WINDOW, answer_claim, encode, narrowed
from qa.wording import key_of
from training.claims import _TABLE, SYNONYMS, ClaimMaker, Label, Pair, denied, reworded
from training.corpus import Article, load_squad, normal
from training.examples import Maker
from training.grounding import load_grounding, narrow_all, part_of
from training.statements import statement
from training.words import AGAINST, HEDGES, LIMITS

PARAGRAPHS = {
    "Ada Byrne designed the Alder Bridge in 1871, and Per Lund built the Rye Bridge in 1902. "
    "The Alder Bridge is larger than the Rye Bridge. Many of the towers, which were added later, are painted red. "
    "In 1950 the Harbour Company sold 240 boats to the town of Brae. Tom Hale praised the bridge in 1960.": [
        ("When did Ada Byrne design the Alder Bridge?", "1871"),
        ("Who built the Rye Bridge?", "Per Lund"),
        ("How many boats did the Harbour Company sell to the town of Brae in 1950?", "240"),
        ("When did Tom Hale praise the bridge?", "1960"),
    ],
    "Nina Voss won the first prize in Brae. The old ferry to Rye Island closed in 1990. Per Lund bought the ferry. "
    "The Ferry Company employed about 35 sailors in March, and most sailors were from the island.": [
        ("Who won the first prize in Brae?", "Nina Voss"),
        ("When was the old ferry to Rye Island closed?", "1990"),
        ("How many sailors did the Ferry Company employ?", "about 35"),
    ],
}


@pytest.fixture(scope="module")
def articles(tmp_path_factory: pytest.TempPathFactory) -> list[Article]:
    return load_squad(squad_file(tmp_path_factory.mktemp("squad")))


@pytest.fixture(scope="module")
def maker(articles: list[Article]) -> ClaimMaker:
    words = ["bridge", "ferry", "sailors"]
    vectors = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    return ClaimMaker(Maker(articles, words, vectors), onnx_reader())


@pytest.fixture(scope="module")
def draw(maker: ClaimMaker, articles: list[Article]) -> Callable[[str], list[Pair]]:
    def drawn(kind: str) -> list[Pair]:
        rng = random.Random(5)
        made = [maker.make(rng, q, kind) for _ in range(60) for a in articles for q in a.questions]
        found = [pair for pair in made if pair]
        assert found, f"no pair of kind {kind}"
        return found

    return drawn


def squad_file(folder: Path) -> Path:
    paragraphs = [
        {
            "context": text,
            "qas": [
                {"question": q, "answers": [{"text": a, "answer_start": text.index(a)}], "id": q} for q, a in asked
            ],
        }
        for text, asked in PARAGRAPHS.items()
    ]
    path = folder / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "Alder", "paragraphs": paragraphs}]}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ("When did the war begin?", "1914", "The war began in 1914."),
        ("On what date was the treaty signed?", "3 May 1987", "The treaty was signed on 3 May 1987."),
        ("Where was the first ferry built?", "Oslo", "The first ferry was built in Oslo."),
        ("Who designed the bridge?", "Ada Byrne", "Ada Byrne designed the bridge."),
        ("Which company has owned the boats since 1960?", "Blue Line", "Blue Line has owned the boats since 1960."),
        ("What did the company sell in March?", "12 boats", "The company sold 12 boats in March."),
        ("How many chips does Norda make a year?", "260,000", "Norda makes 260,000 chips a year."),
        ("How many people live in Brae?", "4,000", "4,000 people live in Brae."),
        ("Who is the captain of the ferry?", "Per Lund", "The captain of the ferry is Per Lund."),
        ("What is the capital called in winter?", "Brae", "The capital is called Brae in winter."),
        ("The city was founded in what year?", "1120", "The city was founded in 1120."),
        ("With whom did Lund build the pier?", "Ada Byrne", "Lund built the pier with Ada Byrne."),
        ("Why did the ferry close?", "because it leaked", "The ferry closed because it leaked."),
        ("Which republic did not sign the treaty?", "Georgia", "Georgia did not sign the treaty."),
    ],
)
def test_a_question_and_its_answer_make_a_statement(question: str, answer: str, said: str) -> None:
    assert statement(question, answer) == said


def test_what_fits_no_rule_is_left_out() -> None:
    assert statement("", "1914") is None
    assert statement("When did it begin?", "") is None
    assert statement("Name the boat.", "Sula") is None
    assert statement("When did it begin?", "word " * 20) is None


def test_every_kind_can_be_made_and_is_made_again_from_the_same_seed(
    maker: ClaimMaker, draw: Callable[[str], list[Pair]]
) -> None:
    for kind in set(maker.kinds) - {"related", "asked_roles", "asked_opposite"}:  # these need words or other questions
        assert draw(kind) == draw(kind)


def test_what_the_reader_takes_for_an_answer_is_none_where_the_answer_is_not(draw: Callable[[str], list[Pair]]) -> None:
    for pair in draw("misread"):
        assert pair.label == Label.NOT_SUPPORTED
        found = normal(pair.claim.rsplit("? ", 1)[-1].removesuffix(".")).strip()
        given = normal(pair.evidence)
        plain = found.split()
        for old in given.split():  # claims are reworded at times
            exchanged = {*SYNONYMS.get(old, ()), *_TABLE.get(old, ())} - set(given.split())
            plain = [old if word in exchanged else word for word in plain]
        assert " ".join(plain) in given, pair


def test_an_answer_is_a_claim_behind_its_question() -> None:
    assert answer_claim("When was it  built?", "1871") == "When was it built? 1871."
    assert answer_claim("Name the boat.", "Sula.") == "Name the boat. Sula."
    assert answer_claim("bridge length", "240 metres") == "bridge length? 240 metres."


def test_what_is_supported_stands_in_the_evidence(draw: Callable[[str], list[Pair]]) -> None:
    for kind in ("said", "told", "consistent"):
        for pair in draw(kind):
            assert pair.label == Label.SUPPORTED
            numbers = re.findall(r"\d+", pair.claim)
            assert all(number in pair.evidence for number in numbers), pair


def test_a_corrupted_claim_has_what_the_evidence_lacks(draw: Callable[[str], list[Pair]]) -> None:
    for pair in draw("number"):
        assert pair.label == Label.CONTRADICTED
        said = set(normal(pair.claim).split())
        sentence = max(re.split(r"(?<=\.) ", pair.evidence), key=lambda s: len(set(normal(s).split()) & said))
        assert set(re.findall(r"\d+", pair.claim)) - set(re.findall(r"\d+", sentence)), pair


def test_roles_are_exchanged_in_both_voices_and_only_what_is_so_is_called_supported(
    draw: Callable[[str], list[Pair]],
) -> None:
    labels = set()
    for pair in draw("passive"):
        labels.add(pair.label)
        claim = pair.claim.casefold()
        match = re.fullmatch(r"(.+?) was (\w+) by (.+)\.", claim)
        if match:
            other, _, one = match.groups()
            active = any(keys(f"{one} {verb} {other}") in keys(pair.evidence) for verb in VERBS)
            assert active == (pair.label == Label.SUPPORTED), pair
        else:
            assert pair.label == Label.CONTRADICTED
            assert claim.rstrip(".") not in pair.evidence.casefold()
    assert labels == {Label.SUPPORTED, Label.CONTRADICTED}


VERBS = ["designed", "built", "sold", "praised", "won", "bought", "employed"]  # of the passages above


def keys(text: str) -> str:
    """One key a word, the same for a word and what it may be exchanged for."""
    return " ".join(key_of(word) for word in re.findall(r"\w+", text.casefold()))


def test_hedges_and_limits_are_kept_where_a_claim_is_supported(draw: Callable[[str], list[Pair]]) -> None:
    for kind, words in (("hedged", HEDGES), ("limited", LIMITS)):
        same = [{phrase.split("{")[0].strip() for phrase in pair} - {""} for pair in words]
        kept = Counter()
        for pair in draw(kind):
            given = [group for group in same if any(f" {w} " in pair.evidence for w in group)]
            kept[pair.label] += 1
            if pair.label == Label.SUPPORTED:
                assert any(f" {w} " in pair.claim for group in given for w in group), pair
        assert kept[Label.SUPPORTED] > 10
        assert kept[Label.NOT_SUPPORTED] > 10
    assert all(any(form.startswith(AGAINST) for form in pair) or "{" in pair[0] for pair in HEDGES)


def test_a_denial_is_put_in_or_taken_out() -> None:
    rng = random.Random(1)
    assert denied(rng, "The ferry was not closed.") == "The ferry was closed."
    assert "not" in (denied(rng, "The ferry was closed.") or "") or "never" in (
        denied(rng, "The ferry was closed.") or ""
    )
    assert denied(rng, "Closed for now.") is None
    assert reworded(random.Random(0), "Nobody has said it.", share=1).startswith("Nobody")


ROWS = [
    {"source": "fm2-dev", "evidence": f"Town number {n} lies on the coast of Norda. It has {n} piers.",
     "claim": f"Town {n} lies by the sea.", "supported": bool(n % 2)} for n in range(40)
] + [
    {"source": "wice-dev", "evidence": f"The ferry company was founded in 1871 by three sailors of Brae. Page {n}.",
     "claim": f"It is page {n}.", "supported": True} for n in range(12)
]  # fmt: skip


def test_a_document_is_on_one_side_only(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    rows = load_grounding(path)
    wice = [row for row in rows if row.source == "wice-dev"]
    assert len({row.document for row in wice}) == 1, "they share a sentence"
    assert len({part_of(row) for row in wice}) == 1
    assert len({row.document for row in rows}) == 41
    assert {part_of(row) for row in rows} == {"train", "choose", "test"}
    assert {row.label for row in rows} == {Label.SUPPORTED, Label.CONTRADICTED}


def test_long_evidence_is_narrowed_to_what_is_like_the_claim(tmp_path: Path) -> None:
    tokenizer = untruncated(Tokenizer.from_file(str(MODEL_DIR / "tokenizer.json")))
    embedder = MiniLM(threads=1)
    filler = [f"Sentence {n} talks at some length about the weather over the hills of that year." for n in range(60)]
    sentences = [*filler[:30], "Ada Byrne designed the Alder Bridge in 1871.", "It was painted red.", *filler[30:]]
    claim = "The bridge was designed by Ada Byrne."
    kept = narrowed(embedder, tokenizer, sentences, claim)
    assert kept == sorted(kept)
    assert 30 in kept
    assert len(encode(tokenizer, " ".join(sentences[i] for i in kept), claim).ids) <= WINDOW
    assert narrowed(embedder, tokenizer, sentences[28:33], claim) == [0, 1, 2, 3, 4]
    assert narrowed(embedder, tokenizer, ["word " * 900], claim) == [0], "one that is too long is cut, not lost"

    path = tmp_path / "pairs.jsonl"
    row = {"source": "wice-dev", "evidence": " ".join(sentences), "claim": claim, "supported": True}
    path.write_text(json.dumps(row), encoding="utf-8")
    (pair,) = narrow_all(load_grounding(path), embedder, tokenizer)
    assert "Ada Byrne" in pair.evidence
    assert len(pair.evidence) < len(row["evidence"])
