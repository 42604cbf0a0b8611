"""The plays that Bellwether knows, as data: a code that alerts suggest, and steps.

A new play is one entry of `TEMPLATES`. Nothing here says when a play opens; that is `plays/rules.py`.
"""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class TemplateStep:
    """One step: what, why, due how many days after the play opened, and by what one sees that it worked."""

    title: str
    why: str
    days: int
    success_measure: str


@dataclass(frozen=True, slots=True)
class Template:
    """A prepared play. ``code`` is what an alert's ``suggested_play`` names."""

    code: str
    title: str
    purpose: str
    steps: tuple[TemplateStep, ...]


TEMPLATES: tuple[Template, ...] = (
    Template(
        "recover-relationship",
        "Recover the relationship",
        "The client has turned away: find out why, put it right, and be seen together again.",
        (
            TemplateStep(
                "Call the person who turned away",
                "A call unanswered twice is a message. Ask a second contact if the first stays silent.",
                2,
                "We spoke with somebody at the client",
            ),
            TemplateStep(
                "Review the evidence with the account team",
                "Agree on one cause before anybody proposes a cure.",
                3,
                "The cause is written down, with what speaks for it",
            ),
            TemplateStep(
                "Meet the client face to face",
                "Trust comes back in person, not by e-mail.",
                10,
                "A meeting was held, with the client's own words on what went wrong",
            ),
            TemplateStep(
                "Keep the first promise",
                "One small thing delivered on time says more than a plan.",
                21,
                "The client confirmed that it was delivered",
            ),
        ),
    ),
    Template(
        "restart-contact",
        "Restart the contact",
        "Nobody has heard from the client for too long: open a new way in.",
        (
            TemplateStep(
                "Find who is still there",
                "Silence is often a change of hands.",
                2,
                "The list of contacts is checked, with who has left",
            ),
            TemplateStep(
                "Bring something of use to them",
                "A reason to talk that is theirs, not ours.",
                5,
                "The client answered",
            ),
            TemplateStep("Agree on a rhythm", "Contact that is agreed on lasts.", 14, "The next two dates are set"),
        ),
    ),
    Template(
        "secure-renewal",
        "Secure the renewal",
        "The contract ends soon and the account is not well: decide the renewal before it decides itself.",
        (
            TemplateStep(
                "Ask the economic buyer what decides it",
                "Only they know what the renewal is weighed against.",
                5,
                "Their criteria are written down",
            ),
            TemplateStep(
                "Show the value delivered",
                "What was agreed, what was delivered, what it was worth, in their figures.",
                14,
                "The client agreed to the figures",
            ),
            TemplateStep(
                "Put the proposal on the table",
                "Early enough to change it.",
                30,
                "The client has answered it",
            ),
        ),
    ),
    Template(
        "unblock-plan",
        "Unblock the plan",
        "Actions of the account plan are late: find the one that holds up the rest.",
        (
            TemplateStep(
                "Walk through the late actions",
                "Late is a symptom: too much, unclear or not wanted?",
                2,
                "Each late action has a new date or is gone",
            ),
            TemplateStep(
                "Take what blocks to who can lift it",
                "Escalate once, with a proposal.",
                5,
                "The block is lifted or accepted in writing",
            ),
        ),
    ),
    Template(
        "grow-account",
        "Grow the account",
        "The client is well and there is room: ask where we could be of more use.",
        (
            TemplateStep(
                "Choose one gap",
                "The buying centre and offering with the best reason, not all of them.",
                7,
                "One gap is chosen, with what it would be worth",
            ),
            TemplateStep(
                "Ask the champion for an introduction",
                "A door opened from inside stays open.",
                14,
                "The introduction was made",
            ),
            TemplateStep("Propose a first small step", "Easy to say yes to.", 30, "The client decided on it"),
        ),
    ),
)

_BY_CODE = {template.code: template for template in TEMPLATES}


def template_of(code: str | None) -> Template | None:
    """The template of a code, or None where the code is not known."""
    return None if code is None else _BY_CODE.get(code)


def due_on(step: TemplateStep, opened_on: date) -> date:
    """The day a step is due in a play that opened on a given day."""
    return opened_on + timedelta(days=step.days)
