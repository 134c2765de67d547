"""`aduana audit privacy`: plants canaries in requests to a real gateway, and reads what a stand-in cloud received.

The gateway is a process of its own with a configuration of its own; its "cloud" and its "home" are recorders on
loopback. Every canary has a marker: a marker in the cloud's record is a leak. Clean requests must arrive there.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.cli.audit_cases import Case, cases
from gateway.cli.audit_recorder import Recorder, recorder

_CONFIG = """
policy: {policy}
targets:
  home: {{kind: openai, zone: local, base_url: "{home}", model: m, context: 400000,
          endpoints: [chat, completions, embeddings, rerank]}}
  cloud: {{kind: openai, zone: cloud, base_url: "{cloud}", api_key: "env:ADUANA_AUDIT_KEY", model: m,
           ceiling: public, context: 400000, endpoints: [chat, completions, embeddings]}}
models:
  auto: {{}}
unknown_model: auto
"""
_POLICY = """
version: 1
labels:
  default: public
  findings: {other: sensitive}
otherwise: {prefer: [cloud, home]}
"""
_START_SECONDS = 120.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declares the command and its options."""
    parser = subparsers.add_parser("audit", help="prove with planted secrets that nothing sensitive leaves")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    privacy = actions.add_parser("privacy", help="planted canaries against a stand-in cloud on this machine")
    privacy.add_argument("--verbose", action="store_true", help="print every case")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: no leak; 1: a canary reached the cloud; 2: the gateway did not start."""
    with tempfile.TemporaryDirectory() as folder, recorder() as cloud, recorder() as home:
        (Path(folder) / "policy.yaml").write_text(_POLICY, "utf-8")
        config = Path(folder) / "aduana.yaml"
        policy = json.dumps(str(Path(folder) / "policy.yaml"))
        config.write_text(_CONFIG.format(policy=policy, home=home.base_url, cloud=cloud.base_url), "utf-8")
        with _gateway(config, Path(folder) / "state") as url:
            if not url:
                print("aduana: the gateway did not start; its log is above.", file=sys.stderr)
                return 2
            return _report([(case, *_try(url, case, cloud, home)) for case in cases()], verbose=args.verbose)


def _report(results: list[tuple[Case, int, str]], *, verbose: bool) -> int:
    leaks = [case for case, _, where in results if case.sensitive and where == "cloud"]
    clean = [(case, where) for case, _, where in results if not case.sensitive]
    kept = [case for case, where in clean if where != "cloud"]
    for case, status, where in results:
        if verbose:
            print(f"{'canary' if case.sensitive else 'clean':7} {case.name:48} {status} {where}")
    for case in leaks:
        print(f"LEAK: {case.name}")
    for case in kept:
        print(f"kept without cause: {case.name}")
    canaries = len(results) - len(clean)
    refused = sum(case.sensitive and where == "nowhere" for case, _, where in results)
    print(
        f"{canaries} canaries: {len(leaks)} leaks, {refused} refused; "
        f"{len(clean)} clean requests: {len(kept)} kept without cause."
    )
    if clean and len(kept) == len(clean):
        print("aduana: no clean request reached the stand-in cloud: this audit proves nothing.", file=sys.stderr)
        return 1
    return 1 if leaks else 0


def _try(url: str, case: Case, cloud: Recorder, home: Recorder) -> tuple[int, str]:
    """The answer's status, and which recorder got the request."""
    request = urllib.request.Request(  # noqa: S310 - the address is our own gateway's
        url + case.path,
        data=json.dumps(case.body).encode(),
        headers={"Content-Type": "application/json", "anthropic-version": "2023-06-01"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            answer.read()
            status = int(answer.status)
    except urllib.error.HTTPError as error:
        status = error.code
        error.close()
    if case.marker in cloud.text():
        return status, "cloud"
    return status, "home" if case.marker in home.text() else "nowhere"


@contextmanager
def _gateway(config: Path, state: Path) -> Iterator[str]:
    """The address of a gateway with this configuration; empty where it does not start."""
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config), "--port", "0"]
    environment = os.environ | {"ADUANA_STATE_DIR": str(state), "ADUANA_AUDIT_KEY": "sk-audit", "NO_COLOR": "1"}
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )
    lines: list[str] = []
    found = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if "listening" in line and "http://" in line:
                found.set()
        found.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        found.wait(_START_SECONDS)
        url = next((_address(line) for line in lines if "listening" in line and "http://" in line), "")
        if url:
            _until_ready(url)
        else:
            sys.stderr.writelines(lines)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        if process.stdout is not None:
            process.stdout.close()


def _address(line: str) -> str:
    rest = line[line.index("http://") :]
    return rest.split()[0].rstrip("/.,;\"'")


def _until_ready(url: str) -> None:
    """Returns when the gateway takes requests, or after a while: the cases then show what is wrong."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url + "/readyz", timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
