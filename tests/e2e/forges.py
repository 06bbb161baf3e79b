"""Real Git servers with accounts and web pages: Gogs and Gitea. For tests and benchmarks.

GOGS_BINARY and GITEA_BINARY name programs that are installed. Without the first, Go's own command installs a Gogs (GOGS_VERSION chooses which) when one
is wanted first; without the second there is no Gitea: Go's command doesn't install it. Python's standard library only.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import unittest
import urllib.request
from pathlib import Path

from servers import Server

USER = "ada"
PASSWORD = "canary-9d01-password"


def install_by_go(package, folder):
    """The program of this package, put into this folder; or NoForge."""
    if shutil.which("go") is None:
        raise NoForge("there is no Go toolchain")
    ran = subprocess.run(["go", "install", package], env=os.environ | {"GOBIN": str(folder)}, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        why = (ran.stderr.strip() or f"go ended with {ran.returncode}").splitlines()[-1]
        raise NoForge("its Go module can't be built: " + re.sub(r"(reading )?https?://\S+ ?", "", why))


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
                os.environ[f"{cls.name.upper()}_BINARY"] = cls.built()
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

    def configure(self):
        shared = {
            "": {"RUN_USER": self.user, "RUN_MODE": "prod"},
            "server": {"HTTP_ADDR": "127.0.0.1", "HTTP_PORT": self.port, "OFFLINE_MODE": "true", "DISABLE_SSH": "true"},
            "repository": {"ROOT": self.root},
            "security": {"INSTALL_LOCK": "true", "SECRET_KEY": "for-tests-only"},
            "log": {"ROOT_PATH": self.folder / "log", "MODE": "file"},
        }
        own = self.settings()
        text = ""
        for section in dict.fromkeys([*shared, *own]):
            text += f"[{section}]\n" if section else ""
            text += "".join(f"{key} = {value}\n" for key, value in (shared.get(section, {}) | own.get(section, {})).items())
        custom = self.folder / "custom"
        (custom / "conf").mkdir(parents=True, exist_ok=True)
        (custom / "conf" / "app.ini").write_text(text)
        self.environment = os.environ | {"HOME": str(self.folder), "USER": self.user, f"{self.name.upper()}_CUSTOM": str(custom),
                                         f"{self.name.upper()}_WORK_DIR": str(self.folder)}
        self.spawn(self.binary, "web", env=self.environment, cwd=self.folder)


class Gogs(Forge):
    name = "gogs"
    protocol_max = 0  # of Git's versions
    new_user = ("create-user", "--name", USER, "--password", PASSWORD, "--email", "ada@example.org", "--admin")

    @classmethod
    def built(cls):
        version = os.environ.get("GOGS_VERSION", "latest")
        folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "breakwater-tests" / f"gogs-{version}"
        if not (folder / "gogs").exists():
            folder.mkdir(parents=True, exist_ok=True)
            install_by_go(f"gogs.io/gogs@{version}", folder)
        return str(folder / "gogs")

    def settings(self):
        return {
            "": {"BRAND_NAME": "Gogs"},
            "server": {"EXTERNAL_URL": f"{self.url}/"},
            "database": {"TYPE": "sqlite3", "PATH": self.folder / "gogs.db"},
        }


class Gitea(Forge):
    name = "gitea"
    protocol_max = 2
    new_user = ("user", "create", "--username", USER, "--password", PASSWORD, "--email", "ada@example.org", "--admin", "--must-change-password=false")

    @classmethod
    def built(cls):
        raise NoForge("GITEA_BINARY names none")

    def settings(self):
        return {
            "": {"WORK_PATH": self.folder, "I_AM_BEING_UNSAFE_RUNNING_AS_ROOT": "true"},
            "server": {"ROOT_URL": f"{self.url}/", "LFS_START_SERVER": "true"},
            "lfs": {"PATH": self.folder / "lfs"},
            "database": {"DB_TYPE": "sqlite3", "PATH": self.folder / "gitea.db"},
        }


FORGES = {each.name: each for each in (Gogs, Gitea)}
