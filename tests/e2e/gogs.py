"""A real Gogs, built from its published Go module: for the end-to-end test and for bench/compare.

GOGS_BINARY names a program that is there already; GOGS_VERSION the version to build. Python's standard library only.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

from servers import Server

VERSION = os.environ.get("GOGS_VERSION", "latest")
USER = "ada"
PASSWORD = "canary-9d01-password"


def gogs_binary():
    """The program, or None and why not."""
    given = os.environ.get("GOGS_BINARY")
    if given:
        return given, ""
    if shutil.which("go") is None:
        return None, "there is no Go toolchain"
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "breakwater-tests"
    binary = cache / f"gogs-{VERSION}" / "gogs"
    if not binary.exists():
        binary.parent.mkdir(parents=True, exist_ok=True)
        built = subprocess.run(["go", "install", f"gogs.io/gogs@{VERSION}"], capture_output=True, text=True, check=False,
                               env=os.environ | {"GOBIN": str(binary.parent)})
        if built.returncode != 0:
            why = built.stderr.strip().splitlines()[-1]
            return None, "its Go module can't be built: " + re.sub(r"(reading )?https?://\S+ ?", "", why)
    return str(binary), ""


class Gogs(Server):
    name = "gogs"

    def __init__(self, binary):
        super().__init__()
        self.binary = binary

    def configure(self):
        config = self.folder / "custom" / "conf" / "app.ini"
        config.parent.mkdir(parents=True, exist_ok=True)
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        config.write_text(f"""
BRAND_NAME = Gogs
RUN_USER = {user}
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
        self.environment = os.environ | {"HOME": str(self.folder), "USER": user, "GOGS_CUSTOM": str(self.folder / "custom"),
                                         "GOGS_WORK_DIR": str(self.folder)}
        self.spawn(self.binary, "web", env=self.environment, cwd=self.folder)

    def add_user(self):
        subprocess.run([self.binary, "admin", "create-user", "--name", USER, "--password", PASSWORD, "--email",
                        "ada@example.org", "--admin"], env=self.environment, cwd=self.folder, check=True, capture_output=True)

    def add_repository(self, name):
        """An empty one of the user, which everybody may read; returns its folder."""
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        token = self.call(f"/users/{USER}/tokens", {"name": f"for-{name}"}, f"Basic {basic}")["sha1"]
        self.call("/user/repos", {"name": name, "private": False}, f"token {token}")
        return self.root / USER / f"{name}.git"

    def call(self, path, values, authorization):
        request = urllib.request.Request(f"{self.url}/api/v1{path}", json.dumps(values).encode(),
                                         {"Content-Type": "application/json", "Authorization": authorization})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
