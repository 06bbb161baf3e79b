#!/usr/bin/env python3
"""A real Gogs or Gitea behind the proxy, plain and over TLS: log-in on its pages, clones, pushes, LFS, and what it sends the client elsewhere for.

usage: forge_test.py gogs|gitea. Where it can't be had (forges.py says how it is), the test reports itself as skipped by name (exit status 77).
"""

import http.cookiejar
import os
import re
import shutil
import sys
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import certificates  # noqa: E402
from forges import FORGES, PASSWORD, USER, NoForge  # noqa: E402
from git import Git  # noqa: E402
from support import Proxy  # noqa: E402

SKIPPED = 77


class Browser:
    """With cookies and without scripts."""

    def __init__(self, base):
        self.base = base
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
                                                  urllib.request.HTTPSHandler(context=certificates.trusting()))

    def page(self, path, **form):
        data = urllib.parse.urlencode(form).encode() if form else None
        with self.opener.open(self.base + path, data=data, timeout=30) as answer:
            return answer.read().decode()

    def log_in(self):
        token = re.search(r'name="_csrf" (?:content|value)="([^"]+)"', self.page("/user/login"))
        self.page("/user/login", user_name=USER, password=PASSWORD, **({"_csrf": token[1]} if token else {}))


class ThroughForge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(FORGE())
        cls.server.add_user()

    def setUp(self):
        self.git = self.enterContext(Git())
        self.git.environment["GIT_ASKPASS"] = "false"

    def start(self, tls, repository):
        """Empties and returns the URL, without a name and with one, of a repository of that name."""
        self.proxy = self.enterContext(Proxy([self.server], tls=tls))
        self.base = self.git.address_of(self.proxy)
        self.server.add_repository(repository)
        url = f"{self.base}/{USER}/{repository}.git"
        return url, url.replace("://", f"://{USER}:{PASSWORD}@")

    def test_clones_and_pushes(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                url, named = self.start(tls, f"app{int(tls)}")
                work = self.git.folder / f"work{int(tls)}"
                self.git.run("init", "-q", work)
                self.git.commit(work, "small", "hello")
                self.assertNotEqual(self.git.run("push", "-q", url, "HEAD:main", cwd=work, check=False).returncode, 0)  # 401, and no password
                self.git.run("push", "-q", named, "HEAD:main", cwd=work)
                tip = self.git.commit(work, "large", os.urandom(4_000_000))
                self.git.run("push", "-q", named, "HEAD:main", cwd=work)
                for version in range(FORGE.protocol_max + 1):
                    clone = self.git.folder / f"clone{int(tls)}{version}"
                    self.git.run("-c", f"protocol.version={version}", "clone", "-q", "-b", "main", url, clone)
                    self.git.fsck(clone)
                    self.assertEqual(self.git.out("rev-parse", "HEAD", cwd=clone), tip)
                self.git.run("clone", "-q", "--depth=1", "-b", "main", url, self.git.folder / f"shallow{int(tls)}")
                direct = f"{self.server.url}/{USER}/app{int(tls)}.git"
                self.assertEqual(self.git.refs(url), self.git.refs(direct))
                entries = [entry for entry in self.proxy.log_lines() if entry.get("git") == "receive-pack" and entry["status"] == 200]
                self.assertGreaterEqual(len(entries), 2)

    def test_log_in_on_its_pages(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                self.start(tls, f"seen{int(tls)}")
                browser = Browser(self.base)
                self.assertNotIn("ada@example.org", browser.page("/user/settings"))  # it is sent to the log-in page
                browser.log_in()
                self.assertIn("ada@example.org", browser.page("/user/settings"))
                self.assertIn(f"seen{int(tls)}", browser.page(f"/{USER}"))

    @unittest.skipUnless(shutil.which("git-lfs"), "no git-lfs")
    def test_lfs(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                url, named = self.start(tls, f"lfs{int(tls)}")
                work, content = self.git.folder / f"work{int(tls)}", os.urandom(3_000_000)
                self.git.run("init", "-q", work)
                self.git.run("lfs", "install", "--local", cwd=work)
                self.git.run("lfs", "track", "*.bin", cwd=work)
                self.git.commit(work, ".gitattributes", (work / ".gitattributes").read_bytes())
                self.git.commit(work, "large.bin", content)
                self.git.run("config", "lfs.url", f"{named}/info/lfs", cwd=work)
                self.git.run("push", "-q", named, "HEAD:main", cwd=work)
                clone = self.git.folder / f"clone{int(tls)}"
                self.git.run("clone", "-q", "-b", "main", url, clone)
                self.assertLess((clone / "large.bin").stat().st_size, 1000)  # what points to it
                self.git.run("lfs", "install", "--local", cwd=clone)
                self.git.run("config", "lfs.url", f"{url}/info/lfs", cwd=clone)
                self.git.run("lfs", "pull", cwd=clone)
                self.assertEqual((clone / "large.bin").read_bytes(), content)
                kinds = [entry.get("git") for entry in self.proxy.log_lines() if "/info/lfs/" in entry["path"]]
                self.assertIn("lfs", kinds)


if __name__ == "__main__":
    FORGE = FORGES[sys.argv.pop(1)]
    try:
        FORGE.find()
    except NoForge as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    unittest.main()
