"""What was written for training: spans are where they should be, labels go with their claims, the held-out stay out."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from qa.support import answer_claim
from tests.test_claims import squad_file
from training.claims import Label
from training.corpus import Article, load_squad
from training.written import (
    DATA,
    Asked,
    as_claims,
    group,
    held_out,
    load_claims,
    load_questions,
    misplaced_pair,
    written_pair,
)

LEASE = "The lessor insures the building. The lessee pays 4,500 for the crane. Nothing was agreed about the yard."
QUESTION = {"question": "What does the crane cost?", "start": 49, "end": 54, "near": ["What does the yard cost?"]}
CLAIM = {"start": 33, "end": 69, "kind": "roles", "label": "CONTRADICTED", "claim": "The lessor pays for the crane."}


@pytest.fixture
def articles(tmp_path: Path) -> list[Article]:
    return load_squad(squad_file(tmp_path))


def lines(path: Path, *records: object) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def both(parts: tuple[list[Asked], list[Asked]]) -> list[Asked]:
    return [*parts[0], *parts[1]]


def test_a_group_is_an_answer_and_near_misses_that_look_like_it(tmp_path: Path, articles: list[Article]) -> None:
    own = {"name": "lease", "genre": "contract", "text": LEASE, "questions": [QUESTION]}
    text = articles[0].paragraphs[0].text
    start = text.index("Per Lund")
    theirs = {"question": "Whose work is the Rye crossing?", "start": start, "end": start + 8, "near": ["Who paid it?"]}
    squad = {"title": articles[0].title, "paragraph": 0, "questions": [theirs]}
    gone = {"title": "An article that is held out", "paragraph": 3, "questions": [theirs]}
    asked = both(load_questions(articles, lines(tmp_path / "q.jsonl", own, squad, gone)))
    assert sorted(a.question.answer.of(a.question.paragraph.text) for a in asked) == ["4,500", "Per Lund"]
    for item in asked:
        for seed in range(30):
            right, *rivals = group(random.Random(seed), item)
            assert right.answer is not None
            assert right.answer.of(right.passage) == item.question.answer.of(item.question.paragraph.text)
            assert rivals
            assert all(rival.answer is None for rival in rivals)
            assert rivals[0].passage == right.passage


def test_a_claim_comes_with_its_evidence_alone_or_in_its_surroundings(tmp_path: Path) -> None:
    record = {"name": "lease", "genre": "contract", "text": LEASE, "claims": [CLAIM]}
    train, checked = load_claims([], lines(tmp_path / "c.jsonl", record))
    (claimed,) = [*train, *checked]
    seen = {written_pair(random.Random(seed), claimed).evidence for seed in range(40)}
    assert "The lessee pays 4,500 for the crane." in seen
    assert LEASE in seen
    assert all("The lessee pays 4,500 for the crane." in evidence and evidence in LEASE for evidence in seen)
    assert written_pair(random.Random(1), claimed).label == Label.CONTRADICTED


def test_a_misplaced_claim_never_comes_with_its_own_evidence(tmp_path: Path) -> None:
    true = {"start": 33, "end": 69, "kind": "free", "label": "SUPPORTED", "claim": "Lifting gear comes at a price."}
    gone = {"start": 0, "end": 14, "kind": "light", "label": "SUPPORTED", "claim": "The dredgers left."}
    harbour = {"name": "harbour", "genre": "report", "text": "Dredgers left. Pilots stayed.", "claims": [gone]}
    record = {"name": "lease", "genre": "contract", "text": LEASE, "claims": [true]}
    train, checked = load_claims([], lines(tmp_path / "c.jsonl", record, harbour))
    claimed, other = sorted([*train, *checked], key=lambda item: item.kind)
    pairs = [misplaced_pair(random.Random(seed), claimed, other) for seed in range(40)]
    assert {pair.label for pair in pairs} == {Label.NOT_SUPPORTED}
    assert not any("4,500" in pair.evidence for pair in pairs)
    assert {"The lessor insures the building.", "Dredgers left."} <= {pair.evidence for pair in pairs}


def test_a_question_with_its_answer_is_a_claim_and_its_near_misses_are_false_ones(tmp_path: Path) -> None:
    record = {"name": "lease", "genre": "contract", "text": LEASE, "questions": [QUESTION]}
    asked = both(load_questions([], lines(tmp_path / "q.jsonl", record)))
    found = {claimed.claim: claimed.label for claimed in as_claims(asked)}
    question, near = QUESTION["question"], QUESTION["near"][0]
    assert found == {
        "The crane costs 4,500.": Label.SUPPORTED,
        answer_claim(question, "4,500"): Label.SUPPORTED,
        "The yard costs 4,500.": Label.NOT_SUPPORTED,
        answer_claim(near, "4,500"): Label.NOT_SUPPORTED,
    }


def test_what_is_shipped_can_be_read_and_keeps_a_tenth_apart() -> None:
    """The passages that stand in the files themselves; those of SQuAD are not part of the repository."""
    for train, checked in (load_questions([]), load_claims([])):
        assert 0.04 < len(checked) / (len(checked) + len(train)) < 0.2
    train, checked = load_questions([])
    assert all(held_out(item.question.paragraph) for item in checked)
    assert not any(held_out(item.question.paragraph) for item in train)
    for item in [*train, *checked]:
        answer = item.question.answer.of(item.question.paragraph.text)
        assert answer
        assert answer == answer.strip()
        assert item.question.text not in item.near


def test_nothing_that_is_trained_on_is_in_a_test_set() -> None:
    """No passage and no question of the blind sets, whatever was written."""
    blind = Path(__file__).parent / "data"

    def of(name: str, field: str) -> set[str]:
        return {json.loads(line)[field] for line in (blind / name).read_text(encoding="utf-8").splitlines() if line}

    known = of("reader_pairs/pairs.jsonl", "question") | of("article_dev.jsonl", "question")
    evidence = of("support_pairs/pairs.jsonl", "evidence")
    for line in (DATA / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        assert not any({asked["question"], *asked["near"]} & known for asked in record["questions"])
        assert record.get("text") not in evidence


def test_what_another_sentence_says_to_another_question_is_a_false_answer(tmp_path: Path) -> None:
    insured = {"question": "Who pays the insurance?", "start": 0, "end": 10, "near": []}
    record = {"name": "lease", "genre": "contract", "text": LEASE, "questions": [QUESTION, insured]}
    asked = both(load_questions([], lines(tmp_path / "q.jsonl", record)))
    false = [claimed for claimed in as_claims(asked) if claimed.label != Label.SUPPORTED]
    said = {(claimed.claim, claimed.evidence.of(LEASE)) for claimed in false}
    assert (answer_claim(QUESTION["question"], "The lessor"), "The lessor") in said
    assert (answer_claim(insured["question"], "4,500"), "4,500") in said
    twice = {**record, "questions": [QUESTION, {**insured, "start": 33, "end": 43}]}  # of one sentence: who knows
    asked = both(load_questions([], lines(tmp_path / "q.jsonl", twice)))
    assert {claimed.claim for claimed in as_claims(asked) if claimed.label != Label.SUPPORTED} == {
        "The yard costs 4,500.", answer_claim(QUESTION["near"][0], "4,500"),
    }  # fmt: skip
