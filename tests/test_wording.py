from __future__ import annotations

from collections import Counter

import pytest

from qa.wording import antonyms, changed, key_of, read, synonyms


def test_no_synonyms_are_opposites() -> None:
    assert [pair for pair in antonyms() if key_of(pair[0]) == key_of(pair[1])] == []


def test_a_word_is_on_one_line_of_the_synonyms_only() -> None:
    counts = Counter(word for line in synonyms() for word in line)
    assert [word for word, n in counts.items() if n > 1] == []


def test_two_spellings_of_a_title_or_country_are_read_as_one() -> None:
    for one, other in (
        ("the CEO of the United States arm", "the chief executive officer of the US arm"),
        ("the USA and the UK", "the United States of America and the United Kingdom"),
    ):
        assert [item.key for item in read(one)] == [item.key for item in read(other)]


@pytest.mark.parametrize(
    ("text", "qualifiers"),
    [
        ("It takes 10 to 20 days.", ["range", "range"]),
        ("It takes between 10 and 20 days.", ["range", "range"]),
        ("She watched them from 1983 until 2007.", ["range", "range"]),
        ("It passed by 71 to 64.", ["", ""]),
        ("Revenue fell 9 percent to 58 million francs.", ["", ""]),
        ("The price rose from 40 to 58 euros.", ["", ""]),
        ("It shut after 4 in the morning.", ["after"]),
        ("He drew six more albums.", ["another"]),
        ("He drew another six albums.", ["another"]),
        ("There were six more than before.", [""]),
        ("It goes to a mapmaker younger than 40.", ["less"]),
        ("It holds 40 or less.", ["most"]),
        ("One in three visitors comes by car.", ["ratio", "ratio"]),
        ("It sold three in 2020.", ["", ""]),
        ("All but two of the boats sank.", ["except"]),
    ],
)
def test_what_qualifies_a_number(text: str, qualifiers: list[str]) -> None:
    assert [item.qualifier for item in read(text) if item.kind == "number"] == qualifiers


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("The price rose from about 40 to 58 euros.", ["from", "to"]),
        ("Sales fell 9 percent, to 58 million.", ["by", "to"]),
        ("It was a drop of more than 9 percent.", ["by"]),
        ("Prices went down by 9 percent.", ["by"]),
        ("The ferry takes from 10 to 20 days.", ["", ""]),
        ("9 of them fell.", [""]),
    ],
)
def test_what_a_number_is_to_a_change(text: str, changes: list[str]) -> None:
    items = read(text)
    assert [changed(items, at) for at, item in enumerate(items) if item.kind == "number"] == changes


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("260,000¹ chips", ["#260000"]),
        ("Founded in 2019.¹ It grew.²", ["#2019"]),
        ("10¹¹ stars, 10⁻⁹ metres, 2ⁿ ways", ["#10|¹¹", "#10|⁻⁹", "#2|ⁿ"]),
        ("5 m² for the staff²", ["#5"]),
        ("６ chips", ["#6"]),
    ],
)
def test_a_superscript_makes_no_other_number(text: str, numbers: list[str]) -> None:
    assert [item.key for item in read(text) if item.kind == "number"] == numbers
