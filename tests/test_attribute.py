from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.attribute import attributed


@pytest.mark.parametrize(
    ("draft", "source", "expected"),
    [
        (
            "The bakery closed early.",
            "The bakery closed early because its oven had broken, Paul Meyer said.",
            "The bakery closed early, Paul Meyer said.",
        ),
        (
            "The firm can build ships.",
            "Speaking in Linz, Mr. Hale added that with the crane, the firm would be able to build ships.",
            "Mr. Hale added that the firm can build ships.",
        ),
        (
            "Sales grew by 3%.",
            "Sales grew by 3%, according to the ministry.",
            "Sales grew by 3%, according to the ministry.",
        ),
        ("Linz has a pool.", "Ana Ruiz said that Linz has a pool.", "Ana Ruiz said that Linz has a pool."),
        ("The bridge was opened.", "The bridge was opened by Ana Ruiz.", None),
    ],
)
def test_the_speaker_is_named_in_the_sources_words(draft: str, source: str, expected: str | None) -> None:
    assert attributed(draft, source) == expected


@given(st.text(), st.text())
def test_any_text_will_do(draft: str, source: str) -> None:
    attributed(draft, source)
