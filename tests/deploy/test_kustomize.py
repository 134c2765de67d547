"""deploy/kubernetes/: two gateways with one ledger and two model servers; valid, sealed, fitting each other."""

import re
import shutil
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from gateway.settings import Settings, load_settings
from gateway.settings.server import ServerSettings

Object = dict[str, Any]


def documents(file: Path) -> list[Object]:
    """The objects in one file."""
    return list(YAML(typ="safe", pure=True).load_all(file.read_text(encoding="utf-8")))


def files(folder: Path) -> Iterator[Path]:
    """The files that a kustomization is made of, as kustomize takes them; of a part that is left out, its own too."""
    (kustomization,) = documents(folder / "kustomization.yaml")
    for name in kustomization["resources"]:
        yield from files(folder / name) if (folder / name).is_dir() else [folder / name]


@pytest.fixture
def folder(deploy: Path) -> Path:
    """Return the folder."""
    return deploy / "kubernetes"


@pytest.fixture
def objects(folder: Path) -> list[Object]:
    """Return all objects, those of the way out too."""
    parts = [*files(folder), *files(folder / "egress")]
    return [document for file in parts for document in documents(file)]


@pytest.fixture
def settings(folder: Path, clean_environment: pytest.MonkeyPatch) -> Settings:
    """Return the gateways' configuration."""
    return load_settings(folder / "gateway" / "aduana.yaml")


def named(objects: list[Object], kind: str, name: str) -> Object:
    """Return one object."""
    (found,) = [one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return found


def policy_of(objects: list[Object], name: str) -> Object:
    """Return what one network policy says."""
    return dict(named(objects, "NetworkPolicy", name)["spec"])


def ways(objects: list[Object], name: str) -> list[tuple[str, int]]:
    """Return where a policy lets its pods go: kinds of pods, or addresses, with ports."""
    found = []
    for way in policy_of(objects, name)["egress"]:
        (to,) = way["to"]
        labels = to.get("podSelector", {}).get("matchLabels", {})
        where = labels.get("k8s-app") or labels.get("app.kubernetes.io/component") or to["ipBlock"]["cidr"]
        found += [(where, port) for port in sorted({one["port"] for one in way["ports"]})]
    return found


def secrets_of(pod: Object) -> set[str]:
    """Return the names of all secrets that a pod is given."""
    return set(re.findall(r"'(?:secretName|secretRef|secret)': (?:\{'name': )?'([\w-]+)'", str(pod)))


def pods(objects: list[Object]) -> list[Object]:
    """Return the templates of all pods."""
    return [one["spec"]["template"] for one in objects if one["kind"] in ("Deployment", "StatefulSet")]


def test_every_file_follows_the_schema(folder: Path, tool) -> None:
    """Each object is valid by Kubernetes' own schemas, without unknown fields; an operator's kind has none."""
    parts = [file for file in [*files(folder), *files(folder / "egress")] if "monitoring" not in file.parts]
    done = tool("kubernetes-validate", "--strict", *parts)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" passed ") == sum(len(documents(part)) for part in parts)


def test_no_file_is_forgotten(folder: Path) -> None:
    """Each file belongs to a kustomization, or is what one makes a ConfigMap of."""
    taken = {*files(folder), *files(folder / "egress"), folder / "gateway" / "aduana.yaml"}
    assert set(folder.rglob("*.yaml")) == taken | set(folder.rglob("kustomization.yaml"))


def test_no_secret_stands_in_a_file(folder: Path, deploy: Path, objects: list[Object]) -> None:
    """Secrets are made by a command, which the page shows for each name that is used."""
    assert "Secret" not in {one["kind"] for one in objects}
    used = {name for file in folder.rglob("*.yaml") for name in re.findall(r"key: ([A-Z_]{5,})", file.read_text())}
    used |= set(re.findall(r"env:([A-Z_]+)", (folder / "gateway" / "aduana.yaml").read_text()))
    made = set(re.findall(r"--from-literal=([A-Z_]+)=", (deploy / "README.md").read_text()))
    assert used <= made
    for pod in pods(objects):
        for container in pod["spec"]["containers"]:
            for variable in container.get("env", ()):
                assert "value" not in variable or not re.search("KEY|PASSWORD|TOKEN", variable["name"])


def test_no_pod_has_rights(objects: list[Object]) -> None:
    """Users that are not root, read-only root filesystems, no capabilities, no access to the cluster."""
    for pod in pods(objects):
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
            assert "memory" in container["resources"]["limits"]


def test_every_pod_is_sealed(objects: list[Object]) -> None:
    """Each kind of pod has a policy for both directions; only the way out's knows addresses outside the cluster."""
    policies = [one for one in objects if one["kind"] == "NetworkPolicy"]
    for pod in pods(objects):
        own = [one for one in policies if one["spec"]["podSelector"]["matchLabels"] == pod["metadata"]["labels"]]
        assert {"Ingress", "Egress"} in [set(one["spec"]["policyTypes"]) for one in own]
    outside = [one["metadata"]["name"] for one in policies if "ipBlock" in str(one)]
    assert outside == ["egress"]
    assert {name: ways(objects, name) for name in ("vllm", "ledger")} == {"vllm": [], "ledger": []}


def test_a_gateway_reaches_its_database_models_and_the_way_out(objects: list[Object]) -> None:
    """Names, and three kinds of pods: nothing else in the cluster, and no address outside of it."""
    assert ways(objects, "aduana") == [("kube-dns", 53), ("database", 5432), ("model", 8000), ("egress", 8485)]


def test_the_way_out_reaches_public_addresses_alone(objects: list[Object]) -> None:
    """HTTPS, to no private address, and names; only gateways come in."""
    assert ways(objects, "egress") == [("kube-dns", 53), ("0.0.0.0/0", 443)]
    (block,) = [way["to"][0]["ipBlock"] for way in policy_of(objects, "egress")["egress"] if "ipBlock" in way["to"][0]]
    private = ("10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.31.0.1", "192.168.1.1", "224.0.0.1")
    for address in private:
        assert any(ip_address(address) in ip_network(one) for one in block["except"]), address
    (entry,) = policy_of(objects, "egress")["ingress"]
    (who,) = entry["from"]
    assert who == {"podSelector": policy_of(objects, "aduana")["podSelector"]}


def test_only_the_way_out_has_the_clouds_keys(objects: list[Object], settings: Settings) -> None:
    """The secret with them is named by its pods and by no other; another user runs there; both know each other."""
    gateway, egress = (named(objects, "Deployment", name)["spec"]["template"]["spec"] for name in ("aduana", "egress"))
    assert [one for one in pods(objects) if "aduana-clouds" in str(one)] == [
        named(objects, "Deployment", "egress")["spec"]["template"]
    ]
    assert secrets_of(egress) == {"aduana-clouds", "aduana-seal", "aduana-egress-tls"}
    assert {"aduana-seal", "aduana-gateway-tls"} <= secrets_of(gateway)
    assert gateway["securityContext"]["runAsUser"] != egress["securityContext"]["runAsUser"]
    assert settings.egress.process == "unit"
    host, port = settings.egress.host_and_port
    service = named(objects, "Service", host)["spec"]
    assert (service["clusterIP"], service["ports"][0]["port"]) == ("None", port)
    (container,) = egress["containers"]
    assert port in [one["containerPort"] for one in container["ports"]]
    folders = {one["mountPath"] for one in container["volumeMounts"]}
    tls = settings.egress.tls
    assert tls is not None
    assert {str(one.parent) for one in (tls.authority, tls.certificate, tls.key)} <= folders
    for pod in (gateway, egress):
        assert "/run/seal" in str(pod["containers"][0]["volumeMounts"])


def test_kustomize_understands_it(folder: Path, tmp_path: Path, tool) -> None:
    """Built with the way out, there is one ConfigMap, which gateways and way out have; and without it no such pod."""
    for out, expected in ((True, {"aduana", "egress"}), (False, {"aduana"})):
        copy = tmp_path / str(out)
        shutil.copytree(folder, copy)
        file = copy / "kustomization.yaml"
        file.write_text(file.read_text().replace("# - egress", "- egress") if out else file.read_text())
        done = tool("kubectl", "kustomize", copy)
        assert done.returncode == 0, done.stderr
        built = list(YAML(typ="safe", pure=True).load_all(done.stdout))
        (config,) = [one["metadata"]["name"] for one in built if one["kind"] == "ConfigMap"]
        deployments = {one["metadata"]["name"]: one for one in built if one["kind"] == "Deployment"}
        assert set(deployments) == expected
        for one in deployments.values():
            volumes = one["spec"]["template"]["spec"]["volumes"]
            assert config in [volume["configMap"]["name"] for volume in volumes if "configMap" in volume]


def test_what_a_gateway_may_reach_is_there_and_lets_it_in(objects: list[Object]) -> None:
    """Each way out of a gateway leads to pods that exist, at a port that they have, and their policy takes it in."""
    labels = named(objects, "Deployment", "aduana")["spec"]["template"]["metadata"]["labels"]
    for way in named(objects, "NetworkPolicy", "aduana")["spec"]["egress"]:
        (to,), (port, *_) = way["to"], way["ports"]
        if "namespaceSelector" in to:
            assert (to["podSelector"]["matchLabels"], port["port"]) == ({"k8s-app": "kube-dns"}, 53)
            continue
        wanted = to["podSelector"]["matchLabels"]
        (pod,) = [pod for pod in pods(objects) if pod["metadata"]["labels"] == wanted]
        assert port["port"] in [one["containerPort"] for one in pod["spec"]["containers"][0]["ports"]]
        (policy,) = [
            one["spec"]
            for one in objects
            if one["kind"] == "NetworkPolicy" and one["spec"]["podSelector"]["matchLabels"] == wanted
        ]
        assert {"podSelector": {"matchLabels": labels}} in policy["ingress"][0]["from"]


def test_the_configuration_fits_the_pods(objects: list[Object], settings: Settings) -> None:
    """The gateways ask each model server by its pod's name, for its model, no more than it takes at once."""
    servers = named(objects, "StatefulSet", "vllm")
    service = servers["spec"]["serviceName"]
    given = dict(
        arg.removeprefix("--").split("=")
        for arg in servers["spec"]["template"]["spec"]["containers"][0]["args"]
        if "=" in arg
    )
    target = settings.targets["den"]
    hosts = [urlsplit(address).netloc for address in target.addresses]
    assert hosts == [f"vllm-{number}.{service}:{given['port']}" for number in range(servers["spec"]["replicas"])]
    assert named(objects, "Service", service)["spec"]["clusterIP"] == "None"
    assert (target.model, str(target.context), str(target.slots)) == (
        given["served-model-name"],
        given["max-model-len"],
        given["max-num-seqs"],
    )


def test_the_ledger_is_the_database(objects: list[Object], settings: Settings) -> None:
    """All gateways write into the database of these files, by its service's name."""
    address = urlsplit(settings.ledger.database or "")
    service = named(objects, "Service", address.hostname or "")
    assert service["spec"]["ports"][0]["port"] == address.port
    container = named(objects, "StatefulSet", "ledger")["spec"]["template"]["spec"]["containers"][0]
    environment = {one["name"]: one.get("value") for one in container["env"]}
    assert (environment["POSTGRES_USER"], environment["POSTGRES_DB"]) == (address.username, address.path[1:])


def test_two_gateways_and_one_that_stays(objects: list[Object], settings: Settings) -> None:
    """There are two; one stays while nodes are drained, and running answers may end."""
    deployment = named(objects, "Deployment", "aduana")["spec"]
    assert deployment["replicas"] == 2
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    budget = named(objects, "PodDisruptionBudget", "aduana")["spec"]
    assert (budget["minAvailable"], budget["selector"]["matchLabels"]) == (1, deployment["selector"]["matchLabels"])
    pause = int(deployment["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][-1])
    assert deployment["template"]["spec"]["terminationGracePeriodSeconds"] >= settings.server.drain_seconds + pause + 10


def test_apps_and_prometheus_call_names_that_are_let_in(objects: list[Object], settings: Settings) -> None:
    """The service's name and each pod's address are let in; Prometheus reads every gateway by itself, with its key."""
    service = named(objects, "Service", "aduana")
    (container,) = named(objects, "Deployment", "aduana")["spec"]["template"]["spec"]["containers"]
    hosts = next(one["value"] for one in container["env"] if one["name"] == "ADUANA_SERVER__ALLOWED_HOSTS").split(",")
    assert {service["metadata"]["name"], "$(POD_IP)"} <= set(hosts)
    assert service["spec"]["ports"][0]["port"] == ServerSettings().port
    monitor = named(objects, "ServiceMonitor", "aduana")["spec"]
    assert monitor["selector"]["matchLabels"] == service["metadata"]["labels"]
    (endpoint,) = monitor["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert "relabelings" not in endpoint
    key = settings.keys["prometheus"]
    assert (key.metrics, key.secret) == (True, f"env:{endpoint['authorization']['credentials']['key']}")
