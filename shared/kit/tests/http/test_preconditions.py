"""Nobody overwrites what they have not seen."""

from uuid import uuid4

import httpx
import pytest
from things.rig import assert_problem

from bellwether_kit.http import etag


@pytest.mark.parametrize("header", ['"3"', '"2", "3"', "*"])
async def test_whoever_has_seen_the_version_may_write(client: httpx.AsyncClient, header: str) -> None:
    response = await client.put(f"/v1/things/{uuid4()}", json={"name": "a"}, headers={"If-Match": header})
    assert response.status_code == 200


@pytest.mark.parametrize("header", ['"2"', 'W/"3"', "3", "", '"3'])
async def test_whoever_has_not_is_refused_and_told_the_version(client: httpx.AsyncClient, header: str) -> None:
    response = await client.put(f"/v1/things/{uuid4()}", json={"name": "a"}, headers={"If-Match": header})
    assert_problem(response, 412, "precondition-failed")
    assert etag(3) == response.headers["etag"]


async def test_whoever_does_not_say_is_asked_to(client: httpx.AsyncClient) -> None:
    response = await client.put(f"/v1/things/{uuid4()}", json={"name": "a"})
    assert_problem(response, 428, "precondition-required")
