# SPDX-License-Identifier: Apache-2.0
"""Paths and fixtures of the fake cloud's own tests."""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", "..", ".."))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "support"), os.path.join(ROOT, "tools")]


@pytest.fixture
def start_cloud(tmp_path):
    """start_cloud(**changes): a fake cloud that ends with the test."""
    from cloud import FakeCloud
    running = []

    def start(scenario=None, **changes):
        running.append(FakeCloud(scenario, tmp_path / str(len(running)), **changes).start())
        return running[-1]

    yield start
    for cloud in running:
        cloud.stop()
