"""What Kafka's clients are told: a configuration's properties, under the names that they have in Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from kairos.adapters.settings.file import SettingsError
from kairos.adapters.settings.kafka import KafkaAddress

_TEXTS = {
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "ssl.truststore.location": "ssl_cafile",
    "ssl.keystore.location": "ssl_certfile",
    "ssl.key.location": "ssl_keyfile",
    "ssl.key.password": "ssl_password",
}
_HANDLED = {*_TEXTS, "sasl.jaas.config", "ssl.endpoint.identification.algorithm", "ssl.truststore.type"}
_HANDLED |= {"ssl.keystore.type"}


def client_options(kafka: KafkaAddress) -> dict[str, Any]:
    """Arguments of kafka-python's clients: Java's security properties under their names there; others are left out.

    Raises SettingsError for a security property that has no counterpart here: to leave it out would be less safe.
    """
    properties = kafka.properties
    for key in properties:
        if key.startswith(("ssl.", "sasl.", "security.")) and key not in _HANDLED:
            raise SettingsError(
                f"kafka.properties: '{key}' cannot be honoured outside the JVM; there are {', '.join(sorted(_HANDLED))}"
            )
    for store in ("ssl.truststore", "ssl.keystore"):
        if f"{store}.location" in properties and properties.get(f"{store}.type", "JKS").upper() != "PEM":
            raise SettingsError(f"kafka.properties: '{store}.type' must be PEM: a JKS file is readable by the JVM only")
    options: dict[str, Any] = {name: properties[key] for key, name in _TEXTS.items() if key in properties}
    if properties.get("ssl.endpoint.identification.algorithm") == "":
        options["ssl_check_hostname"] = False
    return {"bootstrap_servers": kafka.bootstrap, **options, **_login(properties)}


def _login(properties: Mapping[str, str]) -> dict[str, str]:
    jaas = properties.get("sasl.jaas.config")
    if jaas is None:
        return {}
    quoted = re.findall(r'(\w+)\s*=\s*"((?:[^"\\]|\\.)*)"', jaas)
    words = {name: re.sub(r"\\(.)", r"\1", text) for name, text in quoted}
    if "username" not in words or "password" not in words:
        raise SettingsError('kafka.properties: \'sasl.jaas.config\' must name username="..." and password="..."')
    return {"sasl_plain_username": words["username"], "sasl_plain_password": words["password"]}
