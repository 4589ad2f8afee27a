"""A Dubbo 3 consumer as a child process: what Dubbo's generator makes of events.proto, and DubboSender.java."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path
from types import TracebackType

from google.protobuf import text_format

from kairos.apps.grpc.events_pb2 import SendRequest, SendResponse
from kairos.apps.native.settings import data_folder

JARS = data_folder() / "jars" / "dubbo"
SOURCE = Path(__file__).parent / "DubboSender.java"
DEFINITION = Path(__file__).parents[3] / "kairos" / "apps" / "grpc" / "events.proto"
SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Compiling what is called a few times only costs more than it saves: with these the JVM needs a third of the time."""
LOOPBACK = 2**24 * 127 + 1
"""127.0.0.1 as one number: Dubbo takes loopback in its usual forms for the machine's address in the network."""


class StatusError(Exception):
    """The status that the call ended with: its name, and what it says."""

    def __init__(self, name: str, description: str) -> None:
        super().__init__(f"{name}: {description}")
        self.name = name
        self.description = description


class DubboSender:
    """A context: compiles into `folder`, runs until the context ends, makes one call at a time. `port`: of loopback."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._log = folder / "dubbo.log"
        self._url = f"tri://{LOOPBACK}:{port}"

    def __enter__(self) -> DubboSender:
        self._compile(self._generate())
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["java", *SHORT_LIVED, "-cp", f"{JARS}/*:{self._folder}", SOURCE.stem, self._url],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def send(self, key: str, request: SendRequest) -> SendResponse:
        """Raises StatusError."""
        assert self._process.stdin is not None
        text = text_format.MessageToString(request, as_one_line=True, as_utf8=False)
        self._process.stdin.write(f"{key}\t{text}\n")
        self._process.stdin.flush()
        status, answer = self._answer()
        if status != "OK":
            raise StatusError(status, answer)
        return text_format.Parse(answer, SendResponse())

    def _answer(self) -> tuple[str, str]:
        """Lines without a tab are Dubbo's own."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            status, tab, answer = line.rstrip("\n").partition("\t")
            if tab:
                return status, answer
        raise AssertionError(f"the client has ended:\n{self._log.read_text()}")

    def _generate(self) -> list[str]:
        """Java files, by protoc and Dubbo's plugin for it."""
        (protoc,) = JARS.glob("protoc-*.exe")
        protoc.chmod(0o755)
        plugin = self._folder / "plugin"
        plugin.write_text(f"#!/bin/sh\nexec java -cp '{JARS}/*' org.apache.dubbo.gen.tri.Dubbo3TripleGenerator\n")
        plugin.chmod(0o755)
        (known,) = JARS.glob("protobuf-java-*.jar")
        with zipfile.ZipFile(known) as jar:
            jar.extract("google/protobuf/struct.proto", self._folder)
        places = [f"-I{DEFINITION.parent}", f"-I{self._folder}"]
        outputs = [f"--java_out={self._folder}", f"--plugin=protoc-gen-tri={plugin}", f"--tri_out={self._folder}"]
        subprocess.run([protoc, *places, *outputs, DEFINITION], check=True)
        return [str(file) for file in self._folder.glob("kairos/**/*.java")]

    def _compile(self, generated: list[str]) -> None:
        javac = ["javac", *(f"-J{option}" for option in SHORT_LIVED), "-proc:none", "-nowarn", "-cp", f"{JARS}/*"]
        files = ["-d", str(self._folder), *generated, str(SOURCE)]
        subprocess.run([*javac, *files], check=True, stderr=subprocess.DEVNULL)  # notes about what Dubbo has deprecated
