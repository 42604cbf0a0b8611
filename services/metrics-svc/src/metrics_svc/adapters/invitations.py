"""What a calendar says of a meeting: one activity for each client company invited, all of one thread.

The warmest answer of a company's people counts and names who gave it, so that a colleague who can't come does not turn
an accepted meeting into a declined one. No adapter by itself: Google Calendar and Microsoft Graph read with it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from metrics_svc.activities.rules import Reference
from metrics_svc.adapters.records import Untold, companies, domain_of, is_ours, person, silent
from metrics_svc.inbound.rules import Options
from metrics_svc.intake.rules import Told

MOST = 50
"""People kept of one company."""

_WARMTH = {"accepted": 3, "tentative": 2, "declined": 1, "invited": 0}


@dataclass(frozen=True, slots=True)
class Answer:
    """What one invited person said, and when; ``at`` is None in a calendar that does not say."""

    address: str
    outcome: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """A meeting as a calendar has it. ``uid`` is the same in every guest's calendar, and another for each occurrence.

    ``asks`` tells whether the guests are asked to answer.
    """

    uid: str
    starts_at: datetime
    created_at: datetime | None
    updated_at: datetime
    organizer: str
    answers: Sequence[Answer]
    cancelled: bool = False
    asks: bool = True
    subject: str | None = None


def warmest(outcomes: Iterable[str]) -> str | None:
    """The answer that counts for several people; None when there is none."""
    return max(outcomes, key=lambda outcome: _WARMTH.get(outcome, 0), default=None)


def told_of(invitation: Invitation, options: Options) -> Iterator[Told]:
    """An activity for each client company; its ``occurred_at`` is when the answer was given, at the latest the start.

    A client's own invitation is accepted by whoever sent it. A calendar keeps no earlier start: a meeting that moved
    has its new one, and the answers given since. Raises Untold for a meeting without us, or without a client company.
    """
    organizer, own = invitation.organizer, options.own_domains
    addresses = [organizer, *(answer.address for answer in invitation.answers)]
    ours = [address.strip().lower() for address in addresses if is_ours(address, own)]
    if not ours:
        raise Untold("without-us", "Nobody at the meeting has one of the connection's own e-mail domains.")
    clients = companies(addresses, own)
    if not clients:
        raise Untold("without-client", "Nobody at the meeting is of a client company.")
    for domain in clients:
        answer, people = _answer(invitation, domain)
        told = Told(
            source=options.source,
            external_id=f"{invitation.uid}/{domain}",
            type="meeting",
            outcome=answer.outcome,
            occurred_at=min(answer.at or invitation.updated_at, invitation.starts_at),
            starts_at=invitation.starts_at,
            updated_at=invitation.updated_at,
            account=Reference(kind="domain", value=domain),
            contacts=tuple(person(address) for address in people[:MOST]),
            owner=ours[0],
            thread=invitation.uid,
            subject=invitation.subject,
        )
        yield silent(told) if answer.outcome == "invited" and not invitation.asks else told


def _answer(invitation: Invitation, domain: str) -> tuple[Answer, list[str]]:
    """What a company says as a whole, and which of its people say so."""
    organizer = invitation.organizer.strip().lower()
    theirs = domain_of(organizer) == domain
    given = [answer for answer in invitation.answers if domain_of(answer.address) == domain]
    people = [answer.address.strip().lower() for answer in given]
    if invitation.cancelled:
        outcome = "cancelled-by-client" if theirs else "cancelled-by-us"
        return Answer(organizer, outcome, invitation.updated_at), [organizer] if theirs else people
    if theirs:
        return Answer(organizer, "accepted", invitation.created_at), [organizer]
    outcome = warmest(answer.outcome for answer in given) or "invited"
    said = [answer for answer in given if answer.outcome == outcome]
    times = [answer.at for answer in said if answer.at]
    at = invitation.created_at if outcome == "invited" else max(times, default=None)
    return Answer(said[0].address, outcome, at), [answer.address.strip().lower() for answer in said]
