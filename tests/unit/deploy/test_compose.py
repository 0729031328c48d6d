"""deploy/ names things that exist: commands, settings, files, services. No Docker is needed to see it."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from packaging.requirements import Requirement

import runtime_requirements
from stayaway.cli.app import app
from stayaway.platform.settings import CHECK_INS_TOPIC, PLATE_READS_TOPIC, read_settings

REPO = Path(__file__).resolve().parents[3]
DEPLOY = REPO / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"] == "stayaway")
FILLED = {"POSTGRES_PASSWORD": "p4ss", "POLICY_FILE": "/p.json", "FIRST_POSITION": "earliest"}


def filled(text: str) -> str:
    """`text` with compose's variables put in, as .env or their defaults say."""
    return re.sub(
        r"\$\{(\w+)(?::([-?])([^}]*))?\}",
        lambda found: FILLED.get(found[1]) or (found[3] if found[2] == "-" else ""),
        text,
    )


def test_the_services_are_there() -> None:
    assert set(SERVICES) == {"kafka", "topics", "postgres", "migrate", "matcher", "expiry", "web"}
    assert OURS == ["expiry", "matcher", "migrate", "web"]


@pytest.mark.parametrize("name", OURS)
def test_each_command_and_each_setting_exists(name: str) -> None:
    words = [filled(word) for word in SERVICES[name]["command"]]
    command: Any = typer.main.get_command(app)
    while hasattr(command, "get_command"):  # a group
        context = command.make_context("stayaway", [*words, "--help"], resilient_parsing=True)
        name_of, *words = words
        command = command.get_command(context, name_of)
        assert command is not None
    command.make_context(name_of, words)  # raises for an unknown option
    environment = {key: filled(value) for key, value in SERVICES[name]["environment"].items()}
    settings = read_settings(environment)
    assert settings.need_database()
    if name == "matcher":
        assert (settings.need_bootstrap(), settings.need_first_position()) == ("kafka:9092", "earliest")
        probe = SERVICES[name]["healthcheck"]["test"][-1]
        assert f"127.0.0.1:{settings.health_port}/health/ready" in probe


def test_what_a_service_waits_for_and_mounts_is_there() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            known = SERVICES[other]
            assert how["condition"] != "service_healthy" or "healthcheck" in known
            assert how["condition"] != "service_completed_successfully" or known["restart"] == "no"
        for mount in service.get("volumes", ()):
            source = filled(mount).split(":")[0]
            assert source in COMPOSE["volumes"] or source == FILLED["POLICY_FILE"]


def test_nothing_listens_beyond_this_machine() -> None:
    for service in SERVICES.values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")


def test_no_secret_has_a_default() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    variables = dict(re.findall(r"\$\{(\w+):(.)", text))
    assert {name for name, sign in variables.items() if sign == "?"} == set(FILLED)
    example = dict(re.findall(r"(?m)^(\w+)=(.*)$", (DEPLOY / "example.env").read_text()))
    assert example == dict.fromkeys(FILLED, "")


def test_topics_are_those_that_the_matcher_reads() -> None:
    script = SERVICES["topics"]["command"][0]
    for topic in (PLATE_READS_TOPIC, CHECK_INS_TOPIC):
        assert topic in script


def test_kafka_is_the_version_that_is_tested() -> None:
    version = re.search(r"<kafka.version>(.+)</kafka.version>", (DEPLOY / "kafka" / "pom.xml").read_text())
    assert version is not None
    assert {SERVICES[name]["image"] for name in ("kafka", "topics")} == {f"apache/kafka:{version[1]}"}


def copied(dockerfile: str) -> Iterator[str]:
    for line in dockerfile.splitlines():
        words = line.split()
        if words[:1] == ["COPY"] and not words[1].startswith("--from"):
            yield from words[1:-1]


def test_the_image_copies_what_exists_and_its_context_has() -> None:
    allowed = {line[1:] for line in (REPO / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    sources = set(copied((DEPLOY / "Dockerfile").read_text()))
    assert sources == allowed
    for source in sources:
        assert (REPO / source).exists(), source


def _closure(wanted: set[str]) -> set[str]:
    """What the installed packages say they need, on this platform."""
    found: set[str] = set()
    while wanted - found:
        name = (wanted - found).pop()
        found.add(name)
        for text in requires(name) or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                wanted.add(needed.name.lower().replace("_", "-"))
    return found


def test_the_image_has_what_running_needs_and_no_test_tools() -> None:
    text = runtime_requirements.runtime_requirements((REPO / "requirements.txt").read_text())
    names = set(re.findall(r"(?m)^([a-z0-9._-]+)==", text))
    project = tomllib.loads((REPO / "pyproject.toml").read_text())
    assert _closure({Requirement(text).name for text in project["project"]["dependencies"]}) <= names
    assert names.isdisjoint({"pytest", "mypy", "ruff", "playwright", "hatchling", "pyyaml"})
    assert text.count("--hash=sha256:") >= len(names)


def test_an_entry_without_a_pin_is_refused() -> None:
    with pytest.raises(ValueError, match="not a pinned requirement"):
        runtime_requirements.runtime_requirements("something>=1\n")


def test_the_runbook_explains_every_metric_reason_and_setting() -> None:
    from stayaway.platform.metrics import DEFINITIONS

    runbook = (DEPLOY / "runbook.md").read_text()
    for definition in DEFINITIONS:
        assert f"`{definition.name}" in runbook, definition.name
    health = (REPO / "service/stayaway/worker/health.py").read_text()
    for code in set(re.findall(r'Reason\("([A-Z_]+)"', health)):
        assert f"`{code}`" in runbook, code
