"""Who may do what on a broker, as `shared/contracts/topics` says it: rules made when missing, others reported.

A service logs in under its short name (`scoring`), which is its consumer group too. What no rule allows, a broker with
an authorizer denies.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest, DescribeAclsRequest

from bellwether.contracts.catalogue import Topic, topics
from bellwether.errors import EngineFailed
from bellwether.home import repository_root
from bellwether.topics import VISIBLE_SECONDS, Applied, no_answer

# Kafka's own numbers (org.apache.kafka.common.acl and .resource).
ANY, LITERAL, ALLOW = 1, 3, 3
RESOURCES = {"topic": 2, "group": 3}
OPERATIONS = {"read": 3, "write": 4}
RESOURCE_NAMES = {2: "topic", 3: "group", 4: "cluster", 5: "transactional id", 6: "delegation token", 7: "user"}
OPERATION_NAMES = {
    2: "do all",
    3: "read",
    4: "write",
    5: "create",
    6: "delete",
    7: "alter",
    8: "describe",
    9: "act on the cluster",
    10: "describe configs",
    11: "alter configs",
    12: "write idempotently",
}


@dataclass(frozen=True, order=True)
class Acl:
    """A user may do something with a topic or a group. Reading and writing let it describe the same thing too."""

    user: str
    operation: str  # read or write
    resource: str  # topic or group
    name: str

    def __str__(self) -> str:
        return f"{self.user} may {self.operation} {self.resource} {self.name}"


def wanted_acls(files: Iterable[Topic]) -> list[Acl]:
    """The least that lets every worker work, sorted.

    A producer writes its topic. A consumer reads it with its own group, and writes to its dead letters. Idempotent
    producers need nothing more: a broker lets everybody be one who may write to some topic (since 2.8, KIP-679).
    """
    found = set()
    for topic in files:
        found.add(Acl(_user(topic.producer), "write", "topic", topic.name))
        for reader in (_user(consumer.service) for consumer in topic.consumers):
            found.add(Acl(reader, "read", "topic", topic.name))
            found.add(Acl(reader, "write", "topic", f"{topic.name}-dlq"))
            found.add(Acl(reader, "read", "group", reader))
    return sorted(found)


def _user(service: str) -> str:
    return service.removesuffix("-svc")


async def apply_acls(options: Mapping[str, Any], wanted: list[Acl] | None = None, *, withdraw: bool = False) -> Applied:
    """Make the rules that are missing (default: those of the repository's topics). Raises EngineFailed.

    What else the same users may do is reported, each as a sentence; with `withdraw` it is taken from them instead.
    `options` say how a client of aiokafka reaches the broker.
    """
    wanted = wanted_acls(topics(repository_root())) if wanted is None else wanted
    client = AIOKafkaClient(**options, client_id="bellwether-acls")
    try:
        await client.bootstrap()
        there = await _present(client)
        missing = [acl for acl in wanted if _binding(acl) not in there]
        if missing:
            await _create(client, missing)
        users = {f"User:{acl.user}" for acl in wanted}
        strays = sorted(each for each in there - {_binding(acl) for acl in wanted} if each[3] in users)
        withdrawn = strays if withdraw else []
        for each in withdrawn:
            await _delete(client, each)
        await _until_known(client, {_binding(acl) for acl in missing}, set(withdrawn))
    except (KafkaError, TimeoutError) as error:
        raise no_answer(options, error) from error
    finally:
        await client.close()
    present = [str(acl) for acl in wanted if acl not in missing]
    differing = () if withdraw else tuple(f"{_said(each)}, which no topic file says" for each in strays)
    return Applied(tuple(str(acl) for acl in missing), tuple(present), differing)


Binding = tuple[int, str, int, str, str, int, int]
"""As the broker has it: resource, name, pattern, principal, host, operation, allow or deny."""


def _binding(acl: Acl) -> Binding:
    return (
        RESOURCES[acl.resource],
        acl.name,
        LITERAL,
        f"User:{acl.user}",
        "*",
        OPERATIONS[acl.operation],
        ALLOW,
    )


def _said(binding: Binding) -> str:
    resource, name, _, principal, _, operation, permission = binding
    may = "may" if permission == ALLOW else "may not"
    what = f"{OPERATION_NAMES.get(operation, operation)} {RESOURCE_NAMES.get(resource, resource)}"
    return f"{principal.removeprefix('User:')} {may} {what} {name}"


async def _until_known(client: AIOKafkaClient, made: set[Binding], withdrawn: set[Binding]) -> None:
    """Until every broker goes by the rules: the controller, which has them, tells the brokers afterwards."""
    async with asyncio.timeout(VISIBLE_SECONDS):
        for broker in client.cluster.brokers() if made or withdrawn else ():
            while not made <= (known := await _present(client, broker.nodeId)) or withdrawn & known:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def _present(client: AIOKafkaClient, broker: int | None = None) -> set[Binding]:
    """The rules that a broker goes by, or any of them."""
    answer = await _ask(client, DescribeAclsRequest(ANY, None, ANY, None, None, ANY, ANY), broker)
    if answer.error_code:
        raise _refused("told", answer.error_code)
    return {
        (kind, name, pattern, principal, host, operation, permission)
        for kind, name, pattern, rules, *_ in answer.resources
        for principal, host, operation, permission, *_ in rules
    }


class _CreateAll(CreateAclsRequest):  # type: ignore[misc]
    """All at once, where aiokafka sends one: the controller writes its log once and not for each."""

    def __init__(self, acls: Iterable[Acl]) -> None:
        self._bindings = [_binding(acl) for acl in acls]

    def build(self, request_struct_class: Any) -> Any:
        """The request in version 1, which brokers have since 2.0."""
        return request_struct_class(self._bindings)


async def _create(client: AIOKafkaClient, acls: Iterable[Acl]) -> None:
    for code, *_ in (await _ask(client, _CreateAll(acls))).creation_responses:
        if code:
            raise _refused("made", code)


async def _delete(client: AIOKafkaClient, binding: Binding) -> None:
    [(code, *_)] = (await _ask(client, DeleteAclsRequest(*binding))).filter_responses
    if code:
        raise _refused("withdrawn", code)


async def _ask(client: AIOKafkaClient, request: Any, broker: int | None = None) -> Any:
    """Any broker takes it, and passes changes on to the controller."""
    return await client.send(client.get_random_node() if broker is None else broker, request)


def _refused(done: str, code: int) -> EngineFailed:
    return EngineFailed(f"Kafka's access rules cannot be {done}: {for_code(code).__name__}.")
