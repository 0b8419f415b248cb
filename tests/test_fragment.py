"""Text fragments: what the link says, a browser finds at the cited place and at no other."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from qa.fragment import text_fragment_url

URL = "https://example.org/a"


def folded(text: str) -> tuple[str, list[int]]:
    """`text` as a browser compares it, and for each character the one of `text` that it is from."""
    out: list[str] = []
    origin: list[int] = []
    for at, character in enumerate(text):
        for plain in unicodedata.normalize("NFKD", character.casefold()):
            if unicodedata.combining(plain) or (plain.isspace() and out and out[-1] == " "):
                continue
            out.append(" " if plain.isspace() else plain)
            origin.append(at)
    return "".join(out), origin


def found(text: str, url: str) -> list[tuple[int, int]]:
    """All places that the directive of `url` matches, by the algorithm of the specification, written independently."""
    pieces = url.split(":~:text=")[1].split(",")
    prefix = unquote(pieces.pop(0)[:-1]) if pieces[0].endswith("-") else ""
    suffix = unquote(pieces.pop()[1:]) if pieces[-1].startswith("-") else ""
    first, *last = (unquote(piece) for piece in pieces)
    page, origin = folded(text)

    def bounded(start: int, end: int) -> bool:
        return not any(0 < at < len(page) and page[at - 1].isalnum() and page[at].isalnum() for at in (start, end))

    def places(words: str) -> list[tuple[int, int]]:
        return [
            m.span(1) for m in re.finditer(f"(?=({re.escape(folded(words.strip())[0])}))", page) if bounded(*m.span(1))
        ]

    matches = []
    for start, end in places(first):
        if prefix and not any(page[b:start].strip() == "" and b <= start for _, b in places(prefix)):
            continue
        if last:
            ends = [b for a, b in places(last[0]) if a >= end]
            if not ends:
                continue
            end = ends[0]
        if suffix and not any(page[end:a].strip() == "" and a >= end for a, _ in places(suffix)):
            continue
        matches.append((origin[start], origin[end - 1] + 1))
    return matches


words = st.sampled_from(["the", "The", "owl", "Öwl", "a-b", "c,d", "52", "&", "owls.", "x%y", "in", "1988"])
sentences = st.lists(words, min_size=1, max_size=12).map(" ".join)
texts = st.lists(sentences, min_size=1, max_size=8).flatmap(
    lambda lines: st.sampled_from(["\n", "\n\n", " ", "\r\n"]).map(lambda between: between.join(lines))
)


@given(texts, st.data())
def test_a_link_matches_the_cited_place_and_no_other(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    url = text_fragment_url(URL, text, start, end)
    if url is not None:
        cited = text[start:end]
        exact = (start + len(cited) - len(cited.lstrip()), end - (len(cited) - len(cited.rstrip())))
        assert found(text, url) == [exact]


def test_an_end_that_stands_earlier_in_the_citation_is_no_end() -> None:
    text = "one two three four owl\nin 1988 the owl\n1988 the ferry"
    end = len(text) - len(" ferry")
    url = text_fragment_url(URL, text, 0, end)
    assert url is None or found(text, url) == [(0, end)]


@given(st.lists(sentences, min_size=2, max_size=6, unique_by=lambda line: folded(line)[0]), st.data())
def test_a_sentence_that_stands_once_has_a_link(lines: list[str], data: st.DataObject) -> None:
    text = "\n\n".join(f"{line} Number {i}." for i, line in enumerate(lines))
    at = data.draw(st.integers(0, len(lines) - 1))
    line = f"{lines[at]} Number {at}."
    if folded(text)[0].count(folded(line)[0]) == 1:
        start = text.index(line)
        assert text_fragment_url(URL, text, start, start + len(line)) is not None


def test_what_it_looks_like() -> None:
    text = "It opens at nine. The owls sleep.\n\nIt opens at nine. The ravens, and A-B, wake."
    last = text.rindex("It opens at nine.")
    assert text_fragment_url(URL, text, 18, 33) == f"{URL}#:~:text=The%20owls%20sleep."
    assert text_fragment_url(URL, text, last, last + 17) == f"{URL}#:~:text=It%20opens%20at%20nine.,-The%20ravens%2C"
    assert text_fragment_url(f"{URL}#top:~:text=old", text, 18, 33) == f"{URL}#top:~:text=The%20owls%20sleep."
    start = text.index("A-B")
    assert text_fragment_url(URL, text, start, start + 3) == f"{URL}#:~:text=A%2DB"


def test_there_is_none_where_no_place_can_be_told() -> None:
    text = "Read more\n\nSomething.\n\nRead more\n\nA word"
    assert text_fragment_url(URL, text, 0, 9) is None
    assert text_fragment_url(URL, text, len(text) - 3, len(text)) is None  # a word cut in two
    assert text_fragment_url(URL, text, 9, 11) is None  # nothing but space


def test_a_long_text_is_given_by_its_ends() -> None:
    text = "Before it. " + " ".join(f"word{i}" for i in range(200)) + "\n\nThe end of it is here. Behind."
    end = text.index(" Behind")
    url = text_fragment_url(URL, text, 11, end)
    assert url == f"{URL}#:~:text=word0%20word1%20word2%20word3,of%20it%20is%20here."
    assert found(text, url) == [(11, end)]
