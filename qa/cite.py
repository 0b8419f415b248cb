"""Citations: exact spans, and ids that encode them, so that asking writes nothing and a link never dies.

An id is `cit_` and the base64url form of: document hash (8 bytes), version hash (16 bytes), start and end as
variable-length integers (LEB128), then the collection's name in ASCII.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from urllib.parse import urlencode

from index.types import Passage, Span
from qa.errors import InvalidCitation
from qa.types import Citation

_PREFIX = "cit_"


@dataclass(frozen=True, slots=True)
class Place:
    """What a citation id says: a span of one version of one document of one collection."""

    collection: str
    document_id: str
    document_version: str
    start: int
    end: int


def encode(place: Place) -> str:
    """The citation id of a place."""
    raw = bytes.fromhex(place.document_id.removeprefix("doc_")) + bytes.fromhex(place.document_version)
    raw += _varint(place.start) + _varint(place.end) + place.collection.encode("ascii")
    return _PREFIX + base64.urlsafe_b64encode(raw).decode("ascii").rstrip("=")


def decode(cited: str) -> Place:
    """The place of a citation id. Raises `InvalidCitation` for anything that `encode` did not make."""
    try:
        body = cited.removeprefix(_PREFIX)
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        start, rest = _read_varint(raw[24:])
        end, rest = _read_varint(rest)
        place = Place(rest.decode("ascii"), "doc_" + raw[:8].hex(), raw[8:24].hex(), start, end)
        if start < end and encode(place) == cited:
            return place
    except (ValueError, IndexError, binascii.Error):
        pass
    raise InvalidCitation(
        f"{cited[:80]!r} is not a citation id", help="Citation ids come from the answers of this service."
    )


def citation_id(passage: Passage, span: Span, collection: str) -> str:
    """The id of the citation of a span that lies inside a passage."""
    return encode(Place(collection, passage.document_id, passage.document_version, span.start, span.end))


def cite(passage: Passage, span: Span, collection: str) -> Citation:
    """The citation of a span that lies inside a passage: its own words, hence the score 1."""
    cited = citation_id(passage, span, collection)
    return Citation(
        id=cited,
        type="char_location",
        cited_text=passage.slice(span),
        document_id=passage.document_id,
        document_title=passage.document_title,
        document_version=passage.document_version,
        start_char_index=span.start,
        end_char_index=span.end,
        score=1.0,
        viewer_url=viewer_url(passage.document_id, collection, cited),
        source_url=passage.source_url,
    )


def viewer_url(document_id: str, collection: str, cited: str) -> str:
    """Where this service shows a document with a span marked, relative to its root."""
    return f"/documents/{document_id}?{urlencode({'collection': collection})}#{cited}"


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _read_varint(raw: bytes) -> tuple[int, bytes]:
    number = 0
    for position in range(5):  # 35 bits: more than any text that fits in memory
        number |= (raw[position] & 127) << 7 * position
        if raw[position] < 128:
            return number, raw[position + 1 :]
    raise ValueError("number too long")
