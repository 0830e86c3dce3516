"""A Dask cluster of two processes on this machine, for studies that run on one."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1",
        dashboard_address="127.0.0.1:0",  # with None it takes port 8787 of every address
    ) as local:  # fmt: skip
        yield local.scheduler_address
