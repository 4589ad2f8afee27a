"""People who look at the screens of the console, one after the other: a file of locust's.

PATHS: what they look at, with commas between; `{}` stands for a number below NUMBERS. PAUSE: how long (s) each looks at
a page before the next, at least and at most, with a comma between.
"""

from __future__ import annotations

import os
import random

from locust import HttpUser, between, task

PATHS, NUMBERS = os.environ["PATHS"].split(","), int(os.environ["NUMBERS"])
LEAST, MOST = map(float, os.environ["PAUSE"].split(","))


class Person(HttpUser):
    wait_time = between(LEAST, MOST)

    @task
    def look(self) -> None:
        path = random.choice(PATHS)
        with self.client.get(path.format(random.randrange(NUMBERS)), name=path, catch_response=True) as said:
            if said.status_code != 200 or "</html>" not in said.text:
                said.failure(f"{said.status_code}, {len(said.text)} bytes")
