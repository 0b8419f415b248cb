"""Links into a web page at the very words: URL fragments as in https://wicg.github.io/scroll-to-text-fragment/."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

LONGEST = 300
"""Characters up to which the whole text stands in the link; longer ones are given by their first and last words."""
CONTEXT = 12
"""Words before and behind that may be added to tell a place from others."""
EDGE = 12
"""Words at either end that stand for a longer text."""

LARGEST = 500_000
"""Characters of a text up to which places are told apart; that takes a fraction of a second."""

_WORD = re.compile(r"\S+")
_GAP = r"\s*"


def text_fragment_url(url: str, text: str, start: int, end: int) -> str | None:
    """`url` with a text fragment that finds `text[start:end]` and no other place of `text`; None if there is none.

    A browser compares regardless of case, accents and amount of space, word by word, and inside one block; a line of
    `text` is taken to be a block. The link is sure of `text`; the page itself may hold more than what was indexed.
    """
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    if start >= end or len(text) > LARGEST or not (_boundary(text, start) and _boundary(text, end)):
        return None
    directive = _directive(text, start, end)
    if directive is None:
        return None
    base, _, fragment = url.partition("#")
    return f"{base}#{fragment.partition(':~:')[0]}:~:text={directive}"


def _directive(text: str, start: int, end: int) -> str | None:
    folded = _fold(text)
    cited = text[start:end]
    before = _WORD.findall(text[text.rfind("\n", 0, start) + 1 : start])
    behind = _WORD.findall(re.match(r"[^\n]*", text[end:])[0])  # type: ignore[index]
    if start and not text[start - 1].isspace():
        before = []  # a word that is cut in two is none to look for
    if end < len(text) and not text[end].isspace():
        behind = []
    for parts in _parts(cited):
        for size in range(CONTEXT + 1):
            prefix, suffix = before[len(before) - size :] if size else [], behind[:size]
            if size and size > max(len(before), len(behind)):
                break
            if _places(folded, prefix, parts, suffix) == 1:
                return ",".join(
                    [f"{_encode(' '.join(prefix))}-"] * bool(prefix)
                    + [_encode(part) for part in parts]
                    + [f"-{_encode(' '.join(suffix))}"] * bool(suffix)
                )
    return None


def _parts(cited: str) -> list[list[str]]:
    """The text as a whole, or its first and last words."""
    if len(cited) <= LONGEST and "\n" not in cited and "\r" not in cited:
        return [[cited]]
    first, last = _WORD.findall(cited.splitlines()[0]), _WORD.findall(cited.splitlines()[-1])
    return [
        [" ".join(first[:size]), " ".join(last[-size:])]
        for size in range(4, EDGE + 1, 4)
        if len(first[:size]) + len(last[-size:]) <= len(_WORD.findall(cited))
    ]


def _places(folded: str, prefix: list[str], parts: list[str], suffix: list[str]) -> int:
    """At how many places a browser could find this; more are counted than it would find, never fewer."""
    pieces = [_fold(" ".join(words)) for words in (prefix, parts[:1], parts[1:], suffix)]
    before, first, last, behind = map(re.escape, pieces)
    begin = f"{before}{_GAP}{first}" if before else first
    if not last:
        return _count(f"{begin}{_GAP}{behind}" if behind else begin, folded)
    # Both ends have to be unmistakable: a browser takes the first end behind a beginning, whatever follows it.
    return max(_count(begin, folded), _count(last, folded))


def _count(pattern: str, text: str) -> int:
    return len(re.findall(f"(?={pattern})", text))


def _fold(text: str) -> str:
    """Without case and accents, spaces as one: what a browser may take to be the same, is the same."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(plain.split())


def _boundary(text: str, at: int) -> bool:
    return at in (0, len(text)) or not (text[at - 1].isalnum() and text[at].isalnum())


def _encode(text: str) -> str:
    return quote(" ".join(text.split()), safe="").replace("-", "%2D")
