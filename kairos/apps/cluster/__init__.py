"""A standalone Flink cluster on this machine, made of pip's Flink, and the job on it."""

from kairos.apps.cluster.cluster import Cluster
from kairos.apps.cluster.settings import ClusterSettings, load_settings
from kairos.apps.native.settings import ServiceError

__all__ = ["Cluster", "ClusterSettings", "ServiceError", "load_settings"]
