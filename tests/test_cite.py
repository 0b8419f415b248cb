"""Citation ids: they encode a place exactly, and nothing else decodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.types import content_hash, document_id
from qa.cite import Place, decode, encode
from qa.errors import InvalidCitation

places = st.builds(
    lambda name, uri, text, start, length: Place(name, document_id(uri), content_hash(text), start, start + length),
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.integers(0, 2**33),
    st.integers(1, 10_000),
)


@given(places)
def test_an_id_says_its_place(place: Place) -> None:
    assert decode(encode(place)) == place


@given(places)
def test_an_id_is_safe_in_a_url_without_escaping(place: Place) -> None:
    assert encode(place).replace("_", "").replace("-", "").isalnum()
    assert encode(place).isascii()


@given(st.text(max_size=120))
def test_nothing_else_decodes(text: str) -> None:
    try:
        place = decode(text)
    except InvalidCitation:
        return
    assert encode(place) == text


@pytest.mark.parametrize("text", ["", "cit_", "cit_AAAA", "cit_" + "A" * 5000, "cit_é", "cit_=", "\ud800", "doc_1"])
def test_garbage_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(InvalidCitation) as caught:
        decode(text)
    assert caught.value.help


def test_an_altered_id_is_refused_or_means_another_place() -> None:
    place = Place("default", document_id("a.txt"), content_hash("text"), 5, 9)
    good = encode(place)
    for i in range(4, len(good)):
        altered = good[:i] + ("A" if good[i] != "A" else "B") + good[i + 1 :]
        try:
            assert decode(altered) != place
        except InvalidCitation:
            continue
