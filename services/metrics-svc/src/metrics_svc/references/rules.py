"""When two names may be one company's: what is left of a name or a domain without its trappings. Pure."""

import re
import unicodedata
from difflib import SequenceMatcher

_TRAPPINGS = """
    ab ag as bv co company corp corporation group gmbh holding inc incorporated kg kgaa limited llc llp ltd mbh nv oy
    plc pty sa sarl sas se sl spa srl the und and
"""
_UNDER_COUNTRIES = frozenset(["ac", "co", "com", "edu", "gov", "net", "org"])


def name_key(name: str) -> str:
    """A company's name in lower case, without accents, punctuation and legal form.

    >>> name_key("The Acmé Industries GmbH & Co. KG")
    'acme industries'
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    words = re.findall(r"[^\W_]+", plain)
    return " ".join([word for word in words if word not in _TRAPPINGS.split()] or words)


def stem(domain: str) -> str:
    """The label that a domain shares with its sub-domains and its sisters in other countries.

    >>> stem("mail.acme.co.uk"), stem("acme.example")
    ('acme', 'acme')
    """
    labels = domain.strip(".").split(".")
    if len(labels) > 2 and labels[-2] in _UNDER_COUNTRIES:
        labels.pop()
    return labels[-2] if len(labels) > 1 else labels[0]


def akin(one: str, other: str) -> bool:
    """Whether one domain lies within the other."""
    return one == other or one.endswith("." + other) or other.endswith("." + one)


def resemblance(label: str, key: str) -> float:
    """How much a label resembles a company's :func:`name_key`, 0 to 1, by Ratcliff and Obershelp's measure.

    The whole name counts, its first word, or its initials, whichever is most alike.
    """
    plain = re.sub(r"[\W_]+", "", label.casefold())
    words = key.split()
    tries = {"".join(words), words[0], "".join(word[0] for word in words)} if words else set()
    return max((SequenceMatcher(None, plain, other).ratio() for other in tries if len(other) > 1), default=0.0)
