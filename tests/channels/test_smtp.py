"""Mail as it arrives, and the ways of reaching a server."""

from __future__ import annotations

from typing import Any

import pytest
from channel_kit import KEY, House, message

from kairos.adapters.channels.channel import Accepted, DeadAddress, Misconfigured, Rejected, Retry
from kairos.adapters.channels.providers import ChannelSettingsError, open_channel
from kairos.apps.demo.providers.desk import Fault

TO = "anna@example.com"


def test_a_mail_arrives(providers: House) -> None:
    desk = providers.desk("smtp")
    head = {"subject": "谢谢 für alles"}
    sent = message(address=TO, headers=head, text="Grüße\n.\n\nfrom us")
    assert isinstance(providers.send("smtp", sent)[0], Accepted)
    (taken,) = desk.taken
    assert taken.key == KEY
    assert taken.message == {
        "subject": "谢谢 für alles",
        "from": "Kairos <hello@shop.example>",
        "text": "Grüße\n.\n\nfrom us\n",
        "type": "text/plain",
    }


@pytest.mark.parametrize(("html", "kind"), [(True, "text/html"), (False, "text/plain")])
def test_a_page_is_what_its_template_was_not_what_a_value_looks_like(providers: House, html: bool, kind: str) -> None:
    desk = providers.desk("smtp")
    providers.send("smtp", message(address=TO, text="<!doctype html><p>Hello", html=html))
    assert desk.taken[0].message["type"] == kind


def test_many_over_one_connection(providers: House) -> None:
    desk = providers.desk("smtp", Fault("fine"), Fault("refused", code="550 5.1.1 nobody"), Fault("dropped"))
    messages = [message(address=TO, key=f"{number:032x}") for number in range(5)]
    outcomes = providers.send("smtp", *messages)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Accepted, DeadAddress, Accepted, Accepted, Accepted]  # what was cut went over a new connection
    assert [taken.key for taken in desk.taken] == [messages[n].key for n in (0, 2, 3, 4)]


def test_a_refusal_is_not_tried_again_on_a_new_connection(providers: House) -> None:
    desk = providers.desk("smtp", Fault("fine"), Fault("error"))
    outcomes = providers.send("smtp", message(address=TO), message(address=TO))
    assert [type(outcome) for outcome in outcomes] == [Accepted, Retry]
    assert len(desk.taken) == 1


def test_a_server_that_ends_a_kept_connection_is_called_again(providers: House) -> None:
    desk = providers.desk("smtp", Fault("fine"), Fault("refused", code="421 4.4.2 enough for one connection"))
    outcomes = providers.send("smtp", message(address=TO), message(address=TO))
    assert [type(outcome) for outcome in outcomes] == [Accepted, Accepted]
    assert len(desk.taken) == 2


def test_a_server_that_takes_no_connection_at_all(providers: House) -> None:
    desk = providers.desk("smtp", Fault("refused", code="421 4.3.2 not today"))
    assert providers.send("smtp", message(address=TO)) == [Retry("421 4.3.2 not today")]
    assert desk.taken == []


def test_a_kept_connection_that_the_server_has_cut_costs_nothing(providers: House) -> None:
    """The next message goes over a new one, at once."""
    desk = providers.desk("smtp", Fault("fine"), Fault("dropped"))
    first, second = providers.send("smtp", message(address=TO), message(address=TO))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert len(desk.taken) == 2


def test_tls_from_the_first_byte(providers: House) -> None:
    desk = providers.desk("smtp")
    options = {"tls": "implicit", "port": providers.opened.smtp_tls_port}
    assert isinstance(providers.send("smtp", message(address=TO), **options)[0], Accepted)
    assert len(desk.taken) == 1


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"ca_file": None}, Retry),  # the certificate is of an authority that this machine does not know
        ({"user": None, "password": None}, Misconfigured),  # the server wants a login
        ({"tls": "none"}, Misconfigured),  # the server wants STARTTLS before it
    ],
)
def test_ways_that_the_server_does_not_take(providers: House, options: dict[str, Any], kind: type) -> None:
    desk = providers.desk("smtp")
    assert isinstance(providers.send("smtp", message(address=TO), **options)[0], kind)
    assert desk.taken == []


@pytest.mark.parametrize("address", ["anna", "anna@", "@example.com", "a b@example.com", "änna@example.com", "a\n@b.c"])
def test_what_is_no_address(providers: House, address: str) -> None:
    assert providers.send("smtp", message(address=address)) == [DeadAddress("not an address")]


def test_no_value_writes_a_header(providers: House) -> None:
    desk = providers.desk("smtp")
    (outcome,) = providers.send("smtp", message(address=TO, headers={"subject": "x\r\nBcc: all@example.com"}))
    assert isinstance(outcome, Rejected)
    assert desk.taken == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"host": "mail.example", "tls": "none"}, "x.tls: 'none' is for servers on this machine only"),
        ({"sender": "nobody"}, "x.sender: 'nobody' is not an address"),
        ({"user": "a"}, "'user' and 'password' belong together"),
        ({"ca_file": "no/such.pem"}, "x.ca_file: no/such.pem: No such file or directory"),
        ({"tls": "ssl"}, "x.tls: Invalid enum value 'ssl'"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], said: str) -> None:
    whole = {"host": "127.0.0.1", "sender": "a@shop.example", **options}
    with pytest.raises(ChannelSettingsError) as error:
        open_channel("smtp", whole, timeout=1000, place="x")
    assert said in str(error.value)
