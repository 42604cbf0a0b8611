"""The CloudEvents envelope of every record value, as a schema. `data` has each type's own schema."""

from bellwether.contracts.schemas import DIALECT, Schema, normalised, schema_id

NAME = "cloudevent"

TENANT = r"[a-z0-9][a-z0-9-]{0,62}"


def _text(description: str, **rules: object) -> Schema:
    return {"type": "string", "description": description, **rules}


def envelope_schema() -> Schema:
    """Return the schema of the structured JSON form (`content-type: application/cloudevents+json`)."""
    required = {
        "specversion": _text("the CloudEvents version", const="1.0"),
        "id": _text("UUIDv7; the identity for de-duplication", format="uuid"),
        "source": _text("the service that says it", pattern="^/[a-z]+-svc$"),
        "type": _text("the event type", pattern=r"^[a-z]+(\.[a-z-]+)+\.v[1-9][0-9]*$"),
        "subject": _text("the account id", minLength=1),
        "time": _text("business time, UTC", format="date-time"),
        "datacontenttype": _text("how `data` is written", const="application/json"),
        "dataschema": _text("the `$id` of the schema of `data`", pattern=r"^/schemas/.+\.json$"),
        "tenantid": _text("the tenant", pattern=f"^{TENANT}$"),
        "partitionkey": _text("the record key: order holds per key", pattern=f"^{TENANT}/.+$"),
        "sequence": {"type": "integer", "minimum": 1, "description": "per key, dense, from 1"},
        "data": {"type": "object", "description": "the payload, by the schema of its type"},
    }
    optional = {
        "correlationid": _text("the request or event at the start of the chain"),
        "causationid": _text("the request or event just before this one"),
        "traceparent": _text("W3C trace context", pattern="^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"),
    }
    return normalised(
        {
            "$schema": DIALECT,
            "$id": schema_id(NAME),
            "title": NAME,
            "description": "A CloudEvents 1.0 envelope, structured JSON. Readers ignore unknown attributes.",
            "type": "object",
            "properties": required | optional,
            "required": list(required),
        }
    )
