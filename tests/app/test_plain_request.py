"""The plain request that readiness decides about is of a kind that the gateway serves."""

import json

import pytest

from gateway.app.plain_request import path_and_body, plain_request
from gateway.core.labels import Label, Zone
from gateway.core.request import Endpoint, endpoint_of
from gateway.core.target import Alias, Catalog, TargetInfo


def catalog_of(*served: frozenset[Endpoint], zone: Zone = Zone.LOCAL) -> Catalog:
    """Return a catalog with one target for each set of endpoints."""
    ceiling = Label.SENSITIVE if zone is Zone.LOCAL else Label.INTERNAL
    infos = [
        TargetInfo(name=f"t{number}", kind="embedded", zone=zone, ceiling=ceiling, model="m", endpoints=endpoints)
        for number, endpoints in enumerate(served)
    ]
    return Catalog(
        targets={info.name: info for info in infos}, aliases={"auto": Alias(name="auto")}, unknown_model="auto"
    )


@pytest.mark.parametrize(
    ("served", "zone", "kind", "path"),
    [
        ([{"embeddings"}], Zone.LOCAL, Endpoint.EMBEDDINGS, "/v1/embeddings"),
        ([{"rerank"}], Zone.LOCAL, Endpoint.RERANK, "/v1/rerank"),
        ([{"completions"}], Zone.LOCAL, Endpoint.COMPLETIONS, "/v1/completions"),
        ([{"images"}], Zone.LOCAL, Endpoint.IMAGES, "/v1/images/generations"),
        ([{"speech", "transcriptions"}], Zone.LOCAL, Endpoint.SPEECH, "/v1/audio/speech"),
        ([{"images"}, {"chat"}], Zone.LOCAL, Endpoint.CHAT, "/v1/chat/completions"),
        ([{"moderations"}], Zone.LOCAL, Endpoint.MODERATIONS, "/v1/moderations"),
        ([{"embeddings"}, {"chat"}], Zone.LOCAL, Endpoint.CHAT, "/v1/chat/completions"),
        ([{"rerank", "embeddings"}], Zone.CLOUD, Endpoint.EMBEDDINGS, "/v1/embeddings"),
        ([], Zone.LOCAL, Endpoint.CHAT, "/v1/chat/completions"),
    ],
)
def test_it_is_of_a_kind_that_is_served(served, zone, kind, path):
    """Chat where a target serves it, else what there is; clouds are never asked to rank."""
    catalog = catalog_of(*(frozenset(Endpoint(word) for word in words) for words in served), zone=zone)
    assert endpoint_of(plain_request(catalog)) is kind
    told, body = path_and_body(catalog)
    assert (told, json.loads(body)["model"]) == (path, "auto")


def test_only_targets_of_the_model_that_is_asked_for_count():
    """An embedder makes it a request for vectors where the default name means the embedder alone."""
    catalog = catalog_of(frozenset({Endpoint.CHAT}), frozenset({Endpoint.EMBEDDINGS}))
    named = {"auto": Alias(name="auto", targets=("t1",))}
    only = Catalog(targets=catalog.targets, aliases=named, unknown_model="auto")
    assert endpoint_of(plain_request(only)) is Endpoint.EMBEDDINGS
