"""What is left of names without their trappings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrics_svc.references.rules import akin, name_key, resemblance, stem


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("The Acmé Industries GmbH & Co. KG", "acme industries"),
        ("ACME-Industries, Inc.", "acme industries"),
        ("Group", "group"),
        ("  ", ""),
    ],
)
def test_a_name_loses_accents_punctuation_and_legal_form(name: str, key: str) -> None:
    assert key == name_key(name)


@pytest.mark.parametrize(
    ("domain", "label"),
    [
        ("acme.example", "acme"),
        ("mail.acme.co.uk", "acme"),
        ("acme.de", "acme"),
        ("acme.co", "acme"),
        ("acme", "acme"),
        ("acme.example.", "acme"),
    ],
)
def test_sisters_and_sub_domains_have_one_stem(domain: str, label: str) -> None:
    assert label == stem(domain)


def test_a_domain_is_akin_to_those_within_it_and_around_it_only() -> None:
    assert akin("mail.acme.example", "acme.example")
    assert akin("acme.example", "mail.acme.example")
    assert not akin("notacme.example", "acme.example")


def test_a_label_resembles_the_whole_name_its_first_word_or_its_initials() -> None:
    assert resemblance("acmeindustries", "acme industries") == 1
    assert resemblance("acme", "acme industries") == 1
    assert resemblance("ibm", "international business machines") == 1
    assert resemblance("zenith", "acme industries") < 0.5


@given(st.text(max_size=40))
def test_a_key_is_its_own_key_and_resembles_itself(name: str) -> None:
    key = name_key(name)
    assert key == name_key(key) or not key.isascii()
    assert 0 <= resemblance(name, key) <= 1
