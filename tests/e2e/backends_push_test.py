#!/usr/bin/env python3
"""A server is killed while real git pushes: what git calls done is there once, and what failed says so.

Three real servers over one repository, as behind a shared disk. A push that was sent is never sent again.
"""

import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from servers import Apache, Nginx, give_to_server  # noqa: E402
from traffic import REPOSITORY, Scenario, run_timed  # noqa: E402

HOOK = """#!/bin/sh
while read -r old new ref; do echo "$new $ref" >> "$GIT_DIR/applied"; done
"""


CONTENT_BYTES = 200_000


class Pushes:
    """Each of a commit of its own to a branch of its own."""

    kinds = ("push",)

    def __init__(self, git, url, origin):
        self.git, self.url = git, url
        self.work = git.folder / "work.git"
        git.run("clone", "-q", "--bare", origin, self.work)
        self.pushed = {}  # operation -> commit

    def run(self, operation):
        content = self.git.folder / f"content{operation.number}"
        content.write_bytes(os.urandom(CONTENT_BYTES))
        blob = self.git.out("hash-object", "-w", content, cwd=self.work)
        tree = subprocess.run(["git", "mktree"], cwd=self.work, env=self.git.environment, input=f"100644 blob {blob}\tfile\n",
                              capture_output=True, text=True, check=True).stdout.strip()
        commit = self.git.out("commit-tree", "-m", f"push {operation.number}", "-p", "main", tree, cwd=self.work)
        self.pushed[operation.number] = commit
        run_timed(self.git, operation, "-C", self.work, "push", "-q", self.url, f"{commit}:{branch(operation)}")


def branch(operation):
    return f"refs/heads/push-{operation.number}"


class PushesWhileAServerDies(Scenario):
    def start_shared(self):
        self.root = self.git.folder / "shared"
        self.bare = self.root / REPOSITORY
        shutil.copytree(self.origin, self.bare)
        hook = self.bare / "hooks" / "post-receive"
        hook.write_text(HOOK)
        hook.chmod(0o755)
        self.git.folder.chmod(0o755)
        self.servers = []
        for kind in (Apache, Nginx, Apache):
            server = kind()
            server.root = self.root
            self.servers.append(self.enterContext(server))
        give_to_server(self.root)
        self.relay = None
        self.start_proxy(self.servers)

    def test_a_push_is_applied_once_or_fails_loudly(self):
        self.start_shared()
        pushes = Pushes(self.git, self.url, self.origin)
        self.play("pushes, kill -9 of one", lambda stream: self.servers[0].kill(), work=pushes)
        applied = (self.bare / "applied").read_text().splitlines()
        for operation in self.done:
            commit = pushes.pushed[operation.number]
            here = self.git.run("rev-parse", "-q", "--verify", branch(operation), cwd=self.bare, check=False).stdout.strip()
            times = applied.count(f"{commit} {branch(operation)}")
            with self.subTest(str(operation)):
                if operation.failed:  # whether it was applied nobody knows but the server, and git says that it failed
                    self.assertIn(here, ("", commit))
                    self.assertLessEqual(times, 1)
                    self.assertLess(operation.began, self.fault_at)
                else:
                    self.assertEqual((here, times), (commit, 1))
        self.assertEqual(len(applied), len(set(applied)))
        self.git.fsck(self.bare)


if __name__ == "__main__":
    unittest.main()
