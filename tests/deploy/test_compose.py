"""compose.yaml and what it mounts: valid, pinned, closed to the outside, and its pieces fit each other."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.settings import load_settings
from gateway.settings.server import ServerSettings

COMPOSE = ("compose.yaml", "compose.cloud.yaml", "compose.gpu.yaml", "compose.vulkan.yaml")


@pytest.fixture
def services(deploy: Path, read_yaml: Callable[[Path], Any]) -> dict[str, Any]:
    """Return the services of compose.yaml by name."""
    return dict(read_yaml(deploy / "compose.yaml")["services"])


@pytest.fixture
def networks(deploy: Path, read_yaml: Callable[[Path], Any]) -> dict[str, Any]:
    """Return the networks of compose.yaml by name."""
    return dict(read_yaml(deploy / "compose.yaml")["networks"])


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Return folders and files of the repository by the path that they have in the container."""
    split = [volume.split(":") for volume in service["volumes"]]
    return {parts[1]: parts[0] for parts in split if parts[0].startswith(".")}


@pytest.mark.parametrize("name", COMPOSE)
def test_it_follows_the_specification(name: str, deploy: Path, tool) -> None:
    """Each file is valid by the schema of the Compose specification."""
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", deploy / name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_mounts_exists(deploy: Path, services) -> None:
    """Docker would make empty folders of paths that don't exist: all of them do, and nobody may write to them."""
    for name, service in services.items():
        for source in mounts(service).values():
            assert (deploy / source).exists(), f"{name}: {source}"
        assert all(volume.endswith(":ro") for volume in service["volumes"] if volume.startswith("."))


def test_images_have_a_version(services) -> None:
    """Foreign images are pinned to a full version: the same commands give the same programs next year."""
    for name in ("prometheus", "grafana"):
        assert re.search(r":v?\d+\.\d+\.\d+$", services[name]["image"]), name


def test_only_this_machine_can_connect(services) -> None:
    """Every published port is on loopback."""
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert "127.0.0.1:8484:8484" in ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_nothing_has_a_way_out(services, networks) -> None:
    """As it stands, no service is in a network with a way to the internet."""
    option = "com.docker.network.bridge.enable_ip_masquerade"
    closed = {
        name
        for name, network in networks.items()
        if network.get("internal") is True or network.get("driver_opts", {}).get(option) == "false"
    }
    for name, service in services.items():
        assert set(service["networks"]) <= closed, name


def test_a_cloud_opens_the_gateways_way_only(deploy: Path, services, read_yaml) -> None:
    """compose.cloud.yaml opens a network that the gateway alone is in."""
    opened = set(read_yaml(deploy / "compose.cloud.yaml")["networks"])
    assert opened
    for name, service in services.items():
        assert (opened <= set(service["networks"])) is (name == "aduana")


def test_services_have_no_rights(services) -> None:
    """Read-only root filesystems, no capabilities, no new privileges."""
    for service in services.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_running_answers_may_end(services) -> None:
    """The container gets more time to stop than the gateway gives running answers."""
    assert int(services["aduana"]["stop_grace_period"].removesuffix("s")) >= ServerSettings().drain_seconds + 10


@pytest.mark.parametrize(("service", "needed"), [("aduana", "APPS_API_KEY"), ("grafana", "GF_SECURITY_ADMIN_PASSWORD")])
def test_each_service_sees_its_own_secrets(service: str, needed: str, deploy: Path, services) -> None:
    """Each service has an environment file of its own, with an example that names what is needed and no value."""
    assert services[service]["env_file"] == [f"{service}.env"]
    example = (deploy / f"{service}.env.example").read_text()
    assert re.search(rf"^{needed}=$", example, re.MULTILINE)
    others = {name for name, other in services.items() if f"{service}.env" in other.get("env_file", [])}
    assert others == {service}


def test_the_example_names_every_secret_of_the_configuration(deploy: Path) -> None:
    """What the configuration reads from the environment, commented parts aside, stands in the example."""
    lines = (deploy / "aduana.yaml").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    example = (deploy / "aduana.env.example").read_text()
    wanted = set(re.findall(r"env:([A-Z_]+)", text))
    assert wanted
    assert wanted == set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE))


def test_prometheus_finds_the_gateway(deploy: Path, services, read_yaml, clean_environment) -> None:
    """Prometheus asks the service by its name and port, and the gateway's configuration lets that name in."""
    scrape = read_yaml(deploy / "prometheus.yml")["scrape_configs"][0]
    host, port = scrape["static_configs"][0]["targets"][0].split(":")
    assert host in services
    assert host in load_settings(deploy / "aduana.yaml").server.allowed_hosts
    assert int(port) == ServerSettings().port
    assert set(services["prometheus"]["networks"]) & set(services[host]["networks"])


def test_prometheus_has_a_key_for_the_metrics_alone(deploy: Path, services, read_yaml, monkeypatch, tmp_path) -> None:
    """Prometheus and the gateway read one secret, and the key with it may read the metrics and ask for no model."""
    secrets = read_yaml(deploy / "compose.yaml")["secrets"]
    (name,) = secrets
    assert services["prometheus"]["secrets"] == services["aduana"]["secrets"] == [name]
    scrape = read_yaml(deploy / "prometheus.yml")["scrape_configs"][0]
    assert scrape["authorization"] == {"type": "Bearer", "credentials_file": f"/run/secrets/{name}"}
    for variable, value in services["aduana"]["environment"].items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("ADUANA_STATE_DIR", str(tmp_path))
    keys = load_settings(deploy / "aduana.yaml").keys
    assert {"apps", "prometheus"} == set(keys)
    key = keys["prometheus"]
    assert (key.secret, key.metrics, key.admin, key.models) == (f"file:/run/secrets/{name}", True, False, frozenset())
    assert name in (deploy / ".gitignore").read_text().split()
    assert f" {name} " in (deploy / "up.sh").read_text()


def test_promtool_reads_the_configuration_with_its_rules(deploy: Path, services, tmp_path: Path, tool) -> None:
    """The scrape configuration and every rule file that it names are valid for Prometheus."""
    text = (deploy / "prometheus.yml").read_text()
    inside = "/etc/prometheus/rules/aduana"
    assert inside in text
    rules = (deploy / mounts(services["prometheus"])[inside]).resolve()
    key = tmp_path / "metrics-key"
    key.write_text("secret")
    text = text.replace("/run/secrets/metrics-key", str(key))
    (tmp_path / "prometheus.yml").write_text(text.replace(inside, str(rules)))
    done = tool("promtool", "check", "config", tmp_path / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("rules found") == 2


def test_grafana_finds_dashboards_and_prometheus(deploy: Path, services, read_yaml) -> None:
    """Dashboards are mounted where the provisioning looks; the data source's address is one that the network has."""
    grafana = services["grafana"]
    mounted = mounts(grafana)
    provisioning = (deploy / mounted["/etc/grafana/provisioning"]).resolve()
    providers = read_yaml(provisioning / "dashboards" / "aduana.yaml")["providers"]
    folder = providers[0]["options"]["path"]
    dashboards = deploy / mounted[folder]
    assert {file.name for file in dashboards.glob("*.json")} >= {"savings.json", "performance.json"}
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).parent == Path(folder)
    assert (dashboards / Path(home).name).is_file()
    source = read_yaml(provisioning / "datasources" / "prometheus.yaml")["datasources"][0]
    variable = re.fullmatch(r"\$\{(\w+)\}", source["url"])
    assert variable
    assert grafana["environment"][variable[1]] == "http://prometheus:9090"
    assert set(grafana["networks"]) & set(services["prometheus"]["networks"])


def test_a_graphics_card_is_reserved_for_the_gateway(deploy: Path, read_yaml) -> None:
    """compose.gpu.yaml makes the image for NVIDIA's cards, with arguments that the build file knows."""
    service = read_yaml(deploy / "compose.gpu.yaml")["services"]["aduana"]
    known = set(re.findall(r"^ARG (\w+)=", (deploy / "Containerfile").read_text(), re.MULTILINE))
    assert set(service["build"]["args"]) == known - {"EXTRAS", "PACKAGES"}
    assert service["build"]["args"]["BACKEND"] == "cuda"
    device = service["deploy"]["resources"]["reservations"]["devices"][0]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


@pytest.mark.parametrize("name", ["compose.yaml", "compose.gpu.yaml", "compose.vulkan.yaml"])
def test_each_image_is_one_that_the_build_file_makes(name: str, deploy: Path, read_yaml) -> None:
    """The kind that a file asks for has its two stages, and the arguments of CMake begin as that stage's do."""
    text = (deploy / "Containerfile").read_text()
    arguments = read_yaml(deploy / name)["services"]["aduana"]["build"]["args"]
    kind = arguments.get("BACKEND", "cpu")
    assert re.search(rf"^FROM \S+ AS build-{kind}$", text, re.MULTILINE)
    assert re.search(rf"^FROM \S+ AS run-{kind}$", text, re.MULTILINE)
    backend = {"cpu": "", "cuda": "-DGGML_CUDA=on", "vulkan": "-DGGML_VULKAN=on"}[kind]
    assert backend in arguments["CMAKE_ARGS"]
    assert backend in text.partition(f"AS build-{kind}\n")[2].partition("FROM ")[0]
