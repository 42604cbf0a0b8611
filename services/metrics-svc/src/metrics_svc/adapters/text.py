"""Files of text on their way in: bytes in any common encoding become lines, however the bytes were cut in pieces."""

import codecs
import re
from collections.abc import Iterator

LONGEST_LINE = 64 * 1024
"""Characters; of a longer line the beginning is kept, so that whoever reads it finds it broken."""
BROKEN = re.compile("[\ud800-\udfff]")
"""Stands in a line where bytes could not be decoded."""

_TEXT = re.compile(
    r"utf-(8|16|32)(-sig|-[lb]e)?|iso8859-\d+|cp\d+|ascii|koi8-[rut]|mac-roman|gb\w+|big5|shift_jis|euc_\w+"
)
"""Encodings of text, among all that Python calls codecs."""
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Unreadable(ValueError):
    """A file of which nothing can be read."""


class Lines:
    """The lines of one file, without their ends. Holds no more than one line and what it is fed."""

    def __init__(self, charset: str = "utf-8") -> None:
        """``charset`` holds for a file without a byte order mark; raises Unreadable for one that is no text."""
        try:
            self._charset = codecs.lookup(charset).name
        except LookupError:
            self._charset = ""
        if not _TEXT.fullmatch(self._charset):
            raise Unreadable(f"there is no encoding of text named {charset[:40]}")
        self._decoder: codecs.IncrementalDecoder | None = None
        self._lossy = False
        self._first = b""
        self._rest = ""
        self._dropping = False

    def feed(self, data: bytes, *, final: bool = False) -> Iterator[str]:
        """Yield the lines that ``data`` completes, and with ``final`` the last one."""
        lines = (self._rest + self._decoded(data, final=final)).split("\n")
        self._rest = lines.pop()
        if final and self._rest:
            lines.append(self._rest)
        for line in lines:
            if not self._dropping:
                yield line.removesuffix("\r")
            self._dropping = False
        if len(self._rest) > LONGEST_LINE:
            if not self._dropping:
                yield self._rest
            self._dropping, self._rest = True, ""

    def _decoded(self, data: bytes, *, final: bool) -> str:
        if self._decoder is None:
            data = self._first = self._first + data
            if len(data) < len(codecs.BOM_UTF8) and not final:
                return ""
            charset = next((name for mark, name in _MARKS if data.startswith(mark)), self._charset)
            self._lossy = charset.startswith(("utf-16", "utf-32"))
            self._decoder = codecs.getincrementaldecoder(charset)("replace" if self._lossy else "surrogateescape")
        text = self._decoder.decode(data, final)
        return text.replace("\ufffd", "\udcff") if self._lossy else text
