"""The Kubernetes objects: valid by schema, closed, and fitting the image."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gateway.settings import load_settings
from gateway.settings.server import ServerSettings


@pytest.fixture
def objects(deploy: Path) -> dict[str, Any]:
    """Return the Kubernetes objects by kind."""
    documents = YAML(typ="safe", pure=True).load_all((deploy / "kubernetes.yaml").read_text(encoding="utf-8"))
    return {document["kind"]: document for document in documents}


@pytest.fixture
def pod(objects: dict[str, Any]) -> dict[str, Any]:
    """Return the pod's specification."""
    return dict(objects["Deployment"]["spec"]["template"]["spec"])


def test_it_follows_the_schema(deploy: Path, tool) -> None:
    """Every object is valid, without unknown fields."""
    done = tool("kubernetes-validate", "--strict", deploy / "kubernetes.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" passed ") == 4


def test_the_user_is_the_images(deploy: Path, pod: dict[str, Any]) -> None:
    """The pod's user is the one to whom the image's state directory belongs."""
    user, group = re.findall(r"^USER (\d+):(\d+)$", (deploy / "Containerfile").read_text(), re.MULTILINE)[-1]
    context = pod["securityContext"]
    assert (context["runAsUser"], context["runAsGroup"], context["fsGroup"]) == (int(user), int(group), int(group))


def test_containers_have_no_rights(pod: dict[str, Any]) -> None:
    """Read-only root filesystems, no capabilities, no new privileges, no access to the cluster."""
    assert pod["automountServiceAccountToken"] is False
    for container in pod["initContainers"] + pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_never_two_gateways_on_one_state_directory(objects: dict[str, Any]) -> None:
    """One replica, and the old one ends before a new one begins."""
    spec = objects["Deployment"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_running_answers_may_end(pod: dict[str, Any]) -> None:
    """Kubernetes gives more time to stop than the gateway gives running answers."""
    assert pod["terminationGracePeriodSeconds"] >= ServerSettings().drain_seconds + 10


def test_nothing_goes_out_and_apps_come_in(objects: dict[str, Any]) -> None:
    """The network policy is for the gateway's pods, lets nothing out, and lets apps in by the service's port."""
    policy = objects["NetworkPolicy"]["spec"]
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert policy["podSelector"]["matchLabels"] == labels == objects["Service"]["spec"]["selector"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert policy["egress"] == []


def test_apps_may_call_it_by_the_services_name(deploy: Path, objects: dict[str, Any], clean_environment) -> None:
    """The service's name is one that the configuration lets in, its port the gateway's."""
    service = objects["Service"]
    assert service["metadata"]["name"] in load_settings(deploy / "aduana.yaml").server.allowed_hosts
    assert service["spec"]["ports"][0]["port"] == ServerSettings().port


def test_the_starter_model_comes_into_the_claim(deploy: Path, pod: dict[str, Any]) -> None:
    """What the first container copies lies where the image has the model, and lands where the gateway looks for it."""
    *_, source, target = pod["initContainers"][0]["command"]
    image = (deploy / "Containerfile").read_text()
    assert re.search(rf"^COPY --from=starter .* {source}$", image, re.MULTILINE)
    state = re.findall(r"ADUANA_STATE_DIR=(\S+)", image)[0]
    mounts = {mount["name"]: mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounts["state"] == state
    assert target == pod["initContainers"][0]["volumeMounts"][0]["mountPath"] + "/"
    assert source == f"{state}/models"
