#!/usr/bin/env python3
"""A real browser in front of a TLS listener: headless Chromium reads the web pages of gitweb, and of a real Gogs and Gitea.

Where there is no Chromium, the test reports itself as skipped by name (exit status 77); where one of these can't be had (forges.py), its part.
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import certificates  # noqa: E402
from forges import USER, Gitea, Gogs  # noqa: E402
from git import Git, make_repository  # noqa: E402
from servers import GitWeb, find_program  # noqa: E402
from support import Proxy  # noqa: E402

SKIPPED = 77
SECONDS_MAX = 60
# No window, no sandbox (it refuses to run as root), and not a word to anybody but the page's server.
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage")


class Browser:
    """A home of its own, in which it trusts `authority` or nobody."""

    def __init__(self, authority=None):
        self.home = tempfile.TemporaryDirectory(prefix="breakwater-browser-")
        if authority:
            store = Path(self.home.name) / ".pki" / "nssdb"
            store.mkdir(parents=True)
            for words in (("-N", "--empty-password"), ("-A", "-n", "tests", "-t", "C,,", "-i", authority)):
                subprocess.run(["certutil", "-d", f"sql:{store}", *map(str, words)], check=True, capture_output=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.home.cleanup()

    def page(self, url):
        """What the page is in the end, its scripts having run."""
        command = [CHROMIUM, *OPTIONS, f"--user-data-dir={self.home.name}/profile", "--dump-dom", url]
        shown = subprocess.run(command, env={"HOME": self.home.name, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
                               timeout=SECONDS_MAX, check=False)
        return shown.stdout


class WebPages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.git = cls.enterClassContext(Git())
        cls.server = cls.enterClassContext(GitWeb())
        make_repository(cls.git, cls.server, commits=3)
        cls.proxy = cls.enterClassContext(Proxy([cls.server], tls=True))
        cls.url = f"https://localhost:{cls.proxy.port}/?p=team/app.git;a=summary"

    def test_a_page_with_all_that_belongs_to_it(self):
        browser = self.enterContext(Browser(certificates.folder() / "localhost.crt"))
        page = browser.page(self.url)
        self.assertIn("add dir2/file2", page)
        for resource in ("/static/gitweb.css", "/static/gitweb.js", "/static/git-logo.png"):
            entry = self.proxy.wait_for_log(lambda line, resource=resource: line["path"] == resource)
            self.assertEqual((entry["status"], entry["tls"], entry["ended_by"]), (200, "TLSv1.3", "done"))

    def test_a_browser_that_does_not_trust_us_says_so_and_we_log_it(self):
        browser = self.enterContext(Browser())
        self.assertNotIn("add dir2/file2", browser.page(self.url))
        entry = self.proxy.wait_for_log(lambda line: line.get("phase") == "tls_handshake")
        self.assertIn("alert", entry["reason"])


class PagesOfForges(unittest.TestCase):
    def pages_of(self, kind, *endings):
        server = self.enterContext(kind())
        server.add_user()
        server.add_repository("app")
        proxy = self.enterContext(Proxy([server], tls=True))
        browser = self.enterContext(Browser(certificates.folder() / "localhost.crt"))
        self.assertIn('name="password"', browser.page(f"https://localhost:{proxy.port}/user/login"))
        self.assertIn("app", browser.page(f"https://localhost:{proxy.port}/{USER}"))
        for ending in endings:
            entry = proxy.wait_for_log(lambda line, ending=ending: line["path"].split("?")[0].endswith(ending))
            self.assertEqual((entry["status"], entry["tls"], entry["ended_by"]), (200, "TLSv1.3", "done"))

    def test_gogs(self):
        self.pages_of(Gogs, ".css", ".js")

    def test_gitea(self):
        self.pages_of(Gitea, ".css", ".js", ".svg")


if __name__ == "__main__":
    CHROMIUM = find_program("chromium", "chromium-browser")
    missing = [what for what, there in (("chromium", CHROMIUM), ("certutil", find_program("certutil")),
                                        ("gitweb", GitWeb.program.exists())) if not there]
    if missing:
        print(f"skipped: a real browser over TLS: there is no {' and no '.join(missing)} here")
        sys.exit(SKIPPED)
    unittest.main()
