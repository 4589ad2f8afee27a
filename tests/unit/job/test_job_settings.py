"""The job's configuration: what is taken, what is refused and what the message says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from jobs.settings import OTHERS, Settings, SettingsError, load
from kairos.adapters.settings import alarms, api, bridge, delivery, gateway, people, warehouse
from kairos.adapters.settings.kafka import load as kafka_address

KAFKA = "kafka: {bootstrap: 'broker:9092'}\nstate: {checkpoints: /data/checkpoints}\n"


def written(folder: Path, text: str) -> Path:
    file = folder / "job.yaml"
    file.write_text(text)
    return file


@pytest.mark.parametrize("name", ["embedded", "local", "cluster"])
def test_the_configurations_that_come_with_it_are_valid(name: str) -> None:
    settings = load(f"conf/{name}.yaml")
    assert (settings.files is None) != (settings.kafka is None)


def test_sections_of_other_processes_are_no_mistakes(tmp_path: Path) -> None:
    """One configuration is for all of them."""
    wholes = (
        alarms.Conf, api.ApiSettings, bridge._Section, delivery.Conf, gateway.Conf, people.PeopleSettings,
        warehouse._Section,
    )  # fmt: skip
    sections = {field.encode_name for whole in wholes for field in msgspec.structs.fields(whole)} - {"place"}
    assert sections - set(get_type_hints(Settings)) == set(OTHERS)
    load(written(tmp_path, KAFKA + "".join(f"{name}: {{x: 1}}\n" for name in OTHERS)))


def test_durations_and_defaults(tmp_path: Path) -> None:
    settings = load(written(tmp_path, KAFKA + "time: {lateness: 0s, idle_timeout: 10m}"))
    assert (settings.time.lateness, settings.time.idle_timeout, settings.time.alignment) == (0, 600_000, 60_000)
    assert settings.state.backend == "hashmap"


def test_overrides_reach_sections_that_the_file_does_not_have(tmp_path: Path) -> None:
    overrides = [
        "time.lateness=500ms",
        "job.parallelism=2",
        "kafka.exactly_once=true",
        "kafka.properties.security.protocol=SASL_SSL",
        "flink.rest.port=8081",
        "flink.rest.flamegraph.enabled=true",
        "job.jars=[a.jar, b.jar]",
    ]
    settings = load(written(tmp_path, KAFKA), overrides)
    assert settings.kafka is not None
    assert settings.time.lateness == 500
    assert settings.job.parallelism == 2
    assert settings.kafka.exactly_once is True
    assert settings.kafka.properties == {"security.protocol": "SASL_SSL"}
    assert settings.flink == {"rest.port": "8081", "rest.flamegraph.enabled": "true"}
    assert settings.job.jars == ["a.jar", "b.jar"]


def test_values_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOB_TEST_GROUP", "blue")
    monkeypatch.delenv("JOB_TEST_NAME", raising=False)
    file = written(tmp_path, KAFKA)
    settings = load(file, ["kafka.group='${JOB_TEST_GROUP}-1'", "job.name='${JOB_TEST_NAME:-kairos}'"])
    assert settings.kafka is not None
    assert (settings.kafka.group, settings.job.name) == ("blue-1", "kairos")
    with pytest.raises(SettingsError, match="JOB_TEST_NAME is not set"):
        load(file, ["job.name='${JOB_TEST_NAME}'"])


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("kafka.bootsrap=x", "unknown key 'kafka.bootsrap'; did you mean 'bootstrap'?"),
        ("kafak.bootstrap=x", "unknown key 'kafak'; did you mean 'kafka'?"),
        ("zzz=1", "unknown key 'zzz'; valid keys: "),
        ("time.lateness=5", "time.lateness: expected a duration such as"),
        ("time.lateness=-5s", "time.lateness: expected a duration such as"),
        ("job.parallelism=many", "job.parallelism: Expected `int`"),
        ("job.parallelism=0", "job.parallelism must be at least 1"),
        ("job.mode=threads", "job.mode: Invalid enum value 'threads'"),
        ("state.checkpoints=null", "'state.checkpoints' is missing"),
        ("time=3", "time: Expected `object`"),
        ("time", "expected section.key=value"),
        ("=3", "expected section.key=value"),
        ("kafka.bootstrap.x=3", "'bootstrap' is not a section"),
        ("job.name=[", "not a YAML value"),
        ("files.events=a", "files"),
        ("profiles={redis: 'redis://x', file: p.json}", "from 'redis' or from 'file'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(written(tmp_path, KAFKA), [override])
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "a mapping of sections is expected"),
        ("a: [", "not valid YAML"),
        ("job: {name: x}", "exactly one of the sections 'files' (bounded) and 'kafka' (live)"),
        (KAFKA + "files: {events: a, output: b}", "exactly one of the sections"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(written(tmp_path, text))
    assert message in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere.yaml: cannot be read: No such file"):
        load(tmp_path / "nowhere.yaml")


@pytest.mark.parametrize(
    ("override", "reads"),
    [
        ([], r"events\..*|receipts"),
        (["kafka.prefix=blue."], r"events\..*|blue\.receipts"),
        (["kafka.prefix=blue.", r"kafka.events='shop\..*'"], r"shop\..*"),
    ],
)
def test_what_the_job_reads_is_told_to_heartbeats_and_loader_alike(
    tmp_path: Path, override: list[str], reads: str
) -> None:
    file = written(tmp_path, KAFKA)
    kafka = load(file, override).kafka
    assert kafka is not None
    assert kafka.reads == kafka_address(file, override).reads == reads


def keys(shape: type, place: str = "") -> set[str]:
    found: set[str] = set()
    for name, hint in get_type_hints(shape).items():
        sections = [
            kind for kind in (hint, *get_args(hint)) if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        ]
        found |= keys(sections[0], f"{place}{name}.") if sections else {place + name}
    return found


def test_every_key_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| .+ \| .+ \|$", Path("docs/job.md").read_text(), re.MULTILINE)
    documented = {key for key in rows if key.partition(".")[0] in get_type_hints(Settings)}
    assert documented == keys(Settings)
