"""Files of orders and of messages, read as what a CRM would post."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bellwether.evidence.histories import Format, Unreadable, read_history

ORDERS = """time,customer,invoice,kind,amount_gbp,lines,country
2010-12-01 09:41:00,14527,C536379,cancellation,-27.50,1,United Kingdom
2010-12-01 08:26:00,17850,536365,order,139.12,7,EIRE
2010-12-02 08:28:00,17850,536366,order,22.20,2,EIRE
"""
MESSAGES = "1 2 1082040961\n2 1 1082040999\n3 2 1082155839\n1 2 1082155840\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "history"


def test_orders_are_activities_in_order_of_time_and_a_cancellation_is_a_credit_note(file: Path) -> None:
    file.write_text(ORDERS)

    history = read_history(file, Format.ORDERS)

    assert [(at.day, body["external_id"]) for at, body in history.happened] == [
        (1, "invoice-536365"),
        (1, "invoice-C536379"),
        (2, "invoice-536366"),
    ]
    assert [(body["outcome"], body["amount"]) for _, body in history.happened[:2]] == [
        ("placed", "139.12"),
        (None, "-27.50"),
    ]
    assert {name: account["country"] for name, account in history.accounts.items()} == {"17850": "IE", "14527": "GB"}


def test_orders_need_no_column_that_says_their_kind(file: Path) -> None:
    file.write_text("time,customer,invoice,amount_gbp,lines,country\n2010-12-01 08:26:00,1,2,3.00,7,Atlantis\n")

    history = read_history(file, Format.ORDERS)

    assert [body["outcome"] for _, body in history.happened] == ["placed"]
    assert [account["country"] for account in history.accounts.values()] == [None]


def test_each_pair_of_people_is_a_client_and_who_wrote_first_is_ours(file: Path) -> None:
    file.write_bytes(gzip.compress(MESSAGES.encode()))

    history = read_history(file, Format.MESSAGES)

    said = [
        (body["account"]["external_id"], body["direction"], body["asks_reply"], body["owner"]["email"])
        for _, body in history.happened
    ]
    assert said == [
        ("1-2", "outbound", True, "manager-1@example.com"),
        ("1-2", "inbound", False, "manager-1@example.com"),
        ("3-2", "outbound", True, "manager-3@example.com"),
        ("1-2", "outbound", True, "manager-1@example.com"),
    ]
    assert history.happened[0][0] == datetime(2004, 4, 15, 14, 56, 1, tzinfo=UTC)
    assert len({body["external_id"] for _, body in history.happened}) == 4
    assert list(history.accounts) == ["1-2", "3-2"]


def test_a_limit_leaves_out_what_comes_after_it_and_who_is_only_there(file: Path) -> None:
    file.write_text(MESSAGES)

    history = read_history(file, Format.MESSAGES, limit=2)

    assert (len(history.happened), list(history.accounts)) == (2, ["1-2"])


@pytest.mark.parametrize(
    ("text", "format_", "said"),
    [
        (MESSAGES, Format.ORDERS, "row 1 is broken"),
        (ORDERS, Format.MESSAGES, "row 1 is broken"),
        (ORDERS + "soon,1,2,order,3,4,EIRE\n", Format.ORDERS, "row 4 is broken"),
        (MESSAGES + "1 2\n", Format.MESSAGES, "row 5 is broken"),
        ("", Format.MESSAGES, "holds nothing"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_row(file: Path, text: str, format_: Format, said: str) -> None:
    file.write_text(text)

    with pytest.raises(Unreadable, match=said):
        read_history(file, format_)


def test_a_file_that_is_not_there_is_said_in_one_sentence(file: Path) -> None:
    with pytest.raises(Unreadable, match=r"history cannot be read: No such file or directory\.$"):
        read_history(file, Format.ORDERS)
