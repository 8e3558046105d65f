"""One cluster for all."""

from collections.abc import Iterator

import pytest
from distributed import LocalCluster

from tests.pipeline.cluster.two_workers import two_workers


@pytest.fixture(scope="package")
def cluster() -> Iterator[LocalCluster]:
    with two_workers() as found:
        yield found
