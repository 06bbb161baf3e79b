#!/usr/bin/env python3
"""A real Gogs behind the proxy: web log-in, then clone and push with Basic authentication.

Gogs is built from its published Go module. Where there is no Go toolchain, or the module can't be had, the test reports
itself as skipped by name (exit status 77). GOGS_BINARY names one that is there already; GOGS_VERSION the version to build.
"""

import http.cookiejar
import os
import re
import shutil
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from git import Git  # noqa: E402
from servers import Server  # noqa: E402
from support import Proxy  # noqa: E402

SKIPPED = 77
VERSION = os.environ.get("GOGS_VERSION", "latest")
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
            return None, "its Go module can't be built: " + built.stderr.strip().splitlines()[-1]
    return str(binary), ""


class Gogs(Server):
    name = "gogs"

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
        self.spawn(BINARY, "web", env=self.environment, cwd=self.folder)

    def add_user(self):
        subprocess.run([BINARY, "admin", "create-user", "--name", "ada", "--password", PASSWORD, "--email", "ada@example.org",
                        "--admin"], env=self.environment, cwd=self.folder, check=True, capture_output=True)


class ThroughGogs(unittest.TestCase):
    def test_log_in_and_git(self):
        server = self.enterContext(Gogs())
        server.add_user()
        git = self.enterContext(Git())
        proxy = self.enterContext(Proxy([server]))
        base = f"http://127.0.0.1:{proxy.port}"
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))

        def page(path, **form):
            data = urllib.parse.urlencode(form).encode() if form else None
            with browser.open(base + path, data=data, timeout=30) as answer:
                return answer.read().decode()

        def csrf(text):
            return re.search(r'name="_csrf" (?:content|value)="([^"]+)"', text)[1]

        page("/user/login", user_name="ada", password=PASSWORD, _csrf=csrf(page("/user/login")))
        create = page("/repo/create")
        self.assertIn("ada", create)
        page("/repo/create", _csrf=csrf(create), user_id="1", repo_name="app")

        url = base.replace("http://", f"http://ada:{PASSWORD}@") + "/ada/app.git"
        work = git.folder / "work"
        git.run("init", "-q", work)
        git.commit(work, "small", "hello")
        git.run("push", "-q", url, "HEAD:master", cwd=work)
        large = git.commit(work, "large", os.urandom(4_000_000))
        git.run("push", "-q", url, "HEAD:master", cwd=work)
        clone = git.folder / "clone"
        git.run("clone", "-q", url, clone)
        git.fsck(clone)
        self.assertEqual(git.out("rev-parse", "HEAD", cwd=clone), large)
        self.assertEqual(git.refs(url), git.refs(url.replace(str(proxy.port), str(server.port))))


if __name__ == "__main__":
    BINARY, reason = gogs_binary()
    if BINARY is None:
        print(f"skipped: Gogs behind the proxy: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
