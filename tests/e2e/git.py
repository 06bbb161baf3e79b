"""Real git, isolated from the machine's configuration, and repositories to use it on. Python's standard library only."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
import certificates  # noqa: E402

SECONDS_MAX = 120


class Git:
    """A home of its own; .folder is removed at the end."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="breakwater-git-"))
        kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") and not k.lower().endswith("_proxy")}
        self.environment = kept | {
            "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(self.folder / "config"),
            "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C",
            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
        }
        (self.folder / "config").write_text("[core]\n\tcompression = 0\n[init]\n\tdefaultBranch = main\n[safe]\n\tdirectory = *\n[gc]\n\tauto = 0\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, *words, cwd=None, check=True, seconds=SECONDS_MAX):
        result = subprocess.run(["git", *map(str, words)], cwd=cwd or self.folder, env=self.environment, text=True,
                                capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False)
        if check and result.returncode != 0:
            raise AssertionError(f"git {' '.join(map(str, words))}: status {result.returncode}\n{result.stdout}{result.stderr}")
        return result

    def start(self, *words):
        return subprocess.Popen(["git", *map(str, words)], cwd=self.folder, env=self.environment, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def out(self, *words, cwd=None):
        return self.run(*words, cwd=cwd).stdout.strip()

    def commit(self, work, name, content):
        path = Path(work) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.run("add", name, cwd=work)
        self.run("commit", "-q", "-m", f"add {name}", cwd=work)
        return self.out("rev-parse", "HEAD", cwd=work)

    def address_of(self, proxy):
        """The URL of a proxy; over TLS its certificate is trusted from now on."""
        if not proxy.tls:
            return f"http://127.0.0.1:{proxy.port}"
        self.environment["GIT_SSL_CAINFO"] = str(certificates.folder() / "localhost.crt")
        return f"https://localhost:{proxy.port}"

    def refs(self, address):
        return self.out("ls-remote", address)

    def fsck(self, repository):
        self.run("fsck", "--full", "--no-progress", cwd=repository)


def make_repository(git, server, name="team/app.git", commits=12, blob_bytes=40_000):
    """A bare repository below the server's root: history, a branch, tags, incompressible files. Returns its work tree."""
    work = git.folder / ("work-" + name.replace("/", "-"))
    git.run("init", "-q", work)
    for number in range(commits):
        git.commit(work, f"dir{number % 3}/file{number}", os.urandom(blob_bytes))
        if number == commits // 2:
            git.run("tag", "-a", "v1", "-m", "one", cwd=work)
            git.run("branch", "side", cwd=work)
    git.run("tag", "light", cwd=work)
    bare = server.root / name
    bare.parent.mkdir(parents=True, exist_ok=True)
    git.run("clone", "-q", "--bare", work, bare)
    for key, value in (("http.receivepack", "true"), ("uploadpack.allowFilter", "true"),
                       ("core.bigFileThreshold", "1m"), ("core.compression", "0"),  # random bytes: no search for deltas
                       ("uploadpack.allowAnySHA1InWant", "true"), ("receive.denyDeletes", "false")):
        git.run("config", key, value, cwd=bare)
    git.run("update-server-info", cwd=bare)
    own(server)
    return work


def own(server):
    """What root wrote must belong to the server's user."""
    if os.geteuid() == 0 and server.name != "origin":
        subprocess.run(["chown", "-R", "www-data:www-data", str(server.root)], check=True)
