"""The document is OpenAPI 3.1, says something about everything that is served, and is what tables make it."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from caisse.build import DOORS
from caisse.core.policy import Policy
from caisse.dialects.references import EXAMPLES, MANUALS
from caisse.dialects.wire.door import Route
from caisse.dialects.wire.reference import Manual
from caisse.profiles.reader import profiles
from caisse.web.apidocs.openapi import SERVER_FOUND, document
from tests.support.served import Document, Reply

# The official schema of the edition: https://spec.openapis.org/oas/3.1/schema/2022-10-07
SPEC = json.loads(Path(__file__).with_name("openapi-3.1.schema.json").read_text())
MADE = document(MANUALS, profiles().values(), version("caisse"))
DOC = Document(MADE)
OPERATIONS = DOC.operations()
POSTS = [(path, said) for method, path, said in OPERATIONS if method == "post"]


def test_the_document_is_openapi() -> None:
    jsonschema_rs.validator_for(SPEC).validate(MADE)
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.validator_for(SPEC).validate({**MADE, "paths": {"no-slash": {}}})


def test_every_schema_is_json_schema() -> None:
    for name, schema in MADE["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid(schema), name
        jsonschema_rs.Draft202012Validator(schema)


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    text = json.dumps(MADE)
    for name in MADE["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text, name
    for _, said in POSTS:
        assert DOC.request_schema(said)["properties"]


def test_operation_ids_are_unique() -> None:
    ids = [said["operationId"] for _, _, said in OPERATIONS]
    assert len(set(ids)) == len(ids)


def test_every_door_that_is_served_has_its_manual_in_this_order_of_none_else() -> None:
    assert {type(manual.door) for manual in MANUALS} == {type(door) for door in DOORS}
    assert len(MANUALS) == len(DOORS)


@pytest.mark.parametrize("manual", MANUALS, ids=lambda manual: manual.id)
def test_every_endpoint_is_found_by_its_door_at_every_documented_path(manual: Manual) -> None:
    for mount in manual.mounts:
        for endpoint in manual.endpoints:
            assert mount.prefix + endpoint.path in MADE["paths"]
            route = manual.door.find(mount.prefix.replace("{key}", "some-key") + endpoint.path)
            assert route is not None
            assert route.endpoint is endpoint


def test_every_endpoint_has_an_example_and_every_example_its_endpoint() -> None:
    assert {example.path for example in EXAMPLES} == {e.path for m in MANUALS for e in m.endpoints}


def _undescribed(schema: Any, name: str) -> list[str]:
    inner = [(s, name) for s in schema.get("oneOf", ())]
    inner += [(s, f"{name}.{key}") for key, s in schema.get("properties", {}).items()]
    own = [f"{name}.{k}" for k, s in schema.get("properties", {}).items() if not _described(s)]
    return own + [found for s, where in inner for found in _undescribed(s, where)]


def _described(schema: Any) -> bool:
    return bool(schema.get("description")) or "properties" in schema


def test_every_field_is_described() -> None:
    schemas = MADE["components"]["schemas"]
    assert [found for name, schema in schemas.items() for found in _undescribed(schema, name)] == []
    assert _undescribed({"properties": {"x": {"type": "string"}}}, "n") == ["n.x"]


@pytest.mark.parametrize(("path", "said"), POSTS, ids=[path for path, _ in POSTS])
def test_the_examples_fit_their_schemas(path: str, said: Any) -> None:
    request = said["requestBody"]["content"]["application/json"]["examples"]
    response = said["responses"]["200"]["content"]["application/json"]
    assert request.keys() == response["examples"].keys() != set()
    for name, example in request.items():
        jsonschema_rs.validate(DOC.request_schema(said), example["value"])
        DOC.fits(response["schema"], response["examples"][name]["value"])


@pytest.mark.parametrize("manual", MANUALS, ids=lambda manual: manual.id)
@pytest.mark.parametrize("status", SERVER_FOUND)
def test_what_the_server_refuses_by_itself_is_documented_for_every_door(manual: Manual, status: int) -> None:
    for mount in manual.mounts:
        for endpoint in manual.endpoints:
            said = MADE["paths"][mount.prefix + endpoint.path]["post"]
            told = manual.door.status(status)
            headers = {"content-type": "application/json", "retry-after": "1"}
            DOC.judge(said, Reply(told, headers, manual.door.reject(status, Route(endpoint))))


def test_a_profiles_own_codes_are_documented() -> None:
    own = Policy(name="own", unknown_bet=17, codes={"insufficient": 7755})
    schemas = document(MANUALS, [own], "1")["components"]["schemas"]
    said = json.dumps(schemas["seamless-v4.Bet.refusal"])
    assert '{"const": 7755' in said
    assert '{"const": "17"' in json.dumps(schemas["seamless-v4.Refund.refusal"])
    assert '{"const": 7755' not in json.dumps(MADE)
