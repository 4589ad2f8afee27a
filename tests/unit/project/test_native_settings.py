"""Settings of stack and cluster: the file, the environment over it, and mistakes that are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.apps.cluster.settings import ClusterSettings
from kairos.apps.native.settings import ServiceError, load
from kairos.apps.stack.settings import StackSettings

ROOT = Path(__file__).parents[3]


def written(folder: Path, text: str) -> Path:
    path = folder / "stack.yaml"
    path.write_text(text)
    return path


def test_the_environment_stands_over_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "kafka_port: 9092\nredis_port: 6379\n")
    settings = load(StackSettings, path, "KAIROS_STACK", {"KAIROS_STACK_REDIS_PORT": "7000"})
    assert settings.kafka == "127.0.0.1:9092"
    assert settings.redis_url == "redis://127.0.0.1:7000/0"


def test_a_folder_is_a_path(tmp_path: Path) -> None:
    path = written(tmp_path, "folder: data/stack\n")
    assert load(StackSettings, path, "KAIROS_STACK", {"KAIROS_STACK_JARS": "jars"}).jars == Path("jars")
    assert load(StackSettings, path, "KAIROS_STACK", {}).folder == Path("data/stack")


def test_no_file_means_defaults(tmp_path: Path) -> None:
    assert load(StackSettings, tmp_path / "none.yaml", "KAIROS_STACK", {}).kafka_port == StackSettings().kafka_port


@pytest.mark.parametrize(
    ("text", "named"),
    [("kafka_prot: 9092", "kafka_prot"), ("kafka_port: many", "kafka_port"), ("kafka_port: [", "not valid YAML")],
)
def test_a_mistake_is_named_with_the_file(tmp_path: Path, text: str, named: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ServiceError, match=named) as error:
        load(StackSettings, path, "KAIROS_STACK", {})
    assert str(path) in str(error.value)


def test_the_shipped_files_say_what_the_defaults_are() -> None:
    stack = load(StackSettings, ROOT / "conf/stack.yaml", "KAIROS_STACK", {})
    cluster = load(ClusterSettings, ROOT / "conf/flink/cluster.yaml", "KAIROS_CLUSTER", {})
    assert (stack, cluster) == (StackSettings(), ClusterSettings())
