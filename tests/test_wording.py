from __future__ import annotations

from collections import Counter

from qa.wording import antonyms, key_of, read, synonyms


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
