"""The catalogue of plays."""

from datetime import date

from plan_svc.templates.rules import TEMPLATES, due_on, template_of


def test_codes_are_unique_and_found() -> None:
    assert [template_of(template.code) for template in TEMPLATES] == list(TEMPLATES)
    assert len({template.code for template in TEMPLATES}) == len(TEMPLATES)


def test_a_code_that_nobody_knows_has_no_template() -> None:
    assert (template_of("no-such-play"), template_of(None)) == (None, None)


def test_every_play_has_steps_in_order_of_their_days() -> None:
    for template in TEMPLATES:
        days = [step.days for step in template.steps]
        assert days
        assert days == sorted(days)
        assert all(step.why and step.success_measure for step in template.steps)


def test_a_step_is_due_days_after_the_play_opened() -> None:
    step = TEMPLATES[0].steps[0]
    assert date(2026, 3, 4) == due_on(step, date(2026, 3, 2))
