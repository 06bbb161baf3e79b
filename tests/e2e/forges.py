#!/usr/bin/env python3
"""Real Git servers with accounts and web pages: Gogs and Gitea, built from their published Go modules. For tests and benchmarks.

    tests/e2e/forges.py gitea          builds it, which takes minutes and a gigabyte, and says where it is

Gogs is built when it is wanted first; Gitea only by this command, and who wants it does without until then. GOGS_BINARY names a program that is
there already, GOGS_VERSION the version to build; of Gitea likewise. Python's standard library only.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
import urllib.request
from pathlib import Path

from servers import Server

USER = "ada"
PASSWORD = "canary-9d01-password"


def cache_of(name, version):
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "breakwater-tests" / f"{name}-{version}"


def go(*words, **options):
    """What it wrote, or NoForge."""
    if shutil.which("go") is None:
        raise NoForge("there is no Go toolchain")
    ran = subprocess.run(["go", *map(str, words)], capture_output=True, text=True, check=False, **options)
    if ran.returncode != 0:
        why = (ran.stderr.strip() or f"go ended with {ran.returncode}").splitlines()[-1]
        raise NoForge("its Go module can't be built: " + re.sub(r"(reading )?https?://\S+ ?", "", why))
    return ran.stdout


class NoForge(unittest.SkipTest):
    """It can't be had; why."""


class Forge(Server):
    """What they share: an account, a token of it, and public repositories of it, made by the same API. find() goes first, where there is a network."""

    def __init__(self):
        self.find()
        super().__init__()
        self.user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()

    @classmethod
    def find(cls):
        """Leaves where it is in the environment, for who asks again; NoForge says why there is none."""
        refused = f"BREAKWATER_NO_{cls.name.upper()}"
        try:
            if refused in os.environ:
                raise NoForge(os.environ[refused])
            if f"{cls.name.upper()}_BINARY" not in os.environ:
                os.environ |= cls.built()
        except NoForge as reason:
            os.environ[refused] = str(reason)
            raise NoForge(f"{cls.__name__} can't be had: {reason}") from None

    @property
    def binary(self):
        return os.environ[f"{self.name.upper()}_BINARY"]

    def add_user(self):
        subprocess.run([self.binary, "admin", *self.new_user], env=self.environment, cwd=self.folder, check=True, capture_output=True)

    def add_repository(self, name):
        """An empty one of the user, which everybody may read; returns its folder."""
        self.call("/user/repos", {"name": name, "private": False}, f"token {self.token(f'for-{name}')}")
        return self.root / USER / f"{name}.git"

    def token(self, name):
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return self.call(f"/users/{USER}/tokens", {"name": name, "scopes": ["write:repository", "write:user"]}, f"Basic {basic}")["sha1"]

    def call(self, path, values, authorization):
        request = urllib.request.Request(f"{self.url}/api/v1{path}", json.dumps(values).encode(),
                                         {"Content-Type": "application/json", "Authorization": authorization})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def write_config(self, text):
        config = self.folder / "custom" / "conf" / "app.ini"
        config.parent.mkdir(parents=True, exist_ok=True)
        config.write_text(text)
        return config


class Gogs(Forge):
    name = "gogs"
    protocol_max = 0  # of Git's versions
    new_user = ("create-user", "--name", USER, "--password", PASSWORD, "--email", "ada@example.org", "--admin")

    @classmethod
    def built(cls):
        version = os.environ.get("GOGS_VERSION", "latest")
        folder = cache_of("gogs", version)
        if not (folder / "gogs").exists():
            folder.mkdir(parents=True, exist_ok=True)
            go("install", f"gogs.io/gogs@{version}", env=os.environ | {"GOBIN": str(folder)})
        return {"GOGS_BINARY": str(folder / "gogs")}

    def configure(self):
        self.write_config(f"""
BRAND_NAME = Gogs
RUN_USER = {self.user}
RUN_MODE = prod
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {self.port}
EXTERNAL_URL = http://127.0.0.1:{self.port}/
OFFLINE_MODE = true
DISABLE_SSH = true
[repository]
ROOT = {self.root}
[database]
TYPE = sqlite3
PATH = {self.folder}/gogs.db
[security]
INSTALL_LOCK = true
SECRET_KEY = for-tests-only
[log]
ROOT_PATH = {self.folder}/log
MODE = file
""")
        self.environment = os.environ | {"HOME": str(self.folder), "USER": self.user, "GOGS_CUSTOM": str(self.folder / "custom"),
                                         "GOGS_WORK_DIR": str(self.folder)}
        self.spawn(self.binary, "web", env=self.environment, cwd=self.folder)


EMPTY_ASSETS = ("css/index.css", "css/theme-gitea-auto.css", "js/iife.js", "js/index.js")


class Gitea(Forge):
    """Built by us it has empty scripts and styles: its module is without what Node.js would make of them."""

    name = "gitea"
    protocol_max = 2
    new_user = ("user", "create", "--username", USER, "--password", PASSWORD, "--email", "ada@example.org", "--admin", "--must-change-password=false")

    @classmethod
    def built(cls):
        found = sorted(cache_of("gitea", "").parent.glob(f"gitea-{os.environ.get('GITEA_VERSION', '*')}/gitea"), key=lambda path: path.stat().st_mtime)
        if not found:
            raise NoForge("it is not built; tests/e2e/forges.py gitea does that")
        return {"GITEA_BINARY": str(found[-1]), "GITEA_STATIC": str(found[-1].parent / "static")}

    @classmethod
    def build(cls):
        asked = os.environ.get("GITEA_VERSION", "latest")
        module = json.loads(go("mod", "download", "-json", f"code.gitea.io/gitea@{asked}"))
        folder = cache_of("gitea", module["Version"])
        if not (folder / "gitea").exists():
            folder.mkdir(parents=True, exist_ok=True)
            # Where it is Go lets nobody build what replaces modules.
            shutil.copytree(module["Dir"], folder / "static", dirs_exist_ok=True, copy_function=shutil.copyfile)
            for path in (folder / "static").rglob("*"):
                if path.is_dir():
                    path.chmod(0o755)  # those of Go's may not be written to
            for name in EMPTY_ASSETS:  # a page that can't have its scripts waits for somebody to hear of it
                file = folder / "static" / "public" / "assets" / name
                file.parent.mkdir(exist_ok=True)
                file.touch()
            go("build", "-tags", "sqlite sqlite_unlock_notify", "-o", folder / "gitea", ".", cwd=folder / "static")
        return folder / "gitea"

    def configure(self):
        config = self.write_config(f"""
RUN_USER = {self.user}
RUN_MODE = prod
WORK_PATH = {self.folder}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {self.port}
ROOT_URL = http://127.0.0.1:{self.port}/
OFFLINE_MODE = true
DISABLE_SSH = true
{"STATIC_ROOT_PATH = " + os.environ["GITEA_STATIC"] if "GITEA_STATIC" in os.environ else ""}
LFS_START_SERVER = true
[lfs]
PATH = {self.folder}/lfs
[repository]
ROOT = {self.root}
[database]
DB_TYPE = sqlite3
PATH = {self.folder}/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = for-tests-only
[log]
ROOT_PATH = {self.folder}/log
MODE = file
""")
        self.environment = os.environ | {"HOME": str(self.folder), "USER": self.user, "GITEA_WORK_DIR": str(self.folder),
                                         "GITEA_CUSTOM": str(config.parent.parent)}
        self.spawn(self.binary, "web", env=self.environment, cwd=self.folder)


FORGES = {each.name: each for each in (Gogs, Gitea)}


def main():
    if sys.argv[1:] != ["gitea"]:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        print(Gitea.build())
    except NoForge as reason:
        print(f"forges: Gitea: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
