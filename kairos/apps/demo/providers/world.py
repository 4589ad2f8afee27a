"""What the stand-ins share: made-up accounts, their books, and the folder from which clients read their secrets."""

from __future__ import annotations

import base64
import secrets
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import trustme
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from kairos.adapters.channels.secret import Secret
from kairos.apps.demo.providers.desk import Desk

PROVIDERS = ("twilio", "aliyun_sms", "fcm", "wechat", "webhook", "apprise", "smtp")
_TELL_REPEATS = frozenset({"wechat", "webhook"})

ACCOUNT = "AC00000000000000000000000000000001"
SENDER = "+15005550006"
ACCESS_KEY = "demo-access-key"
SIGN_NAME = "示例"
APPID = "wx0000000000000001"
PROJECT = "demo-project"
CLIENT_EMAIL = "kairos@demo-project.example"
USER = "kairos"
_NAMES = ("twilio_token", "access_secret", "appsecret", "wechat_token", "report_token", "smtp_password")


class World:
    """`folder` gets the secrets, a certificate and `taken.jsonl`, the books of all providers. `now`: epoch ms.

    `tokens`: the access token that holds, by provider; `issued`: how many there were.
    """

    def __init__(self, folder: Path, now: Callable[[], int]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.now = folder, now
        self.secrets = {name: secrets.token_hex(16) for name in _NAMES}
        self.secrets["webhook"] = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        self.key: RSAPrivateKey = generate_private_key(65537, 2048)
        self.tokens: dict[str, str] = {}
        self.issued: Counter[str] = Counter()
        self.authority = trustme.CA()
        self.certificate = self.authority.issue_cert("127.0.0.1", "localhost")
        self._books = (folder / "taken.jsonl").open("ab", buffering=0)
        self.desks = {name: Desk(name, name in _TELL_REPEATS, now, self._books.write) for name in PROVIDERS}

    def close(self) -> None:
        self._books.close()

    def secret(self, name: str) -> Secret:
        return Secret(self.secrets[name])

    def new_token(self, provider: str) -> str:
        self.tokens[provider] = secrets.token_hex(16)
        self.issued[provider] += 1
        return self.tokens[provider]

    def options(self, http: str, smtp_port: int) -> dict[str, dict[str, Any]]:
        """Options of `open_channel` for each provider, with which a client reaches its stand-in.

        `http`: the URL where the stand-ins of HTTP listen. Writes the secrets' files, readable for their owner alone.
        """
        for name, text in self.secrets.items():
            self._write(name, text)
        self._write("service_account.json", self._service_account(http))
        self._write("apprise", f"{http.replace('http://', 'json://')}/apprise/{{address}}")
        self.authority.cert_pem.write_to_path(str(self.folder / "ca.pem"))
        return {
            "twilio": {"account": ACCOUNT, "token": self._file("twilio_token"), "sender": SENDER, "base_url": http},
            "aliyun_sms": {
                "access_key": ACCESS_KEY,
                "access_secret": self._file("access_secret"),
                "signature": SIGN_NAME,
                "template": "SMS_1",
                "callback_token": self._file("report_token"),
                "base_url": http,
            },
            "fcm": {"service_account": self._file("service_account.json"), "base_url": http},
            "wechat": {
                "appid": APPID,
                "secret": self._file("appsecret"),
                "template": "T-1",
                "callback_token": self._file("wechat_token"),
                "base_url": http,
            },
            "webhook": {"url": f"{http}/webhook", "secret": self._file("webhook")},
            "apprise": {"url": self._file("apprise")},
            "smtp": {
                "host": "127.0.0.1",
                "port": smtp_port,
                "sender": "Kairos <hello@shop.example>",
                "user": USER,
                "password": self._file("smtp_password"),
                "ca_file": str(self.folder / "ca.pem"),
            },
        }

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")

    def _file(self, name: str) -> dict[str, str]:
        return {"file": str(self.folder / name)}

    def _service_account(self, http: str) -> str:
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        account = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "1",
            "private_key": pem,
            "client_email": CLIENT_EMAIL,
            "token_uri": f"{http}/token",
        }
        return msgspec.json.encode(account).decode()
