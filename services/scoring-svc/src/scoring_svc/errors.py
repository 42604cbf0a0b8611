"""The domain errors of this service and the one table that gives each its HTTP status and stable code."""

from bellwether_kit.errors import DomainError


class UnknownAccount(DomainError):
    """Nothing is known of an account with this id."""


class UnknownAlert(DomainError):
    """No alert of the tenant has this id."""


class UnknownRule(DomainError):
    """There is no alert rule of this name."""


class AlertAlreadyResolved(DomainError):
    """A resolved alert can only be read and commented on."""


class SnoozeInThePast(DomainError):
    """A snooze must end later than now."""


class SnoozeTooLong(DomainError):
    """A snooze lasts 90 days at most."""


class ThresholdsOutOfOrder(DomainError):
    """A rule would clear on the same side of its fire threshold that it fires on."""


class WindowOutOfReach(DomainError):
    """A rule would look farther back than what is remembered of an account."""


class UnknownKind(DomainError):
    """A rule would watch an evidence kind that no scorecard knows."""


class MomentOutOfReach(DomainError):
    """A score can only be explained for a moment that has been."""


class SpanOutOfOrder(DomainError):
    """A span of time would end before it begins, or is longer than can be shown."""


class CursorOfAnotherList(DomainError):
    """A cursor continues a list with another order than the one asked for."""


class UnknownChannel(DomainError):
    """No channel of the tenant has this id."""


class UnknownSecret(DomainError):
    """The channel has no secret of this id."""


class ChannelNameTaken(DomainError):
    """Another channel of the tenant has this name."""


class UnfitChannel(DomainError):
    """A channel of this kind can't be made of what was given."""


class AddressRefused(DomainError):
    """The address leads nowhere, or into a network that is not reached from here."""


class TooManySecrets(DomainError):
    """A channel has two live secrets at most."""


class NoSecretKey(DomainError):
    """Secrets can't be kept: the installation has no key to seal them."""


class UnknownRoute(DomainError):
    """No notification route of the tenant has this id."""


class UnknownTimeZone(DomainError):
    """A route would go by a time zone that does not exist."""


class UnroutableChannel(DomainError):
    """A route or a rule would lead to a channel that there is not."""


class NoDigest(DomainError):
    """A route would send digests by a channel whose receiver takes single alerts only."""


class UnknownDelivery(DomainError):
    """No delivery of the tenant has this id."""


class DeliveryWaiting(DomainError):
    """A delivery that is still to be sent can't be sent again."""


class ChannelDisabled(DomainError):
    """Nothing is sent by a channel that is disabled or removed."""


class UnknownStorm(DomainError):
    """No storm of the tenant has this id."""


class StormClosed(DomainError):
    """What a storm held was released or discarded already."""


class TooManyStreams(DomainError):
    """The tenant holds as many live streams open as it may."""


class UnknownPlace(DomainError):
    """A stream can't go on after an event that it never told."""


class NoMailServer(DomainError):
    """E-mail can't be sent: the installation names no mail server."""


class ScoreOrBand(DomainError):
    """An override says a score or a band: one of the two."""


class OverrideWithoutReason(DomainError):
    """An override says why."""


class OverrideInThePast(DomainError):
    """An override must end later than now."""


class OverrideTooLong(DomainError):
    """An override lasts 90 days at most."""


class NoOverride(DomainError):
    """No override is in force for the account."""


class UnknownScorecard(DomainError):
    """No scorecard of the tenant has this id."""


class WeightsSumToZero(DomainError):
    """A scorecard whose measures weigh nothing gives no score."""


class HalfLifeOutOfRange(DomainError):
    """A half-life lasts 1 to 3,650 days."""


class BandsOutOfOrder(DomainError):
    """The bands of a scorecard would overlap."""


class CatalogueKind(DomainError):
    """A kind of the catalogue is no kind of the tenant's own."""


class UnfitSegment(DomainError):
    """The default scorecard is for everybody else; any other says whom it is for."""


class SegmentsOverlap(DomainError):
    """Another scorecard in force is for some of the same accounts."""


class NoDraft(DomainError):
    """Only drafts can be changed, removed and published."""


class DraftOutdated(DomainError):
    """A later version of the scorecard was published since this draft was begun."""


class NotInForce(DomainError):
    """Only a scorecard in force can be retired."""


class UnknownRun(DomainError):
    """No run of the tenant has this id."""


class RunEnded(DomainError):
    """A run that has ended can't be stopped."""


class OutcomeInTheFuture(DomainError):
    """An outcome is recorded when it has come about."""


class UnknownBacktest(DomainError):
    """No backtest of the tenant has this id."""


class BacktestsBusy(DomainError):
    """As many backtests as may be are at work, or a step of the one asked for is being done."""


class TooManyDates(DomainError):
    """A backtest looks at 24 dates at most."""


class HorizonOutOfRange(DomainError):
    """A horizon lasts 7 to 730 days."""


class HorizonNotOver(DomainError):
    """A date lies so late that nobody knows yet what came of it."""


class NoOutcomes(DomainError):
    """No account is on record as lost within the horizons."""


class FitOutOfReach(DomainError):
    """A fit needs one scorecard, and dates of which the last begins after an earlier one's horizon."""


ERRORS: dict[type[DomainError], tuple[int, str]] = {
    ScoreOrBand: (422, "score-or-band"),
    OverrideWithoutReason: (422, "override-without-reason"),
    OverrideInThePast: (422, "override-in-the-past"),
    OverrideTooLong: (422, "override-too-long"),
    NoOverride: (404, "no-override"),
    UnknownAccount: (404, "unknown-account"),
    UnknownAlert: (404, "unknown-alert"),
    UnknownRule: (404, "unknown-rule"),
    AlertAlreadyResolved: (409, "alert-already-resolved"),
    SnoozeInThePast: (422, "snooze-in-the-past"),
    SnoozeTooLong: (422, "snooze-too-long"),
    ThresholdsOutOfOrder: (422, "thresholds-out-of-order"),
    WindowOutOfReach: (422, "window-out-of-reach"),
    UnknownKind: (422, "unknown-kind"),
    MomentOutOfReach: (422, "moment-out-of-reach"),
    SpanOutOfOrder: (422, "span-out-of-order"),
    CursorOfAnotherList: (422, "cursor-of-another-list"),
    UnknownChannel: (404, "unknown-channel"),
    UnknownSecret: (404, "unknown-secret"),
    ChannelNameTaken: (409, "channel-name-taken"),
    UnfitChannel: (422, "unfit-channel"),
    AddressRefused: (422, "address-refused"),
    TooManySecrets: (409, "too-many-secrets"),
    NoSecretKey: (409, "no-secret-key"),
    NoMailServer: (409, "no-mail-server"),
    TooManyStreams: (429, "too-many-streams"),
    UnknownPlace: (422, "unknown-place"),
    UnknownStorm: (404, "unknown-storm"),
    StormClosed: (409, "storm-closed"),
    UnknownRoute: (404, "unknown-route"),
    UnknownTimeZone: (422, "unknown-time-zone"),
    UnroutableChannel: (422, "unroutable-channel"),
    NoDigest: (422, "no-digest"),
    UnknownDelivery: (404, "unknown-delivery"),
    DeliveryWaiting: (409, "delivery-waiting"),
    ChannelDisabled: (409, "channel-disabled"),
    UnknownScorecard: (404, "unknown-scorecard"),
    WeightsSumToZero: (422, "weights-sum-to-zero"),
    HalfLifeOutOfRange: (422, "half-life-out-of-range"),
    BandsOutOfOrder: (422, "bands-out-of-order"),
    CatalogueKind: (422, "catalogue-kind"),
    UnfitSegment: (422, "unfit-segment"),
    SegmentsOverlap: (409, "segments-overlap"),
    NoDraft: (409, "no-draft"),
    DraftOutdated: (409, "draft-outdated"),
    NotInForce: (409, "not-in-force"),
    UnknownRun: (404, "unknown-run"),
    RunEnded: (409, "run-ended"),
    OutcomeInTheFuture: (422, "outcome-in-the-future"),
    UnknownBacktest: (404, "unknown-backtest"),
    BacktestsBusy: (409, "backtests-busy"),
    TooManyDates: (422, "too-many-dates"),
    HorizonOutOfRange: (422, "horizon-out-of-range"),
    HorizonNotOver: (422, "horizon-not-over"),
    NoOutcomes: (422, "no-outcomes"),
    FitOutOfReach: (422, "fit-out-of-reach"),
}
