"""Mail as it arrives, and the ways of reaching a server."""

from __future__ import annotations

from typing import Any

import pytest
from aiosmtplib import SMTPResponseException

from kairos.adapters.channels.channel import Accepted, DeadAddress, Misconfigured, Outcome, Rejected, Retry
from kairos.adapters.channels.providers import ChannelSettingsError, open_channel
from kairos.adapters.channels.smtp_replies import outcome_of_reply
from kairos.apps.demo.providers.desk import Fault
from tests.channels.channel_kit import KEY, House, message

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


NO_ADDRESSES = ["anna", "anna@", "@example.com", "a b@example.com", "a\n@b.c", "a@b..c", "a@-b.c", "a@☃.example"]


@pytest.mark.parametrize("address", [*NO_ADDRESSES, "=?utf-8?q?a=0D=0ABcc:_b?=@example.com"])
def test_what_is_no_address(providers: House, address: str) -> None:
    assert providers.send("smtp", message(address=address)) == [DeadAddress("not an address")]


@pytest.mark.parametrize("address", ["leser@bücher.example", "leser@BÜCHER。example", "leser@xn--bcher-kva.example"])
def test_a_domain_in_another_script_goes_out_in_ascii(providers: House, address: str) -> None:
    desk = providers.desk("smtp")
    assert isinstance(providers.send("smtp", message(address=address))[0], Accepted)
    assert desk.taken[0].address == "leser@xn--bcher-kva.example"


def test_a_sender_in_another_script(providers: House) -> None:
    desk = providers.desk("smtp")
    assert isinstance(providers.send("smtp", message(address=TO), sender="Bücher <post@bücher.example>")[0], Accepted)
    assert desk.taken[0].message["from"] == "Bücher <post@xn--bcher-kva.example>"


def test_a_name_in_another_script_needs_a_server_that_takes_it(providers: House) -> None:
    """The stand-in has no SMTPUTF8. The address is not dead: another server would take it."""
    desk = providers.desk("smtp")
    refused, fine = providers.send("smtp", message(address="änna@example.com"), message(address=TO))
    assert isinstance(refused, Rejected)
    assert "SMTPUTF8" in refused.reason
    assert isinstance(fine, Accepted)
    assert len(desk.taken) == 1


def test_no_value_writes_a_header(providers: House) -> None:
    desk = providers.desk("smtp")
    (outcome,) = providers.send("smtp", message(address=TO, headers={"subject": "x\r\nBcc: all@example.com"}))
    assert isinstance(outcome, Rejected)
    assert desk.taken == []


@pytest.mark.parametrize(
    "subject",
    [
        "=?utf-8?q?x=0D=0ABcc:_all@example.com?=",
        "=?utf-8?b?eA0KDQphIGJvZHkgb2YgbXkgb3du?=",
        "Anna =?us-ascii?q?=0a=0aX-Y:_z?= and more",
        "=?utf-8?q?" + "=0D=0AX:y" * 90 + "?=",
    ],
)
def test_what_looks_like_an_encoded_word_is_read_as_the_text_it_is(providers: House, subject: str) -> None:
    """The email package would decode it, and write the line breaks in it as lines of the mail."""
    desk = providers.desk("smtp")
    assert isinstance(providers.send("smtp", message(address=TO, headers={"subject": subject}))[0], Accepted)
    said = desk.taken[0].message
    assert (said["subject"], said["text"].strip()) == (subject, message().text)


@pytest.mark.parametrize(
    "reply",
    [
        "550 no such user here",
        "550 <ana@example.com>: Recipient address rejected: User unknown in relay recipient table",
        "550 user <ana@example.com> unknown",
        "553 mailbox does not exist",
    ],
)
def test_a_mailbox_that_is_not_there(reply: str) -> None:
    assert isinstance(_at_rcpt(reply), DeadAddress)


@pytest.mark.parametrize(
    "reply",
    [
        "550 blocked, 203.0.113.9 is on our block list, see https://bl.example/203.0.113.9",
        "550 rejected by DMARC policy of the sender's domain",
        "550 relaying denied",
        "550 too many messages, rate limited",
        "550 mailbox full",
        "550 mailbox unavailable",
        "550 sender address rejected: user unknown",
        "553 sorry, we take no mail from your server",
        "553 sorry, that domain isn't in my list of allowed rcpthosts",
        "550 5.2.1 this mailbox is switched off at the moment",
        "550 5.7.1 unknown user, or so we say to those on our list",
    ],
)
def test_a_refusal_of_us_says_nothing_of_the_mailbox(reply: str) -> None:
    """A mark on an address is for good: nobody would ever write to this user again."""
    assert isinstance(_at_rcpt(reply), Rejected)


def _at_rcpt(reply: str) -> Outcome:
    return outcome_of_reply(SMTPResponseException(int(reply[:3]), reply[4:]), "rcpt")


def test_a_message_that_looks_bad_to_the_server_is_not_the_channel_s_fault() -> None:
    error = SMTPResponseException(554, "5.7.0 this content is not wanted")
    assert isinstance(outcome_of_reply(error, "data"), Rejected)
    assert isinstance(outcome_of_reply(error, "mail"), Misconfigured)


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
