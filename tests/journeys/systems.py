"""Source systems as they deliver: golden payloads with the proof that each of them gives. Nothing is posted here."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from hmac import digest
from typing import Any
from urllib.parse import parse_qsl, quote

from standardwebhooks.webhooks import Webhook

from bellwether.home import repository_root

PAYLOADS = repository_root() / "services" / "metrics-svc" / "tests" / "unit" / "payloads"
Headers = dict[str, str]


@dataclass(frozen=True)
class Sending:
    """What is to be sent where and when, and by which secret it is proven."""

    url: str
    body: bytes
    secret: str
    at: datetime


Proof = Callable[[Sending], tuple[bytes, Headers]]
"""Gives the body and the headers that a system sends."""


@dataclass(frozen=True)
class System:
    """One system: its adapter, a payload of its own, how it proves it, and the status it is answered with.

    ``told`` are activities by type, outcome and whether the account is known; ``names`` are facts of that account.
    ``secret`` is None where ours is shown: a key.
    """

    adapter: str
    payload: str
    prove: Proof
    greeting: int
    told: list[tuple[str, str | None, bool]]
    evidence: list[str]
    names: dict[str, Any]
    secret: str | None = "a-secret-of-its-own"

    def golden(self) -> bytes:
        """The payload as it is kept with the service's tests."""
        return (PAYLOADS / self.payload).read_bytes()


def by_channel_token(sending: Sending) -> tuple[bytes, Headers]:
    """Google Calendar shows the channel's token."""
    return sending.body, {"X-Goog-Channel-Token": sending.secret, "Content-Type": "application/json"}


def by_client_state(sending: Sending) -> tuple[bytes, Headers]:
    """Microsoft Graph says the client state in the body."""
    return json.dumps(json.loads(sending.body) | {"clientState": sending.secret}).encode(), {}


def by_token_in_body(sending: Sending) -> tuple[bytes, Headers]:
    """Aircall says the webhook's token in the body."""
    return json.dumps(json.loads(sending.body) | {"token": sending.secret}).encode(), {}


def by_password(sending: Sending) -> tuple[bytes, Headers]:
    """Pipedrive gives user and password."""
    return sending.body, {"Authorization": f"Basic {b64encode(sending.secret.encode()).decode()}"}


def by_ingest_key(sending: Sending) -> tuple[bytes, Headers]:
    """Salesforce signs nothing: it shows a key that we made."""
    return sending.body, {"Authorization": f"Bearer {sending.secret}", "Content-Type": "application/json"}


def by_twilio_signature(sending: Sending) -> tuple[bytes, Headers]:
    """Twilio signs the address followed by every field."""
    sent = quote(f"{sending.at:%a, %d %b %Y %H:%M:%S} +0000").encode()
    body = re.sub(rb"(?<=Timestamp=)[^&]*", sent, sending.body)
    fields = "".join(name + value for name, value in sorted(parse_qsl(body.decode(), keep_blank_values=True)))
    signature = b64encode(digest(sending.secret.encode(), (sending.url + fields).encode(), "sha1")).decode()
    return body, {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}


def by_hubspot_signature(sending: Sending) -> tuple[bytes, Headers]:
    """HubSpot signs method, address, body and the time: signature v3."""
    timestamp = str(int(sending.at.timestamp() * 1_000))
    signed = f"POST{sending.url}".encode() + sending.body + timestamp.encode()
    signature = b64encode(digest(sending.secret.encode(), signed, "sha256")).decode()
    return sending.body, {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": timestamp}


def by_standard_webhook(sending: Sending) -> tuple[bytes, Headers]:
    """CloudEvents of ours are signed as Standard Webhooks."""
    signature = Webhook(sending.secret.encode()).sign("msg-1", sending.at, sending.body.decode())
    named = {"webhook-id": "msg-1", "webhook-timestamp": str(int(sending.at.timestamp()))}
    return sending.body, named | {"webhook-signature": signature, "Content-Type": "application/cloudevents+json"}


BRIGHTWATER = {"email_domains": ["brightwater.example"]}


def known_as(source: str, external_id: str) -> dict[str, Any]:
    """An account that a system names by its own id of it."""
    return {"external_ids": [{"source": source, "external_id": external_id}]}


SYSTEMS = (
    System(
        "google-calendar",
        "google_calendar/event.json",
        by_channel_token,
        202,
        [("meeting", "accepted", True), ("meeting", "invited", False)],
        ["meeting-accepted"],
        BRIGHTWATER,
    ),
    System(
        "msgraph",
        "msgraph/event.json",
        by_client_state,
        202,
        [("meeting", "accepted", True), ("meeting", "invited", False), ("meeting", "tentative", False)],
        ["meeting-accepted"],
        BRIGHTWATER,
    ),
    System(
        "pipedrive",
        "pipedrive/v1_call_done.json",
        by_password,
        200,
        [("call", None, True)],
        [],
        known_as("pipedrive", "88"),
        secret="pipedrive:s3cret",
    ),
    System(
        "salesforce",
        "salesforce/task_call.json",
        by_ingest_key,
        202,
        [("call", "voicemail", True)],
        ["call-unreturned"],
        known_as("salesforce", "001ZM000003QwErYAK"),
        secret=None,
    ),
    System(
        "aircall",
        "aircall/ended.json",
        by_token_in_body,
        200,
        [("call", "connected", True)],
        [],
        {"email_domains": ["norrland.example"]},
    ),
    System(
        "twilio",
        "twilio/completed.txt",
        by_twilio_signature,
        204,
        [("call", "connected", True)],
        [],
        known_as("phone", sha256(b"+46855501234").hexdigest()),
    ),
)

HUBSPOT = System(
    "hubspot",
    "hubspot/objects.json",
    by_hubspot_signature,
    200,
    [
        ("call", "voicemail", True),
        ("email", "sent", False),
        ("meeting", "no-show", True),
        ("note", None, True),
        ("note", None, True),
    ],
    ["call-unreturned", "meeting-no-show"],
    known_as("hubspot", "901"),
)
"""Apart from the others: it signs each try anew, so that what comes again with the same signature is a replay."""
