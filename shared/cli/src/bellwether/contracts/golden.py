"""The committed files that are made from code: written by `make contracts`, compared by everything else."""

from dataclasses import dataclass
from pathlib import Path

from bellwether.contracts.asyncapi import asyncapi_text
from bellwether.contracts.catalogue import CONTRACTS, topics
from bellwether.contracts.envelope import NAME as ENVELOPE
from bellwether.contracts.envelope import envelope_schema
from bellwether.contracts.published import Payloads, all_published
from bellwether.contracts.schemas import Schema, schema_of, text_of

MEND = "run `make contracts`, read the diff, and commit it"


@dataclass(frozen=True, slots=True)
class Drift:
    """A golden file that does not say what the code says."""

    path: Path
    reason: str

    def __str__(self) -> str:
        """Say what to do about it."""
        return f"{self.path.as_posix()} {self.reason}: {MEND}"


def schemas_of(payloads: Payloads) -> dict[str, Schema]:
    """Return the schema of every payload by event type."""
    return {event_type: schema_of(model, event_type) for event_type, model in payloads.items()}


def golden_files(root: Path, payloads: Payloads | None = None) -> dict[Path, str]:
    """Return the text that each golden file must hold, by its path under the root."""
    schemas = schemas_of(all_published(root) if payloads is None else payloads)
    summaries = {event_type: schema["description"].split("\n")[0] for event_type, schema in schemas.items()}
    files = {CONTRACTS / "schemas" / f"{name}.json": text_of(schema) for name, schema in schemas.items()}
    files[CONTRACTS / "schemas" / f"{ENVELOPE}.json"] = text_of(envelope_schema())
    files[CONTRACTS / "asyncapi.yaml"] = asyncapi_text(topics(root), summaries)
    return files


def write(root: Path) -> list[Path]:
    """Write the golden files, remove schemas of types that are gone, and return the paths that changed."""
    wanted = golden_files(root)
    changed = [drift.path for drift in drifts(root, wanted)]
    for path in changed:
        if path in wanted:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(wanted[path], encoding="utf-8")
        else:
            (root / path).unlink()
    return changed


def drifts(root: Path, wanted: dict[Path, str] | None = None) -> list[Drift]:
    """Return every golden file that is missing, changed or left over, in order of path."""
    wanted = golden_files(root) if wanted is None else wanted
    found = {path.relative_to(root) for path in (root / CONTRACTS / "schemas").glob("*.json")}
    result = [Drift(path, "is left over from a type that nobody publishes") for path in found - wanted.keys()]
    for path, text in wanted.items():
        if not (root / path).exists():
            result.append(Drift(path, "is missing"))
        elif (root / path).read_text(encoding="utf-8") != text:
            result.append(Drift(path, "differs from the code"))
    return sorted(result, key=lambda drift: drift.path)
