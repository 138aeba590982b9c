# SPDX-License-Identifier: Apache-2.0
"""tools/deps/fetch.py refuses every source that is not what the lock file says."""
import hashlib
import importlib.util
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools/deps" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fetch = load("fetch")


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def package():
    return {
        "name": "thing",
        "version": "1.0-1",
        "orig": {"file": "thing_1.0.orig.tar.gz", "sha256": digest(b"upstream")},
        "debian": {"file": "thing_1.0-1.debian.tar.xz", "sha256": digest(b"patches")},
    }


class FakeApt:
    """Serves files of one version, and a newer one."""

    def __init__(self, directory, pinned, newest):
        self.directory, self.answers = directory, {"1.0-1": pinned, None: newest}

    def download(self, package, version):
        files = self.answers[version]
        if files is None:
            return None
        for name, data in files.items():
            (self.directory / name).write_bytes(data)
        return sorted(self.directory / name for name in files)


def fill(cache, orig=b"upstream", debian=b"patches"):
    cache.mkdir(exist_ok=True)
    (cache / "thing_1.0.orig.tar.gz").write_bytes(orig)
    (cache / "thing_1.0-1.debian.tar.xz").write_bytes(debian)


def test_cached_files_with_the_right_hash_are_used(tmp_path, package):
    fill(tmp_path / "cache")
    assert len(fetch.from_cache(package, tmp_path / "cache")) == 2


@pytest.mark.parametrize("part", ["orig", "debian"])
def test_a_tampered_file_in_the_cache_is_refused(tmp_path, package, part):
    fill(tmp_path / "cache", **{part: b"something else"})
    with pytest.raises(fetch.Refused, match="sha256"):
        fetch.from_cache(package, tmp_path / "cache")


def test_a_cache_without_the_files_is_no_source(tmp_path, package):
    assert fetch.from_cache(package, tmp_path) is None


def test_the_pinned_version_with_another_tarball_is_refused(tmp_path, package):
    apt = FakeApt(
        tmp_path,
        {"thing_1.0.orig.tar.gz": b"evil", "thing_1.0-1.debian.tar.xz": b"patches"},
        None,
    )
    with pytest.raises(fetch.Refused, match="sha256"):
        fetch.from_apt(package, apt, tmp_path / "cache")


def test_a_newer_debian_revision_is_taken_loudly(tmp_path, package, capsys):
    newer = {"thing_1.0.orig.tar.gz": b"upstream", "thing_1.0-2.debian.tar.xz": b"new patches"}
    files = fetch.from_apt(package, FakeApt(tmp_path, None, newer), tmp_path / "cache")
    assert [file.name for file in files] == sorted(newer, reverse=False)[::-1]
    assert fetch.version_of(package, files) == "1.0-2"
    assert "WARNING" in capsys.readouterr().out


def test_a_newer_upstream_version_is_refused(tmp_path, package):
    newer = {"thing_1.1.orig.tar.gz": b"other", "thing_1.1-1.debian.tar.xz": b"new patches"}
    with pytest.raises(fetch.Refused, match="sha256"):
        fetch.from_apt(package, FakeApt(tmp_path, None, newer), tmp_path / "cache")


def test_a_package_that_nobody_serves_is_refused(tmp_path, package):
    with pytest.raises(fetch.Refused, match="does not serve it"):
        fetch.from_apt(package, FakeApt(tmp_path, None, None), tmp_path / "cache")


def test_the_lock_names_a_hash_for_every_upstream_tarball():
    lock = fetch.load_lock(ROOT / "tools/deps/lock.json")
    names = {package["name"] for package in lock["packages"]}
    assert names == {
        "mbedtls", "curl", "lmdb", "jsmn", "zlib", "tpm2-tss", "qrencode", "musl", "cmocka"
    }
    assert all(package["licence"] for package in lock["packages"])
