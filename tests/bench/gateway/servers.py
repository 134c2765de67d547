"""What is measured side by side: the gateway with its guards, another gateway, and what the bare libraries cost."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

KEY = "bench-0123456789abcdef"
_BARE = """
import sys, aiohttp, uvloop
from aiohttp import web
import asyncio

async def main(port, upstream):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        async def chat(request):
            body = await request.json()
            async with session.post(upstream + "/chat/completions", json=body) as answer:
                if not body.get("stream"):
                    return web.json_response(await answer.json())
                reply = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
                await reply.prepare(request)
                async for chunk in answer.content.iter_any():
                    await reply.write(chunk)
                return reply
        app = web.Application()
        app.router.add_post("/v1/chat/completions", chat)
        app.router.add_get("/", lambda request: web.Response())
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()

uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
"""
_NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  keepalive_requests 1000000;
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }}
  }}
}}
"""
_ROLTER = """
[server]
host = "127.0.0.1"
port = {port}
[[providers]]
name = "up"
kind = "openai_compatible"
api_base = "http://127.0.0.1:{upstream}"
[[routes]]
model = "m"
strategy = "round_robin"
[[routes.targets]]
provider = "up"
model = "m"
"""
_LITELLM = """
model_list:
  - model_name: m
    litellm_params: {{model: openai/m, api_base: "http://127.0.0.1:{upstream}/v1", api_key: sk-bench}}
"""
_ADUANA = """
server: {{port: {port}}}
state_dir: {folder}/state
keys: {{bench: {{secret: "env:BENCH_KEY"}}}}
models: {{m: {{}}}}
unknown_model: m
log: {{level: warning}}
inspection: {{judge: {{mode: "off"}}, names: "off"}}
policy: [{folder}/policy.yaml]
targets:
  up: {{kind: openai, zone: {zone}, base_url: "http://127.0.0.1:{upstream}/v1", model: m{more}}}
"""
# Asks nobody outside, and no caller for a key.
_ALONE = (
    ("LITELLM_TELEMETRY", "False"),
    ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
    ("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true"),
)
_POLICY = "version: 1\nlabels: {default: public, findings: {other: sensitive}}\notherwise: {prefer: [up]}\n"


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A server to measure. `wait`: the path that answers 200 when it is ready."""

    name: str
    command: tuple[str, ...]
    port: int
    wait: str = "/"
    environment: tuple[tuple[str, str], ...] = ()
    all_cores: bool = False


def subjects(folder: Path, upstream: int, port: int) -> list[Subject]:
    """Return what can be measured on this machine, on ports from `port` on."""
    found = [
        _aduana(folder / "local", "aduana, local target", "local", ", slots: 1024", upstream, port),
        _aduana(folder / "cloud", "aduana, cloud target", "cloud", ', api_key: "env:CLOUD_KEY"', upstream, port + 1),
    ]
    bare = folder / "bare.py"
    bare.write_text(_BARE)
    command = (sys.executable, str(bare), str(port + 2), f"http://127.0.0.1:{upstream}/v1")
    found.append(Subject(name="bare aiohttp", command=command, port=port + 2))
    if nginx := shutil.which("nginx"):
        config = folder / "nginx.conf"
        config.write_text(_NGINX.format(folder=folder, upstream=upstream, port=port + 3))
        found.append(Subject(name="nginx", command=(nginx, "-c", str(config)), port=port + 3))
    if rolter := os.environ.get("ROLTER") or shutil.which("rolter"):
        config = folder / "rolter.toml"
        config.write_text(_ROLTER.format(upstream=upstream, port=port + 4))
        found.append(Subject(name="rolter", command=(rolter, "gateway", "-c", str(config)), port=port + 4))
    if litellm := os.environ.get("LITELLM") or shutil.which("litellm"):
        config = folder / "litellm.yaml"
        config.write_text(_LITELLM.format(upstream=upstream))
        command = (litellm, "--config", str(config), "--host", "127.0.0.1", "--port", str(port + 5))
        wait = "/health/liveliness"
        found.append(Subject(name="litellm", command=command, port=port + 5, wait=wait, environment=_ALONE))
    return found


def with_workers(folder: Path, upstream: int, port: int, workers: int, ledger: Callable[[], str]) -> list[Subject]:
    """Return the gateway with one worker and with several, each with an empty ledger in PostgreSQL."""
    found = []
    for number, count in enumerate((1, workers)):
        name = f"aduana, PostgreSQL, {count} worker{'s' if count > 1 else ''}"
        place = folder / f"workers{number}"
        one = _aduana(place, name, "local", ", slots: 256", upstream, port + number)
        config = place / "aduana.yaml"
        served = f"server: {{workers: {count}, "
        config.write_text(config.read_text().replace("server: {", served) + f'ledger: "{ledger()}"\n')
        found.append(msgspec.structs.replace(one, all_cores=True))
    return found


def _aduana(folder: Path, name: str, zone: str, more: str, upstream: int, port: int) -> Subject:
    folder.mkdir()
    config = folder / "aduana.yaml"
    (folder / "policy.yaml").write_text(_POLICY)
    config.write_text(_ADUANA.format(folder=folder, port=port, upstream=upstream, zone=zone, more=more))
    command = (sys.executable, "-m", "gateway", "serve", "--config", str(config))
    secrets = (("BENCH_KEY", KEY), ("CLOUD_KEY", "sk-bench"))
    return Subject(name=name, command=command, port=port, wait="/readyz", environment=secrets)
