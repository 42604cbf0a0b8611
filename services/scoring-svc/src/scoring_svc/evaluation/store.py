"""Settling a batch: read what the accounts' judgement needs, judge them in memory, write rows and events set-based."""

from collections.abc import Collection, Mapping, Sequence

from bellwether_kit.db import UnitOfWork
from bellwether_kit.events import Event
from bellwether_kit.ids import uuid7
from scoring_svc.alert_rules import store as alert_rules_store
from scoring_svc.alert_rules.rules import tracked_kinds
from scoring_svc.alerts import store as alerts_store
from scoring_svc.alerts.rules import Decision, resolve, summary, touched
from scoring_svc.alerts.store import Change, Circumstances, Held
from scoring_svc.caps.rules import CAP_KINDS
from scoring_svc.evaluation.rules import Books, judge
from scoring_svc.explanation.rules import drivers
from scoring_svc.health import store as health_store
from scoring_svc.health.rules import Account, Key
from scoring_svc.health.store import instant
from scoring_svc.ledger import store as ledger_store
from scoring_svc.ledger.rules import Memory
from scoring_svc.overrides import store as overrides_store
from scoring_svc.published import Capped, Dimensions, Driver, HealthChanged, Measures, Overridden, ValueAtStake
from scoring_svc.scorecards import store as scorecards_store
from scoring_svc.scorecards.rules import Scorecard


async def books(uow: UnitOfWork, tenants: Collection[str]) -> dict[str, Books]:
    """What each tenant goes by at present."""
    cards = await scorecards_store.in_force(uow.session, tenants)
    rules = await alert_rules_store.in_force(uow.session, tenants)
    return {tenant: Books(cards[tenant], rules[tenant], tracked_kinds(rules[tenant]) | CAP_KINDS) for tenant in tenants}


async def settle(uow: UnitOfWork, accounts: Collection[Account], by_tenant: Mapping[str, Books]) -> None:
    """Evaluate locked accounts: health, history, alerts and their events. Removed accounts are passed over.

    Balances that another scorecard made are summed anew: whatever was added to them in this transaction is in the
    ledger too.
    """
    present = [account for account in accounts if not account.removed]
    if not present:
        return
    now = uow.now.timestamp()
    await _let_expire(uow, [a for a in present if a.override is not None and a.override.expires_at <= uow.now])
    await restore(uow, [a for a in present if a.recount or not by_tenant[a.tenant].made(a)], by_tenant)
    await _count_pending(uow, [a for a in present if a.pending is not None and a.pending <= now], by_tenant)
    await refresh(uow, [account for account in present if account.stale], by_tenant)
    await _tally(uow, [account for account in present if account.balances.tally is None])
    alerts = await alerts_store.current(uow.session, [account.key for account in present])
    changed, changes = [], []
    for account in present:
        book, held = by_tenant[account.tenant].of(account), alerts.get(account.key, {})
        verdict = judge(account, book, {kind: each.alert for kind, each in held.items()}, now, uuid7)
        decisions = [*verdict.decisions, *_retold(account, held, verdict.decisions)]
        if not verdict.visible and not decisions:
            continue
        found = _drivers(account, book.card, now)
        changes += [_change(account, decision, held.get(decision.alert.kind), found) for decision in decisions]
        if verdict.visible:
            changed.append(account)
            _announce(uow, account, found)
    await health_store.save(uow.session, present, uow.now)
    if changed:
        await health_store.remember(uow.session, changed, uow.now)
    if changes:
        await alerts_store.save(uow, changes)


async def _let_expire(uow: UnitOfWork, accounts: Sequence[Account]) -> None:
    """End overrides whose time has passed."""
    ended = [(account.tenant, account.override) for account in accounts if account.override is not None]
    if ended:
        await overrides_store.end(uow.session, ended, uow.now, "expiry")
        for account in accounts:
            account.override = None


async def refresh(uow: UnitOfWork, accounts: Sequence[Account], by_tenant: Mapping[str, Books]) -> None:
    """Read the accounts' memory of recent evidence from the ledger anew."""
    if not accounts:
        return
    by_key = {account.key: account for account in accounts}
    for account in accounts:
        account.memory = Memory()
    for key, piece in await ledger_store.recall(uow.session, list(by_key)):
        book = by_tenant[key[0]].of(by_key[key])
        by_key[key].memory.remember(piece, book.card.half_lives, book.tracked)


async def _tally(uow: UnitOfWork, accounts: Sequence[Account]) -> None:
    """Count the days of accounts that were last evaluated when nobody counted them."""
    if accounts:
        counted = await ledger_store.tally(uow.session, [account.key for account in accounts], uow.now)
        for account in accounts:
            account.balances.tally = counted[account.key]


async def restore(uow: UnitOfWork, accounts: Collection[Account], by_tenant: Mapping[str, Books]) -> None:
    """Weigh and sum locked accounts' evidence anew from the ledger and have `settle` read all else from there."""
    if not accounts:
        return
    cards = {account.key: by_tenant[account.tenant].of(account).card for account in accounts}
    await ledger_store.weigh(uow.session, cards)
    half_lives = {key: card.half_lives for key, card in cards.items()}
    summed = await ledger_store.balances(uow.session, half_lives, uow.now)
    following = await ledger_store.next_pending(uow.session, list(half_lives))
    for account in accounts:
        account.balances = summed[account.key]
        account.balances.tally = None
        account.pending = following.get(account.key)
        account.stale = True
        if not by_tenant[account.tenant].made(account):
            account.recarded = True
            account.days = []  # scores by another scorecard are no yardstick for these


async def _count_pending(uow: UnitOfWork, accounts: Sequence[Account], by_tenant: Mapping[str, Books]) -> None:
    """Add evidence whose time has come."""
    if not accounts:
        return
    by_key: dict[Key, Account] = {account.key: account for account in accounts}
    for key, piece in await ledger_store.count_pending(uow.session, list(by_key), uow.now):
        account = by_key[key]
        book = by_tenant[key[0]].of(account)
        account.balances.add(piece, book.card.half_lives)
        account.memory.remember(piece, book.card.half_lives, book.tracked)
    following = await ledger_store.next_pending(uow.session, list(by_key))
    for key, account in by_key.items():
        account.pending = following.get(key)


async def let_go(uow: UnitOfWork, removed: Sequence[Account]) -> None:
    """Resolve the alerts of accounts that are no longer ours, and have the compacted topic forget them."""
    if not removed:
        return
    keys = [account.key for account in removed]
    changes = []
    alerts = await alerts_store.current(uow.session, keys)
    for held in (held for kinds in alerts.values() for held in kinds.values()):
        if held.alert.status != "resolved":
            gone = resolve(held.alert, "rules", "the account was removed", uow.now.timestamp())
            changes.append(Change(Held(held.tenant, held.account_id, gone, held.circumstances), "resolved"))
    if changes:
        await alerts_store.save(uow, changes)
    await health_store.blank(uow.session, keys)
    for tenant, account_id in keys:
        key = f"{tenant}/{account_id}"
        uow.emit(Event.tombstone_of(HealthChanged.topic, tenant=tenant, key=key, time=uow.now))


def _drivers(account: Account, card: Scorecard, now: float) -> list[Driver]:
    sums = account.balances.at(now, card.half_lives)
    return [
        Driver(evidence_id=d.evidence_id, kind=d.kind, observed_at=instant(d.observed), points=d.points)
        for d in drivers(card, account.measures, sums, account.balances.counts, account.memory, now)
    ]


def _retold(account: Account, alerts: Mapping[str, Held], decisions: Sequence[Decision]) -> list[Decision]:
    """Alerts whose account has got another name, owner, tier or value since must say so."""
    decided = {decision.alert.kind for decision in decisions}
    now_said = account.name, account.owner_id, account.tier, _value(account), account.renewal_at
    retold = []
    for kind, held in alerts.items():
        known = held.circumstances
        said = known.account_name, known.owner_id, known.tier, known.value_at_stake, known.renewal_at
        if kind not in decided and held.alert.status != "resolved" and said != now_said:
            retold.append(Decision(touched(held.alert), "updated"))
    return retold


def _value(account: Account) -> ValueAtStake | None:
    if account.value_currency is None or account.value_amount is None:
        return None
    return ValueAtStake(amount=account.value_amount, currency=account.value_currency)


def _change(account: Account, decision: Decision, held: Held | None, found: list[Driver]) -> Change:
    """The decision as it is saved, with the circumstances of this moment."""
    circumstances = Circumstances(
        account_name=account.name,
        owner_id=account.owner_id,
        tier=account.tier,
        value_at_stake=_value(account),
        renewal_at=account.renewal_at,
        score=account.score,
        confidence=account.confidence,
        scorecard_version=account.scorecard_version,
        summary=summary(account.name or "An account", decision.alert, account.score, account.said_score),
        drivers=found,
    )
    replaces = held.alert.id if held is not None and held.alert.id != decision.alert.id else None
    detail = {"joined": list(decision.joined), "left": list(decision.left)}
    return Change(
        Held(account.tenant, account.account_id, decision.alert, circumstances),
        decision.change,
        detail=detail,
        replaces=replaces,
    )


def _announce(uow: UnitOfWork, account: Account, found: list[Driver]) -> None:
    """Say how the account is; what was said before becomes the event's past."""
    before = account.said_score, account.said_band
    account.sequence += 1
    account.said_score, account.said_band = account.score, account.band
    account.said_confidence = account.confidence
    account.said_caps = [cap.cap for cap in account.caps]
    override = account.override
    account.said_override = None if override is None else override.id
    heart, mind, wallet, engagement, coverage, responsiveness, satisfaction, plan = account.measures
    said = HealthChanged(
        account_id=account.account_id,
        score=account.score,
        previous_score=before[0],
        band=account.band or "unknown",
        previous_band=before[1],
        dimensions=Dimensions(heart=heart, mind=mind, wallet=wallet),
        measures=Measures(
            heart=heart,
            mind=mind,
            wallet=wallet,
            engagement=engagement,
            coverage=coverage,
            responsiveness=responsiveness,
            satisfaction=satisfaction,
            plan=plan,
        ),
        confidence=account.confidence,
        scorecard=account.scorecard,
        scorecard_version=account.scorecard_version,
        evaluated_at=uow.now,
        sequence=account.sequence,
        drivers=found,
        uncapped_score=account.uncapped,
        caps=[Capped(cap=cap.cap, limit=cap.limit, reason=cap.reason) for cap in account.caps],
        override=None
        if override is None
        else Overridden(score=override.score, band=override.band, expires_at=override.expires_at),
    )
    event = Event.of(said, tenant=account.tenant, subject=account.account_id, time=uow.now, sequence=account.sequence)
    uow.emit(event)
