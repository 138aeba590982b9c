#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fetch and unpack the third-party sources named in lock.json.

Trust: apt verifies the archive's signature (debian-archive-keyring) and with it every file's
hash; on top of that the sha256 of each upstream tarball is pinned in lock.json. A file is used
only if one of these holds:
  - its hash equals the lock (wherever it came from: cache, or apt with the pinned version);
  - it is the Debian part of a newer revision, came through apt just now, and the upstream
    tarball still matches.
Anything else stops the build.

Nothing outside of --out and --cache is written: apt works in a private directory, without root.
"""
import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class Refused(Exception):
    """A source that cannot be trusted, or cannot be had."""


def say(text):
    print(f"deps: {text}", flush=True)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def load_lock(path):
    lock = json.loads(path.read_text())
    for package in lock["packages"]:
        for part in ("orig", "debian"):
            pinned = package[part]
            if pinned is None and part == "debian":
                continue
            if len(pinned["sha256"]) != 64 or "/" in pinned["file"]:
                raise Refused(f"lock: {package['name']}: bad entry for {part}")
    return lock


def pinned_parts(package):
    return [package[part] for part in ("orig", "debian") if package[part]]


def verify(path, pinned):
    """Refuse a file whose hash is not the one in the lock."""
    found = sha256(path)
    if found != pinned["sha256"]:
        raise Refused(f"{path}: sha256 is {found}, lock.json says {pinned['sha256']}")


def from_cache(package, cache):
    """The package's files if all are cached. A wrong one is refused, not silently replaced."""
    files = [cache / pinned["file"] for pinned in pinned_parts(package)]
    if not all(file.is_file() for file in files):
        return None
    for file, pinned in zip(files, pinned_parts(package)):
        verify(file, pinned)
    return files


class PrivateApt:
    """An apt that reads the machine's mirror address and nothing else of its configuration."""

    def __init__(self, directory, lock):
        self.directory = directory
        for sub in (
            "etc/sources.list.d",
            "etc/preferences.d",
            "state/lists/partial",
            "cache/archives/partial",
        ):
            (directory / sub).mkdir(parents=True, exist_ok=True)
        (directory / "state/status").touch()
        if not pathlib.Path(KEYRING).is_file():
            raise Refused(f"{KEYRING} is missing: install debian-archive-keyring")
        source = (
            f"deb-src [signed-by={KEYRING}] {self.mirror()} {lock['suite']} {lock['component']}\n"
        )
        (directory / "etc/sources.list").write_text(source)
        conf = directory / "apt.conf"
        conf.write_text(self.config())
        self.env = dict(os.environ, APT_CONFIG=str(conf), LC_ALL="C")
        self.run("update")

    def config(self):
        base = self.directory
        lines = [
            f'Dir::Etc "{base}/etc";',
            f'Dir::Etc::SourceList "{base}/etc/sources.list";',
            f'Dir::Etc::SourceParts "{base}/etc/sources.list.d";',
            f'Dir::Etc::PreferencesParts "{base}/etc/preferences.d";',
            f'Dir::State "{base}/state";',
            f'Dir::State::status "{base}/state/status";',
            f'Dir::Cache "{base}/cache";',
            'Acquire::Languages "none";',
            'Acquire::Retries "3";',
            'APT::Sandbox::User "";',
        ]
        # A proxy is the one thing of the machine's settings that must not be lost.
        dump = subprocess.run(
            ["apt-config", "dump", "Acquire"], capture_output=True, text=True, check=True
        )
        lines += [line for line in dump.stdout.splitlines() if "::Proxy" in line]
        return "\n".join(lines) + "\n"

    @staticmethod
    def mirror():
        """The archive that serves this machine; never written into the project."""
        out = subprocess.run(
            [
                "apt-get",
                "indextargets",
                "--format",
                "$(REPO_URI)",
                "Created-By: Packages",
                "Component: main",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        bases = [uri for uri in out if "security" not in uri]
        if not bases:
            raise Refused(
                "apt knows no Debian archive: check /etc/apt/sources.list and run 'apt-get update'"
            )
        return max(sorted(set(bases)), key=bases.count)

    def run(self, *arguments):
        done = subprocess.run(
            ["apt-get", "-q", *arguments],
            cwd=self.directory,
            env=self.env,
            capture_output=True,
            text=True,
        )
        return done.returncode == 0, done.stdout + done.stderr

    def download(self, package, version):
        """Files of one source package (version None: the newest that the index has), or None."""
        target = package["name"] if version is None else f"{package['name']}={version}"
        for old in self.directory.glob(f"{package['name']}_*"):
            old.unlink()
        options = ["--only-source", "--download-only"]
        if package["debian"] is None:
            options.append("--tar-only")
        done, log = self.run("source", *options, target)
        if not done:
            (self.directory / "last-error.log").write_text(log)
            return None
        return sorted(self.directory.glob(f"{package['name']}_*"))


def pick(files, ending):
    found = [file for file in files if ending in file.name and not file.name.endswith(".asc")]
    return found[0] if found else None


def from_apt(package, apt, cache):
    """Pinned version first; else the newest, as long as upstream's tarball is the pinned one."""
    files = apt.download(package, package["version"])
    if files:
        chosen = []
        for part in ("orig", "debian"):
            if package[part]:
                file = apt.directory / package[part]["file"]
                if not file.is_file():
                    raise Refused(f"{package['name']}: apt brought no {package[part]['file']}")
                verify(file, package[part])
                shutil.copy2(file, cache / file.name)
                chosen.append(file)
        return chosen
    files = apt.download(package, None)
    if not files:
        raise Refused(
            f"{package['name']} {package['version']}: the archive does not serve it "
            f"(see {apt.directory}/last-error.log); put its files into {cache}"
        )
    return newer_revision(package, files)


def newer_revision(package, files):
    """Accept a Debian revision that moved on, loudly, if the upstream tarball is the pinned one."""
    orig, debian = pick(files, ".orig.tar"), pick(files, ".debian.tar")
    if orig is None or (package["debian"] and debian is None):
        raise Refused(f"{package['name']}: apt brought an incomplete source package")
    verify(orig, package["orig"])
    say("WARNING ------------------------------------------------------------------")
    say(f"WARNING {package['name']}: Debian revision {package['version']} is gone")
    say(f"WARNING using {(debian or orig).name}")
    say("WARNING upstream's tarball is the pinned one; Debian's patches are NOT.")
    say("WARNING Renew tools/deps/lock.json.")
    say("WARNING ------------------------------------------------------------------")
    return [file for file in (orig, debian) if file]


def unpack(package, files, out):
    """Unpack upstream's tarball; apply Debian's patches in their order, then ours by name."""
    target = out / package["name"]
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    subprocess.run(["tar", "-xf", files[0], "-C", target, "--strip-components=1"], check=True)
    patches = []
    if len(files) > 1:
        subprocess.run(["tar", "-xf", files[1], "-C", target], check=True)
        series = target / "debian/patches/series"
        lines = series.read_text().splitlines() if series.is_file() else []
        names = [line.split("#")[0].split() for line in lines]
        patches = [target / "debian/patches" / name[0] for name in names if name]
    for patch in patches + own_patches(package):
        subprocess.run(
            ["patch", "-p1", "-s", "-f", "--no-backup-if-mismatch", "-i", patch],
            cwd=target,
            check=True,
        )


def own_patches(package):
    """Corrections of ours that no Debian revision holds yet; each file says why and until when."""
    return sorted((HERE / "patches" / package["name"]).glob("*.patch"))


def version_of(package, files):
    """The Debian version really used: it differs from the lock if the revision moved on."""
    if len(files) < 2 or files[1].name == package["debian"]["file"]:
        return package["version"]
    epoch = package["version"].partition(":")[0] + ":" if ":" in package["version"] else ""
    return epoch + files[1].name[len(package["name"]) + 1 :].partition(".debian.tar")[0]


def fetch_all(lock, out, cache):
    cache.mkdir(parents=True, exist_ok=True)
    out.mkdir(parents=True, exist_ok=True)
    apt = None
    used = []
    for package in lock["packages"]:
        files = from_cache(package, cache)
        origin = "cache"
        if files is None:
            if apt is None:
                say(
                    "reading the Debian archive's index (private apt directory, signature verified)"
                )
                apt = PrivateApt((out.parent / "apt").resolve(), lock)
            files = from_apt(package, apt, cache)
            origin = "archive"
        unpack(package, files, out)
        used.append(
            {
                "name": package["name"],
                "version": version_of(package, files),
                "files": [{"file": file.name, "sha256": sha256(file)} for file in files],
                "patches": [patch.name for patch in own_patches(package)],
            }
        )
        say(f"source {package['name']} {used[-1]['version']} verified ({origin})")
    (out / "sources.json").write_text(json.dumps(used, indent=2) + "\n")


def check(lock, cache):
    cached = sum(from_cache(package, cache) is not None for package in lock["packages"])
    say(f"lock: {len(lock['packages'])} packages, {cached} of them cached and verified")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lock", type=pathlib.Path, default=HERE / "lock.json")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--out", type=pathlib.Path, help="where to unpack")
    what.add_argument("--check", action="store_true", help="only check the lock and what is cached")
    parser.add_argument(
        "--cache", type=pathlib.Path, required=True, help="tarballs, checked by hash"
    )
    arguments = parser.parse_args()
    try:
        if arguments.check:
            check(load_lock(arguments.lock), arguments.cache)
            return 0
        fetch_all(load_lock(arguments.lock), arguments.out.resolve(), arguments.cache)
    except (Refused, subprocess.CalledProcessError) as error:
        print(f"deps: REFUSED: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
