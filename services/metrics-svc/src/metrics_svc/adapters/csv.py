"""CSV files: a header that names the columns, then one activity per row, read piece by piece as they arrive.

A broken row is that row's affair. Rows are numbered by the line of the file they begin in, the header's being 1.
"""

import csv
from collections import deque
from collections.abc import Iterator, Mapping, Sequence

from metrics_svc.adapters import plain
from metrics_svc.adapters.text import BROKEN, LONGEST_LINE, Lines, Unreadable
from metrics_svc.inbound.rules import Adapter, Options, Reading, Unread
from metrics_svc.intake.rules import Told

FIELDS = frozenset(
    {
        *("source", "external_id", "type", "direction", "outcome", "occurred_at", "starts_at", "updated_at"),
        *("revision", "asks_reply", "thread", "in_reply_to", "amount", "currency", "subject"),
        *("account_id", "account_source", "account_external_id", "account_domain", "owner_email"),
        *("contact_emails", "contact_source", "contact_external_ids"),
    }
)
"""The columns; those of contacts hold several, separated by semicolons. ``attributes.<name>`` is any other fact."""
SYNONYMS = {
    "id": "external_id",
    "record_id": "external_id",
    "activity_id": "external_id",
    "activity_type": "type",
    "date": "occurred_at",
    "time": "occurred_at",
    "timestamp": "occurred_at",
    "result": "outcome",
    "last_modified": "updated_at",
    "start": "starts_at",
    "company_id": "account_external_id",
    "company_domain": "account_domain",
    "domain": "account_domain",
    "owner": "owner_email",
    "email": "contact_emails",
    "contact_email": "contact_emails",
    "contact_id": "contact_external_ids",
}
"""What other systems' exports call our columns; case, blanks and hyphens make no difference."""

MOST_LINES = 100
"""Lines that one quoted field may go over; beyond them its quotation mark was never meant to be closed."""

_NEEDED = ("external_id", "type", "occurred_at")
_ACCOUNT = frozenset({"account_id", "account_external_id", "account_domain"})
_STRUCTURED = frozenset(name for name in FIELDS if name.startswith(("account_", "contact_", "owner_")))
_ATTRIBUTE = "attributes."
_ENDLESS = "unexpected end of data"


class Sheet:
    """One file on its way in. ``ignored`` are the columns that mean nothing to us, once the header was read."""

    def __init__(self, options: Options, charset: str = "utf-8") -> None:
        """``charset`` holds for a file without a byte order mark; raises Unreadable for one that is no text."""
        self.ignored: Sequence[str] = ()
        self._options = options
        self._lines = Lines(charset)
        self._waiting: deque[str] = deque()
        self._line = 1
        self._columns: Sequence[str] = ()
        self._delimiter = ","

    def feed(self, data: bytes, *, final: bool = False) -> Iterator[tuple[int, Told | Unread]]:
        """Yield line and content of the rows that ``data`` completes; raises Unreadable for an unreadable header."""
        for line in self._lines.feed(data, final=final):
            self._waiting.append(line)
            yield from self._complete(closed=False)
        if final:
            yield from self._complete(closed=True)
            if not self._columns:
                raise Unreadable("the file is empty; its first row names the columns")

    def _complete(self, *, closed: bool) -> Iterator[tuple[int, Told | Unread]]:
        """The rows that the waiting lines make up; unless ``closed`` the last may go on in a line yet to come."""
        while self._waiting:
            if not self._columns:
                self._read_header(self._waiting[0])
            lines, found = self._record()
            if found is None and not closed and self._may_go_on():
                return
            at = self._line
            self._line += lines
            for _ in range(lines):
                self._waiting.popleft()
            if at > 1 and found != []:
                yield at, found if isinstance(found, Unread) else self._told(found)

    def _may_go_on(self) -> bool:
        return len(self._waiting) < MOST_LINES and sum(map(len, self._waiting)) <= LONGEST_LINE

    def _record(self) -> tuple[int, list[str] | Unread | None]:
        """The next record and how many lines it takes; None and one line when its quotation mark stays open."""
        reader = csv.reader((f"{line}\n" for line in self._waiting), delimiter=self._delimiter, strict=True)
        try:
            values = next(reader)
        except csv.Error as error:
            if str(error) == _ENDLESS:
                return 1, None
            return 1, Unread("broken-row", f"The row can't be read: {error}.")
        lines = self._waiting if reader.line_num == len(self._waiting) else list(self._waiting)[: reader.line_num]
        if any(BROKEN.search(line) for line in lines):
            return reader.line_num, Unread("invalid-encoding", "The row holds bytes that are no text in its encoding.")
        return reader.line_num, values

    def _read_header(self, line: str) -> None:
        """Learn the columns; raises Unreadable when they are none of ours, twice the same, or too few."""
        self._delimiter = max(",;\t", key=line.count)
        names = next(csv.reader([line], delimiter=self._delimiter))
        columns = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in names]
        columns = [SYNONYMS.get(name, name) for name in columns]
        if BROKEN.search(line) or "\0" in line:
            raise Unreadable("the header holds bytes that are no text in its encoding")
        known = [name for name in columns if name in FIELDS or name.startswith(_ATTRIBUTE)]
        missing = [name for name in _NEEDED if name not in known]
        if missing or not _ACCOUNT & set(known):
            raise Unreadable(f"the header names no column {', '.join(missing) or ' or '.join(sorted(_ACCOUNT))}")
        if len(set(known)) < len(known):
            raise Unreadable("the header names a column twice")
        self._columns = columns
        self.ignored = [name for name, column in zip(names, columns, strict=True) if column not in known]

    def _told(self, values: list[str] | None) -> Told | Unread:
        if values is None:
            return Unread("unclosed-quote", "A quotation mark is never closed.")
        if len(values) != len(self._columns):
            return Unread("wrong-columns", f"The row has {len(values)} columns, the header {len(self._columns)}.")
        row = {name: value.strip() for name, value in zip(self._columns, values, strict=True) if value.strip()}
        item: dict[str, object] = {name: row[name] for name in FIELDS - _STRUCTURED if name in row}
        item["attributes"] = {
            name.removeprefix(_ATTRIBUTE): value for name, value in row.items() if name.startswith(_ATTRIBUTE)
        }
        item["account"] = _account(row, self._options.source)
        item["contacts"] = _contacts(row, self._options.source)
        item |= {"owner": {"email": row["owner_email"]}} if "owner_email" in row else {}
        return plain.told(item, self._options, typed=False)


def _account(row: Mapping[str, str], source: str) -> Mapping[str, str]:
    if "account_external_id" in row:
        return {"source": row.get("account_source", source), "external_id": row["account_external_id"]}
    return {name.removeprefix("account_"): row[name] for name in ("account_id", "account_domain") if name in row}


def _contacts(row: Mapping[str, str], source: str) -> list[Mapping[str, str]]:
    emails, ids = (_several(row.get(name, "")) for name in ("contact_emails", "contact_external_ids"))
    of = row.get("contact_source", source)
    return [*({"email": email} for email in emails), *({"source": of, "external_id": id_} for id_ in ids)]


def _several(value: str) -> list[str]:
    return [part.strip() for part in value.split(";") if part.strip()]


def read(body: bytes, options: Options) -> Reading:
    """The activities of a whole file; raises Unreadable for one whose header can't be read."""
    sheet = Sheet(options)
    rows = [*sheet.feed(body), *sheet.feed(b"", final=True)]
    return Reading(
        told=[row for _, row in rows if isinstance(row, Told)],
        unread=[Unread(row.code, row.detail, f"/{line}{row.pointer}") for line, row in rows if isinstance(row, Unread)],
    )


ADAPTER = Adapter(name="csv", title="CSV file", prove=None, read=read)
