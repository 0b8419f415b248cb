"""From bytes to text: which encoding they are in, or that they are no text."""

from __future__ import annotations

import codecs
import re
import unicodedata

from index.errors import NotText

CONTROL = r"\x00-\x08\x0e-\x1f\x7f"
"""Characters that text does not have, as the inside of a character class."""

# The longer marks first: UTF-32's begins with UTF-16's.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What a file that is not UTF-8 may be in; without the list the guesser proposes EBCDIC and UTF-16 for random bytes.
_GUESSED = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "koi8_r"]
_GUESSED += ["cp932", "euc_jp", "gb18030", "big5", "cp949"]
_GUESS_FROM = 65_536
# Below this many bytes outside ASCII a guess is a lottery; Western European is then the best one.
_ENOUGH_EVIDENCE = 10
# The names under which Python knows the encodings that browsers accept in a page; "utf-7" or "base64" are not among
# them, and must not be: they turn harmless bytes into markup.
_IN_PAGES = re.compile(
    r"utf-8|utf-16|iso8859-|cp(125\d|866|874|932|949)|koi8-|gb|big5|shift_jis|euc_|iso2022_jp|mac-|tis-620"
)
_SINGLE_BYTE = re.compile(r"iso8859-|cp125\d")
_DECLARED = re.compile(rb"""(?:<meta[^>]{0,200}?charset|<\?xml[^>]{0,100}?encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.I)


def decode(data: bytes, name: str, declared: str | None = None) -> str:
    """The text of `data`, without a byte order mark: by that mark, as declared, as UTF-8, or by a plausible guess.

    Line ends and everything else stay as they are. Raises `NotText`, under the file's `name`, for anything else.
    """
    text = _decoded(data, declared)
    if text is None or "\0" in text or _control_characters(text) > 2 + len(text) // 100:
        raise NotText(
            f"{name} is binary, or in an encoding that cannot be told.",
            help="If it is text, save it as UTF-8. If it is not, convert it or leave it out.",
        )
    return text


def _decoded(data: bytes, declared: str | None) -> str | None:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _try(data[len(mark) :], encoding)
    if declared is not None:
        text = _try(data, declared)
        if text is not None:
            return text
    text = _try(data, "utf-8")
    return text if text is not None else _guess(data)


def _try(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _guess(data: bytes) -> str | None:
    # Slow to import, and needed for old files only.
    from charset_normalizer import from_bytes

    sample = data[:_GUESS_FROM]
    if len(data) > len(sample):
        sample = sample[: sample.rfind(b"\n") + 1] or sample  # not through the middle of a character
    outside_ascii = len(sample.translate(None, bytes(range(128))))
    western = outside_ascii * 4 < len(sample)  # mostly ASCII, as Western European text is in these encodings
    candidates: list[str] = []
    if outside_ascii >= _ENOUGH_EVIDENCE or not western:
        found = [match for match in from_bytes(sample, cp_isolation=_GUESSED) if match.encoding in _GUESSED]
        # On a draw the more frequent encoding, not the first in the alphabet.
        drawn = [m.encoding for m in found if (m.chaos, m.coherence) == (found[0].chaos, found[0].coherence)]
        candidates += sorted(drawn, key=_GUESSED.index)
    if western:
        candidates.append("cp1252")
    for encoding in candidates:
        text = _try(data, encoding)
        if text is not None and _is_plausible(text):
            return text
    return None


def _is_plausible(text: str) -> bool:
    """Whether a guess at the encoding gave what people write: letters and blanks, no characters without a meaning."""
    kinds = [unicodedata.category(character) for character in text[:_GUESS_FROM]]
    usual = sum(kind[0] in "LMNZ" or character in "\r\n\t" for kind, character in zip(kinds, text, strict=False))
    strange = sum(kind in {"Cn", "Co", "Cc"} for kind in kinds) - sum(text[: len(kinds)].count(c) for c in "\r\n\t")
    return usual * 3 >= len(kinds) * 2 and strange == 0


def _control_characters(text: str) -> int:
    return len(re.findall(f"[{CONTROL}]", text))


def declared_encoding(data: bytes) -> str | None:
    """The encoding that a page says it is in, if browsers would believe it."""
    found = _DECLARED.search(data[:4096])
    if found is None:
        return None
    try:
        name = codecs.lookup(found[1].decode("ascii")).name
    except (LookupError, UnicodeError, ValueError):
        return None
    if not _IN_PAGES.match(name) or name.startswith("utf-16"):
        return None  # a declaration that can be read as ASCII cannot be true of UTF-16
    if _SINGLE_BYTE.match(name) and _try(data, "utf-8") is not None:
        return "utf-8"  # saved again as UTF-8, the old declaration left in place
    return {"iso8859-1": "cp1252", "gb2312": "gb18030", "gbk": "gb18030"}.get(name, name)
