"""PyTorch's threads among the processes of a machine."""

import warnings

import pytest
import torch

from derender_training.threads import set_threads


@pytest.fixture(autouse=True)
def four_cores(monkeypatch):
    """A machine of four cores, whose first process this is."""
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setenv("LOCAL_RANK", "0")
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_threads_are_set_or_left():
    set_threads(2)
    assert torch.get_num_threads() == 2
    set_threads(None)
    assert torch.get_num_threads() == 2


def test_more_threads_than_cores_are_told(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.warns(UserWarning, match="2 processes of 3 threads each share 4 cores.*num_threads to 2"):
        set_threads(3)
    with pytest.warns(UserWarning, match="2 processes of 3 threads"):
        set_threads(None)


@pytest.mark.parametrize(
    ("processes", "rank", "threads"),
    [("2", "0", 2), ("8", "0", 1), ("1", "0", 8), ("2", "1", 3)],
    ids=["enough cores", "no fewer threads", "one process", "another process tells it"],
)
def test_nothing_is_told(monkeypatch, processes, rank, threads):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
    monkeypatch.setenv("LOCAL_RANK", rank)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        set_threads(threads)
