"""Request and response models and the value types every service speaks in; no service's own words."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_INT64 = 2**63


def _make_strict(node: Any) -> None:
    """Walk a core schema and make its scalars strict, in place.

    Pydantic's own strict mode would refuse identifiers and dates too, which JSON can only write as texts.
    """
    if isinstance(node, dict):
        _make_scalar_strict(node)
        if "bellwether_kit" in node.get("metadata", {}):
            return
        node = list(node.values())
    if isinstance(node, list | tuple):
        for part in node:
            _make_strict(part)


def _make_scalar_strict(node: dict[str, Any]) -> None:
    match node.get("type"):
        case "int":
            bounds = {} if node.keys() & {"le", "lt"} else {"le": _INT64 - 1}
            bounds |= {} if node.keys() & {"ge", "gt"} else {"ge": -_INT64}
            node.update(strict=True, **bounds)
        case "float" | "bool":
            node["strict"] = True
        case "date" | "datetime":
            plain = cast("CoreSchema", dict(node))
            node.clear()
            node.update(core_schema.no_info_before_validator_function(_refuse_numbers, plain))
            node["metadata"] = {"bellwether_kit": "refuses numbers"}


_DATE = re.compile(r"\d{4}-\d\d-\d\d([Tt ].*)?", re.DOTALL)


def _refuse_numbers(value: object) -> object:
    if isinstance(value, date) or (isinstance(value, str) and _DATE.fullmatch(value)):
        return value
    raise ValueError("write dates and times as RFC 3339 has them: 2026-11-20 or 2026-11-20T10:15:00Z")


class ResponseModel(BaseModel):
    """What we answer with. ``from_attributes``: a table row or dataclass is enough to make one."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class QueryModel(BaseModel):
    """Filters of a list as ``Annotated[Filters, Query()]``; texts become numbers here, unlike in bodies.

    Unknown parameters are refused by the route, which alone knows those of other dependencies.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class RequestModel(BaseModel):
    """A request body: unknown fields, NaN, and values of another type are refused with a pointer.

    A text is never taken for a number or a truth value, nor a number for a date. Whole numbers fit 64 bits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _make_strict(schema)
        return schema


def _to_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a time needs its zone, like 2026-11-20T10:15:00Z or 2026-11-20T11:15:00+01:00")
    if not 1900 <= value.year <= 2200:
        raise ValueError("a time lies between the years 1900 and 2200")
    return value.astimezone(UTC)


UtcDatetime = Annotated[datetime, BeforeValidator(_refuse_numbers), AfterValidator(_to_utc)]
"""An instant: a zone is required, UTC is what comes out; between the years 1900 and 2200."""


_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,4})?")
_CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
    CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
    HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
    MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG
    QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD
    TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 (160 quoted words would be a page)
)


def _exact(value: object) -> object:
    if isinstance(value, Decimal) or (isinstance(value, str) and _AMOUNT.fullmatch(value)):
        return value
    raise ValueError('an amount is a decimal text like "1200.00", with at most four decimals')


def _known_currency(value: str) -> str:
    if value not in _CURRENCIES:
        raise ValueError("a currency is a code of ISO 4217, like EUR")
    return value


Currency = Annotated[str, AfterValidator(_known_currency), Field(examples=["EUR"])]
"""An ISO 4217 code in use."""


class Money(RequestModel):
    """An amount in a currency: ``{"amount": "1200.00", "currency": "EUR"}``; the amount is exact."""

    amount: Annotated[Decimal, BeforeValidator(_exact, json_schema_input_type=str), Field(examples=["1200.00"])]
    currency: Currency


def changes(patch: BaseModel) -> dict[str, Any]:
    """Give the fields a JSON merge patch (RFC 7396) names; None means: remove.

    The patch model gives every field a default; a field that may not be removed refuses null by its type.
    """
    return {name: getattr(patch, name) for name in patch.model_fields_set}
