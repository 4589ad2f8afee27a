"""The process that JavaScript runs in. The package starts this very text: it imports nothing of Kairos.

Reads requests from standard input, a line each: `[source, names, values]`, `values` being a text of JSON. Answers with
one byte (below). Time is not limited here: the parent kills what takes too long. A broken memory limit ends the process
too, by V8 itself where it comes to that; this is why it is a process.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the parent needs the constants alone, and mini-racer takes 80 ms
    from py_mini_racer import MiniRacer

MEMORY_MB = 64
ORPHAN_SECONDS = 10  # the parent is long gone when a script runs so long: end with it

READY = b"r"
TRUE = b"t"
FALSE = b"f"
FAILED = b"e"  # the script threw, or is none
EXHAUSTED = b"m"  # it took too much memory
SPOILT = b"s"  # the script was not run: the one before left the global object in a state that cannot be cleaned

# One isolate serves all calls. What a script finds is as good as a fresh global: everything that the language brings
# along is frozen, and what a script adds to the global object is removed before the next one. Without code from text,
# and without `async` (refused beforehand), nothing outlives a call. A parameter of the same name hides `kairos`.
HARNESS = r"""
const kairos = (() => {
  "use strict";
  const {freeze, getPrototypeOf, defineProperty, isExtensible} = Object;
  const {ownKeys, getOwnPropertyDescriptor, deleteProperty, setPrototypeOf} = Reflect;
  const {parse} = JSON, compile = Function, OwnDate = Date;

  // No clock, no random, nothing that goes on after the answer, no memory beside the heap, no state inside RegExp.
  const typed = ownKeys(globalThis).filter(name => /^(Big)?(Int|Uint|Float)\d+(Clamped)?Array$/.test(String(name)));
  for (const name of ["console", "WebAssembly", "SharedArrayBuffer",
    "Atomics", "ArrayBuffer", "DataView", "WeakRef", "FinalizationRegistry", "Intl", "Temporal", "eval", "Promise",
    "AsyncDisposableStack", ...typed]) delete globalThis[name];
  for (const name of ownKeys(RegExp)) if (name !== "prototype") delete RegExp[name];
  for (const name of ["setTimeout", "clearTimeout", "__timer_manager"]) globalThis[name] = undefined;  // of mini-racer
  delete Array.fromAsync;
  delete Math.random;
  delete Error.captureStackTrace;

  const date = function Date(...parts) {
    if (!new.target || parts.length === 0) throw new TypeError("there is no clock");
    return new OwnDate(...parts);
  };
  date.parse = OwnDate.parse;
  date.UTC = OwnDate.UTC;
  date.prototype = OwnDate.prototype;
  defineProperty(OwnDate.prototype, "constructor", {value: date});
  globalThis.Date = date;

  const functions = [function () {}, function* () {}, async function () {}, async function* () {}].map(getPrototypeOf);
  for (const prototype of functions) {
    const refuse = function Function() { throw new TypeError("no code from text"); };
    refuse.prototype = prototype;
    defineProperty(prototype, "constructor", {value: refuse});
  }
  globalThis.Function = functions[0].constructor;

  const seen = new Set([globalThis]);
  const deepFreeze = value => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
    seen.add(value);
    freeze(value);
    deepFreeze(getPrototypeOf(value));
    for (const key of ownKeys(value)) {
      const property = getOwnPropertyDescriptor(value, key);
      deepFreeze(property.value);
      deepFreeze(property.get);
      deepFreeze(property.set);
    }
  };
  seen.add(Object.prototype).add(Error.prototype);
  for (const value of [__TimerManager, ...functions, function* () {}, (function* () {})(), [].values(),
    new Map().values(), new Set().values(), "".matchAll(/x/g), ""[Symbol.iterator](), [].values().map(x => x),
    Iterator.from({next() {}})]) deepFreeze(value);
  // What is frozen in a prototype cannot be assigned in its heirs, unless it is an accessor.
  for (const prototype of [Object.prototype, Error.prototype]) for (const key of ownKeys(prototype)) {
    const {value, configurable} = getOwnPropertyDescriptor(prototype, key);
    if (value === undefined || !configurable) continue;
    deepFreeze(value);
    defineProperty(prototype, key, {
      get() { return value; },
      set(own) {
        defineProperty(this, key, {value: own, writable: true, enumerable: true, configurable: true});
      },
    });
  }
  const baseline = new Set(ownKeys(globalThis));
  for (const prototype of [Object.prototype, Error.prototype]) seen.delete(prototype);
  for (const name of baseline) {
    deepFreeze(globalThis[name]);
    defineProperty(globalThis, name, {writable: false, configurable: false});
  }
  const parent = getPrototypeOf(globalThis);
  deepFreeze(parent);

  const frozen = value => {
    if (typeof value === "object" && value !== null) {
      for (const key of ownKeys(value)) frozen(value[key]);
      freeze(value);
    }
    return value;
  };
  const clean = () => {
    for (const key of ownKeys(globalThis)) if (!baseline.has(key) && !deleteProperty(globalThis, key)) return false;
    return isExtensible(globalThis) && setPrototypeOf(globalThis, parent);
  };
  const added = [];
  return freeze({
    add: (names, source) => {
      const script = compile(...names, "kairos", "return (" + source + "\n)");
      freeze(script.prototype);
      return added.push(freeze(script)) - 1;
    },
    run: (index, text) => clean() ? added[index](...parse(text).map(frozen)) === true : null,
  });
})();
0
"""


def main() -> None:
    from py_mini_racer import DEFAULT_V8_FLAGS, MiniRacer, init_mini_racer

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    init_mini_racer(flags=[*DEFAULT_V8_FLAGS, f"--max-old-space-size={MEMORY_MB}", "--max-semi-space-size=4"])
    isolate = MiniRacer()
    isolate.set_hard_memory_limit(MEMORY_MB << 20)
    isolate.eval(HARNESS)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    known: dict[tuple[str, ...], int] = {}
    answers.write(READY)
    for line in sys.stdin.buffer:
        signal.alarm(ORPHAN_SECONDS)
        answer = _ask(isolate, known, line)
        signal.alarm(0)
        answers.write(answer)
        if answer in (EXHAUSTED, SPOILT):
            return


def _ask(isolate: MiniRacer, known: dict[tuple[str, ...], int], line: bytes) -> bytes:
    from py_mini_racer import JSEvalException, JSOOMException

    source, names, values = json.loads(line)
    key = (source, *names)
    try:
        if key not in known:
            known[key] = int(str(isolate.eval(f"kairos.add({json.dumps(names)}, {json.dumps(source)})")))
        result = isolate.eval(f"kairos.run({known[key]}, {json.dumps(values)})")
    except JSOOMException:
        return EXHAUSTED
    except JSEvalException:
        return FAILED
    if result is None:
        return SPOILT
    return TRUE if result is True else FALSE


if __name__ == "__main__":
    try:
        main()
    finally:
        os._exit(0)  # without waiting for what still runs in V8
