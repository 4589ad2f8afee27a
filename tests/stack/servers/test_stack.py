"""The local stack, started for real: idempotent, checked over its protocols, none the worse for a crash."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pymysql
import pytest
from kafka import KafkaAdminClient
from redis import Redis

from kairos.apps.stack import ServiceError, Stack

pytestmark = pytest.mark.stack

OwnStack = Callable[..., Stack]


def pids(stack: Stack) -> dict[str, int | None]:
    return {row.name: row.pid for row in stack.status()}


def test_all_services_answer_and_a_second_up_changes_nothing(stack: Stack) -> None:
    before = pids(stack)
    stack.up()
    assert pids(stack) == before
    assert {row.name: row.state for row in stack.status()} == dict.fromkeys(
        ["kafka", "redis", "mariadb", "rabbitmq", "heartbeat"], "up"
    )


def test_each_service_takes_what_its_clients_send(stack: Stack) -> None:
    with Redis.from_url(stack.settings.redis_url, decode_responses=True) as redis:
        redis.hset("profile:stack-test", "name", "Ann")
        assert redis.hget("profile:stack-test", "name") == "Ann"
    settings = stack.settings
    database = pymysql.connect(
        host=settings.host, port=settings.mariadb_port, user="kairos", password="kairos", database="kairos"
    )
    with database, database.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS stack_test (text VARCHAR(20)) ENGINE=InnoDB")
        cursor.execute("REPLACE INTO stack_test VALUES ('忘れ物')")
        cursor.execute("SELECT text FROM stack_test LIMIT 1")
        assert cursor.fetchone() == ("忘れ物",)
        with pytest.raises(pymysql.MySQLError):
            cursor.execute("SELECT user FROM mysql.user")


def test_kafka_makes_no_topic_by_itself(stack: Stack) -> None:
    admin = KafkaAdminClient(bootstrap_servers=stack.settings.kafka)
    try:
        admin.describe_topics(["events.nobody-made-this"])
        assert "events.nobody-made-this" not in admin.list_topics()
    finally:
        admin.close()


def test_what_was_written_outlives_a_crash(own_stack: OwnStack) -> None:
    stack = own_stack("redis", "mariadb")
    with Redis.from_url(stack.settings.redis_url) as redis:
        redis.set("kept", "yes")
    stack.kill("redis")
    stack.kill("mariadb")
    assert {row.state for row in stack.status() if row.name in ("redis", "mariadb")} == {"down"}

    stack.up(["redis", "mariadb"])

    with Redis.from_url(stack.settings.redis_url, decode_responses=True) as redis:
        assert redis.get("kept") == "yes"


def test_a_pid_of_an_earlier_life_is_not_taken_for_the_service(own_stack: OwnStack) -> None:
    stack = own_stack("redis")
    stack.down(["redis"])
    pid_file = stack.settings.folder / "redis.pid"
    pid_file.write_text('{"pid": 1, "started": 12.5}')

    assert pids(stack)["redis"] is None
    stack.up(["redis"])

    assert pids(stack)["redis"] not in (None, 1)


def test_a_taken_port_is_named_with_its_holder(own_stack: OwnStack) -> None:
    stack = own_stack("redis")
    stack.down(["redis"])
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind((stack.settings.host, stack.settings.redis_port))
        squatter.listen()
        with pytest.raises(
            ServiceError, match=rf"redis cannot start: port {stack.settings.redis_port} is held by .*pid"
        ):
            stack.up(["redis"])


def test_frozen_is_not_up(own_stack: OwnStack) -> None:
    stack = own_stack("redis")
    stack.freeze("redis")
    try:
        assert next(row.state for row in stack.status() if row.name == "redis") == "failing"
    finally:
        stack.thaw("redis")
    assert next(row.state for row in stack.status() if row.name == "redis") == "up"


def test_a_frozen_one_can_be_stopped(own_stack: OwnStack) -> None:
    stack = own_stack("redis")
    stack.freeze("redis")
    stack.down(["redis"])
    assert pids(stack)["redis"] is None


def test_the_scheduler_is_at_work_beside_it(own_stack: OwnStack) -> None:
    stack = own_stack("kafka", "redis", "mariadb")
    stack.up(["scheduler"])
    row = next(row for row in stack.status() if row.name == "scheduler")
    assert (row.state, row.detail) == ("up", "ready")
    stack.down(["scheduler"])
    assert "scheduler" not in pids(stack)


def test_one_that_dies_at_its_start_is_shown_with_its_log(own_stack: OwnStack) -> None:
    stack = own_stack("mariadb")
    stack.down(["mariadb"])
    (stack.settings.folder / "mariadb" / "ibdata1").write_bytes(b"no database")
    with pytest.raises(ServiceError, match=r"(?s)mariadb did not start: it ended at once.*ibdata1"):
        stack.up(["mariadb"])
