"""Files of activities: row by row, batch by batch, and never more of them in memory than that."""

import json
import tracemalloc
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI

from bellwether_kit.settings import ServiceSettings
from bellwether_kit.testing.service import Mailbox, ServiceUnderTest

HEADER = "source,external_id,type,direction,outcome,occurred_at,account_domain,subject\n"
IMPORT = "/v1/activities/import"
CSV, NDJSON = {"Content-Type": "text/csv"}, {"Content-Type": "application/x-ndjson"}

Report = tuple[list[dict[str, Any]], dict[str, Any]]


def row(crm: Any, number: int, subject: str = "Renewal", outcome: str = "no-answer") -> str:
    return f"crm,call-{number},call,outbound,{outcome},{crm.at()},acme.example,{subject}\n"


def report(answer: httpx.Response) -> Report:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    *rows, totals = (json.loads(line) for line in answer.text.splitlines())
    return rows, totals


async def send(crm: Any, content: Any, headers: dict[str, str] = CSV, **query: Any) -> httpx.Response:
    answer: httpx.Response = await crm.client.post(IMPORT, content=content, params=query, headers=crm.headers | headers)
    return answer


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_every_row_is_answered_by_its_line_and_a_broken_one_spoils_no_other(crm: Any, account: UUID) -> None:
    content = HEADER + "".join(
        (
            row(crm, 1),
            row(crm, 2, '"two\nlines"'),
            "crm,call-3,call\n",
            row(crm, 4, outcome="held"),
            row(crm, 5, '"never closed'),
            row(crm, 6).replace("2026-", "yesterday-"),
            row(crm, 7),
            row(crm, 7),
            row(crm, 8).replace("acme", "elsewhere"),
        )
    )
    rows, totals = report(await send(crm, content.encode()))
    assert [(line["row"], line["status"], line.get("problem", {}).get("code")) for line in rows] == [
        (2, "accepted", None),
        (3, "accepted", None),
        (5, "rejected", "wrong-columns"),
        (6, "rejected", "outcome-mismatch"),
        (7, "rejected", "unclosed-quote"),
        (8, "rejected", "validation-failed"),
        (9, "accepted", None),
        (10, "duplicate", None),
        (11, "unmatched", None),
    ]
    assert rows[5]["problem"]["errors"][0]["pointer"] == "/occurred_at"
    assert totals == {
        "rows": 9,
        "counts": {"accepted": 3, "rejected": 4, "duplicate": 1, "unmatched": 1},
        "complete": True,
        "dry_run": False,
        "ignored_columns": [],
        "problem": None,
    }
    activities = (await crm.get("/v1/activities"))["items"]
    assert {item["subject"] for item in activities if item["external_id"] == "call-2"} == {"two\nlines"}
    assert rows[0]["id"] in {item["id"] for item in activities}


@pytest.mark.parametrize(
    ("encoding", "charset"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", ""), ("windows-1252", "; charset=windows-1252")],
)
async def test_a_file_is_read_in_any_usual_encoding(crm: Any, account: UUID, encoding: str, charset: str) -> None:
    content = (HEADER + row(crm, 1, "Café")).encode(encoding)
    pieces = (content[n : n + 5] for n in range(0, len(content), 5))

    async def chunks() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    rows, _ = report(await send(crm, chunks(), {"Content-Type": f"text/csv{charset}"}))
    assert [line["status"] for line in rows] == ["accepted"]
    assert (await crm.get("/v1/activities"))["items"][0]["subject"] == "Café"


async def test_bytes_that_are_no_text_are_their_rows_problem(crm: Any, account: UUID) -> None:
    content = (HEADER + row(crm, 1, "Café") + row(crm, 2)).encode("windows-1252")
    rows, _ = report(await send(crm, content))
    assert [line.get("problem", {}).get("code") for line in rows] == ["invalid-encoding", None]


@pytest.mark.parametrize(
    ("content", "headers", "expected"),
    [
        (b"", CSV, (422, "unreadable-file")),
        (b"a,b\n1,2\n", CSV, (422, "unreadable-file")),
        (HEADER.replace("subject", "type").encode(), CSV, (422, "unreadable-file")),
        (HEADER.encode("utf-16-le"), CSV, (422, "unreadable-file")),
        (b"", {"Content-Type": "text/csv; charset=klingon"}, (415, "unknown-charset")),
        (b"", {"Content-Type": "text/csv; charset=zlib"}, (415, "unknown-charset")),
        (b"{}", {"Content-Type": "application/json"}, (415, "unsupported-media-type")),
    ],
)
async def test_a_file_of_which_nothing_can_be_read_is_refused_whole(
    crm: Any, content: bytes, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    assert code(await send(crm, content, headers)) == expected


async def test_lines_of_json_are_read_the_same_way(crm: Any, account: UUID) -> None:
    call = crm.call(1, account={"id": str(account)})
    lines = [json.dumps(call), "", "{", "[1]", json.dumps(call | {"outcome": 7}), json.dumps(crm.call(2) | {"x": 1})]
    rows, totals = report(await send(crm, "\n".join(lines).encode() + b'\n"\xff"\n' + b'"' + b"x" * 70_000, NDJSON))
    assert [(line["row"], line["status"], line.get("problem", {}).get("code")) for line in rows] == [
        (1, "accepted", None),
        (3, "rejected", "malformed-json"),
        (4, "rejected", "validation-failed"),
        (5, "rejected", "validation-failed"),
        (6, "rejected", "validation-failed"),
        (7, "rejected", "invalid-encoding"),
        (8, "rejected", "row-too-long"),
    ]
    assert totals["rows"] == 7


async def test_columns_have_synonyms_and_the_others_are_named(crm: Any, account: UUID) -> None:
    content = (
        "ID;Activity Type;Date;Domain;Contact Email;attributes.campaign;Colour\n"
        f"n-1;note;{crm.at()};acme.example;a@acme.example, b@acme.example;spring;red\n"
        f"n-2;note;{crm.at()};acme.example;;;\n"
    )
    rows, totals = report(await send(crm, content.encode(), source="erp"))
    assert ([line["status"] for line in rows], totals["ignored_columns"]) == (["rejected", "accepted"], ["Colour"])
    [kept] = (await crm.get("/v1/activities"))["items"]
    assert (kept["source"], kept["external_id"]) == ("erp", "n-2")


async def test_a_dry_run_says_what_would_be_and_changes_nothing(crm: Any, account: UUID) -> None:
    rows, totals = report(await send(crm, (HEADER + row(crm, 1)).encode(), dry_run="true"))
    assert ([line["status"] for line in rows], totals["dry_run"]) == (["accepted"], True)
    assert (await crm.get("/v1/activities"))["items"] == []


async def test_a_source_with_a_key_sends_files_under_its_name_only(crm: Any, account: UUID) -> None:
    connected = await crm.connect("csv")
    key = {"Authorization": f"Bearer {connected.secret}"}
    content = HEADER + row(crm, 1) + row(crm, 2).replace("crm,", "erp,", 1) + row(crm, 3).replace("crm,", ",", 1)
    rows, _ = report(await crm.client.post(connected.address, content=content.encode(), headers=CSV | key))
    assert [(line["status"], line.get("problem", {}).get("code")) for line in rows] == [
        ("accepted", None),
        ("rejected", "another-source"),
        ("accepted", None),
    ]
    for shown, expected in (({}, "missing-signature"), ({"Authorization": "Bearer guessed"}, "wrong-signature")):
        answer = await crm.client.post(connected.address, content=content.encode(), headers=CSV | shown)
        assert code(answer) == (401, expected)
    await crm.client.patch(connected.path, json={"disabled": True}, headers=crm.headers)
    answer = await crm.client.post(connected.address, content=b"", headers=CSV | key)
    assert code(answer) == (403, "connection-disabled")


async def test_what_ends_the_work_midway_is_said_in_the_last_line(
    crm: Any, settings_as: Callable[..., ServiceSettings], service: ServiceUnderTest, account: UUID
) -> None:
    app = service.create_app(settings_as("api", import_body_limit=200_000), clock=crm.clock)

    async def endless() -> AsyncIterator[bytes]:
        yield HEADER.encode()
        for number in range(10_000):
            yield row(crm, number).encode()

    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://test") as client,
    ):
        answer = await client.post(IMPORT, content=endless(), headers=crm.headers | CSV)
        announced = await client.post(IMPORT, content=b"x" * 200_001, headers=crm.headers | CSV)
    rows, totals = report(answer)
    assert (totals["complete"], totals["problem"]["code"], totals["rows"] % 500) == (False, "body-too-large", 0)
    assert len(rows) == totals["rows"] > 0
    assert code(announced) == (413, "body-too-large")


async def test_a_client_that_leaves_ends_the_work_at_the_border_of_a_batch(
    crm: Any, app: FastAPI, account: UUID, mailbox: Mailbox
) -> None:
    pieces = [HEADER.encode(), *("".join(row(crm, 600 * n + m) for m in range(600)).encode() for n in range(2))]
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages.append({"type": "http.disconnect"})
    headers = crm.headers | CSV

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send_nothing(_: object) -> None:
        pass

    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": IMPORT,
        "raw_path": IMPORT.encode(),
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "server": ("test", 80),
        "client": ("test", 1),
        "root_path": "",
    }
    await app(scope, receive, send_nothing)
    [kept] = mailbox.admin("SELECT count(*) AS activities FROM activity")
    assert kept.activities == 1_000


async def test_memory_does_not_grow_with_the_file(crm: Any, account: UUID) -> None:
    line = row(crm, 0, "x" * 60_000).replace("call,outbound", "call,sideways").encode()

    async def long(megabytes: int) -> AsyncIterator[bytes]:
        yield HEADER.encode()
        for _ in range(megabytes * 17):
            yield line

    tracemalloc.start()
    rows, _ = report(await send(crm, long(megabytes=40)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows) == 680
    assert peak < 4 * 2**20


async def test_whoever_may_not_ingest_may_not_import(crm: Any, auth: Callable[..., dict[str, str]]) -> None:
    answer = await crm.client.post(IMPORT, content=b"", headers=auth("evidence:read") | CSV)
    assert code(answer) == (403, "missing-scope")
