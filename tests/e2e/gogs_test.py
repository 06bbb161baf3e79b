#!/usr/bin/env python3
"""A real Gogs behind the proxy: web log-in, then clone and push with Basic authentication.

Where Gogs can't be had (gogs.py says how it is), the test reports itself as skipped by name (exit status 77).
"""

import http.cookiejar
import os
import re
import sys
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from git import Git  # noqa: E402
from gogs import PASSWORD, USER, Gogs, gogs_binary  # noqa: E402
from support import Proxy  # noqa: E402

SKIPPED = 77


class ThroughGogs(unittest.TestCase):
    def test_log_in_and_git(self):
        server = self.enterContext(Gogs(BINARY))
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

        page("/user/login", user_name=USER, password=PASSWORD, _csrf=csrf(page("/user/login")))
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
