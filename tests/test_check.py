"""Checking anybody's text: what is cited stands where it is said to stand, and what is not supported cites nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from index.embed import MiniLM
from qa.api import create_app
from qa.api.asking import Asking
from qa.cli import main
from qa.errors import InvalidText
from qa.grounding import LOOKED_THROUGH, MAX_TEXT, Fact, Grounding, checked, ended, ground, of_facts, plain
from tests.conftest import JUDGE, MakeQA, serving

EMBEDDER = MiniLM(threads=1)  # loaded when first used
LIBRARY = "The library opens at nine on weekdays. Ada Byrne founded it in 1871, and it may move to Oskel."
FERRY = "The ferry to Rye Island closed in 1990. It carried 1,200 passengers a day."
FACTS = [Fact(fact_text=LIBRARY, attributes={"title": "Hours"}), Fact(fact_text=FERRY)]


def check(text: str, facts: list[Fact] = FACTS, threshold: float = 0.6) -> Grounding:
    return ground(text, of_facts(facts, EMBEDDER), EMBEDDER, JUDGE, threshold)


def held(text: str, facts: list[Fact], found: Grounding) -> None:
    """The invariants of every answer."""
    for claim in found.claims:
        assert text[claim.start_pos : claim.end_pos] == claim.claim_text
        assert claim.grounding_check_required == (claim.score is not None)
        assert not (claim.citation_indices and claim.reasons)
        assert all(0 <= i < len(found.cited_chunks) for i in claim.citation_indices)
    for chunk in found.cited_chunks:
        assert facts[int(chunk.source)].fact_text[chunk.start_pos : chunk.end_pos] == chunk.chunk_text
        assert chunk.source_metadata == facts[int(chunk.source)].attributes
    cited = {i for claim in found.claims for i in claim.citation_indices}
    assert cited == set(range(len(found.cited_chunks))), "nothing is listed that nothing cites"


def test_each_sentence_is_judged_and_cites_what_supports_it() -> None:
    text = (
        "Here is what I found:\n\n- On weekdays the library opens at nine.\n- Ada Byrne founded it in 1872.\n"
        "- **The ferry to Rye Island** closed in 1990 [2]\n\nDoes that help?"
    )
    found = check(text)
    held(text, FACTS, found)
    said = [
        (plain(claim.claim_text), claim.grounding_check_required, bool(claim.citation_indices))
        for claim in found.claims
    ]
    assert said == [
        ("Here is what I found:", False, False),
        ("On weekdays the library opens at nine.", True, True),
        ("Ada Byrne founded it in 1872.", True, False),
        ("The ferry to Rye Island closed in 1990", True, True),
        ("Does that help?", False, False),
    ]
    assert any(reason.startswith("number: 1872") for reason in found.claims[2].reasons)
    assert found.claims[2].score == 0
    assert [chunk.source for chunk in found.cited_chunks] == ["0", "1"]
    assert found.support_score is not None
    assert 0.5 < found.support_score < 0.75


def test_the_threshold_decides_what_is_cited() -> None:
    text = "On weekdays the library opens at nine."
    assert check(text, threshold=0.2).cited_chunks
    assert not check(text, threshold=1.0).cited_chunks
    assert check(text, threshold=1.0).claims[0].score == check(text, threshold=0.2).claims[0].score


def test_a_text_that_states_nothing_has_no_score() -> None:
    assert check("Is it open?").support_score is None


def test_only_the_nearest_of_many_facts_are_looked_through_and_they_are_enough() -> None:
    filler = [Fact(fact_text=f"Boat number {n} was painted blue in the year {1500 + n}.") for n in range(60)]
    facts = [*filler[:30], *FACTS, *filler[30:]]
    assert len(facts) > LOOKED_THROUGH
    text = "On weekdays the library opens at nine. Boat number 44 was painted blue in the year 1544."
    found = check(text, facts)
    held(text, facts, found)
    assert [facts[int(chunk.source)].fact_text[:14] for chunk in found.cited_chunks] == [
        "The library op",
        "Boat number 44",
    ]


@given(st.text(max_size=300), st.lists(st.text(min_size=1, max_size=200), min_size=1, max_size=4))
def test_anything_can_be_checked_and_offsets_hold(text: str, texts: list[str]) -> None:
    facts = [Fact(fact_text=fact) for fact in texts]
    try:
        checked(text, facts)
    except InvalidText:
        return
    held(text, facts, check(text, facts))


@pytest.mark.parametrize("text", ["", "  \n", "…!", "x" * (MAX_TEXT + 1), "lone \ud800 surrogate a"])
def test_what_cannot_be_checked_says_what_to_do(text: str) -> None:
    with pytest.raises(InvalidText) as caught:
        checked(text, FACTS)
    assert caught.value.help


@pytest.mark.parametrize(
    "text",
    [
        "The ferry Sula — the oldest on the lake — sails at ten.",
        "Sales rose by 40 percent in 2023 - a record.",
        "The museum sells 5 * 3 cards.",
    ],
)
def test_a_dash_within_a_sentence_is_no_mark_of_a_list(text: str) -> None:
    facts = [Fact(fact_text=text)]
    found = check(text, facts)
    held(text, facts, found)
    assert [claim.score for claim in found.claims] == [1]


def test_a_check_that_nobody_waits_for_ends_after_the_claim_that_it_is_at() -> None:
    looks = iter([False, True])
    text = "The library opens at nine on weekdays. The ferry closed in 1990. It carried 1,200 passengers a day."
    found = ground(text, of_facts(FACTS, EMBEDDER), EMBEDDER, JUDGE, 0.6, lambda: next(looks))
    assert [claim.claim_text for claim in found.claims] == ["The library opens at nine on weekdays."]


def test_a_check_whose_client_has_gone_is_told_so_and_keeps_no_turn() -> None:
    asking = Asking(1, 1, 1)
    began, told = threading.Event(), threading.Event()

    def work(gone: Callable[[], bool]) -> str:
        began.set()
        until = time.monotonic() + 20
        while not gone() and time.monotonic() < until:
            time.sleep(0.01)
        if gone():
            told.set()
        return "for nobody"

    async def disconnects() -> dict[str, str]:
        await anyio.to_thread.run_sync(began.wait)
        return {"type": "http.disconnect"}

    async def stays() -> dict[str, str]:
        await anyio.sleep_forever()
        return {}

    def fails(_: Callable[[], bool]) -> None:
        raise InvalidText("x", help="y")

    async def scene() -> None:
        assert await asking.turn(work, disconnects) is None
        assert await asking.turn(lambda _: "done", stays) == "done"
        with pytest.raises(InvalidText):
            await asking.turn(fails, stays)

    anyio.run(scene)
    assert told.is_set()


def test_facts_without_a_word_are_refused() -> None:
    for facts in ([], [Fact(fact_text=" ")]):
        with pytest.raises(InvalidText):
            checked("It opens at nine.", facts)


def test_marks_of_lists_and_markdown_are_no_part_of_a_claim() -> None:
    assert plain("- **The ferry** `closed` [in 1990](http://x.y) [1].") == "The ferry closed in 1990."
    assert plain("## 2) Opening") == "2) Opening"
    assert plain("The *Sula* sails [1, 2]. It pays【3】.") == "The Sula sails. It pays."
    assert plain("Sales rose in 2023 - a record of 5 * 3.") == "Sales rose in 2023 - a record of 5 * 3."
    assert ended("The ferry closed;") == "The ferry closed."
    assert ended("“The ferry closed.”") == "“The ferry closed.”"


def post(address: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{address}/v1/check-grounding", json=body, timeout=30)


def test_over_http_facts_and_a_collection_are_checked_alike(make_qa: MakeQA) -> None:
    qa = make_qa({"library.txt": LIBRARY, "ferry.txt": FERRY, "other/ferry.txt": FERRY})
    text = "On weekdays the library opens at nine. It closed in 1871."
    with serving(create_app(qa)) as address:
        against_facts = post(
            address, answer_candidate=text, facts=[{"fact_text": LIBRARY}, {"fact_text": FERRY}]
        ).json()
        found = post(address, answer_candidate=text).json()
        assert [c["score"] for c in found["claims"]] == [c["score"] for c in against_facts["claims"]]
        assert [bool(c["citation_indices"]) for c in found["claims"]] == [True, False]
        (chunk,) = found["cited_chunks"]
        resolved = httpx.get(f"{address}/v1/citations/{chunk['citation']}").json()
        assert resolved["cited_text"] == chunk["chunk_text"] == LIBRARY[: LIBRARY.index(" Ada")]
        assert chunk["viewer_url"] == resolved["viewer_url"]
        assert post(address, answer_candidate=text, collection="other").json()["cited_chunks"] == []
        assert post(address, answer_candidate=text, citation_threshold=1).json()["cited_chunks"] == []

        wrong: list[tuple[int, dict[str, Any]]] = [
            (422, {}),
            (422, {"answer_candidate": ""}),
            (422, {"answer_candidate": text, "facts": []}),
            (422, {"answer_candidate": text, "facts": [{"fact_text": "x", "more": 1}]}),
            (422, {"answer_candidate": text, "facts": [{"fact_text": "a"}], "collection": "other"}),
            (422, {"answer_candidate": text, "citation_threshold": 2}),
            (422, {"answer_candidate": text, "facts": [{"fact_text": "a", "attributes": {"a": "b\0"}}]}),
            (422, {"answer_candidate": "a " * MAX_TEXT}),
            (404, {"answer_candidate": text, "collection": "nowhere"}),
        ]
        for status, body in wrong:
            answer = post(address, **body)
            assert answer.status_code == status, body
            assert answer.json()["help"]
        surrogate = b'{"answer_candidate": "It is so.", "facts": [{"fact_text": "a", "attributes": {"a": "\\ud800"}}]}'
        answer = httpx.post(
            f"{address}/v1/check-grounding", content=surrogate, headers={"content-type": "application/json"}
        )
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems#invalid-request")
        large = post(address, answer_candidate=text, facts=[{"fact_text": "word " * 30_000 + LIBRARY}])
        assert large.status_code == 200, "facts may be longer than a question"


def qa(*arguments: str, text: str | None = None) -> Any:
    return CliRunner(env={"QA_LLM": "none"}).invoke(main, list(arguments), input=text, catch_exceptions=False)


def test_the_command_line_checks_a_file_against_a_collection_or_files(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "library.md").write_text(f"# Library\n\n{LIBRARY}\n")
    draft = tmp_path / "draft.md"
    draft.write_text("On weekdays the library *opens* at nine.\n\nAda Byrne founded it in 1872.\n")
    missing = qa("check", str(draft))
    assert missing.exit_code == 1
    assert "qa ingest" in missing.output
    result = qa("check", str(draft), "--against", str(docs))
    assert result.exit_code == 3
    assert "1 of 2 sentences" in result.output
    assert "number: 1872" in result.output
    assert "[1] Library, characters" in result.output
    assert qa("ingest", str(docs)).exit_code == 0
    result = qa("check", "-", "--json", text="On weekdays the library opens at nine.")
    assert result.exit_code == 0
    found = json.loads(result.output)
    assert found["claims"][0]["citation_indices"] == [0]
    assert found["cited_chunks"][0]["citation"].startswith("cit_")
    assert qa("check", str(tmp_path / "nothing.md")).exit_code == 1
    binary = tmp_path / "binary.txt"
    binary.write_bytes(bytes(range(256)) * 20)
    assert qa("check", str(binary)).exit_code == 1
