"""Real Git servers for the end-to-end tests: Apache and nginx with `git http-backend`, breakwater-origin (Gogs and Gitea: forges.py).

Each is a context manager with .address ("127.0.0.1:PORT", unless a host is given) and .root (the folder of bare repositories),
starts on a free port, and is stopped by the process group it was started in. A server that this machine does not have raises
unittest.SkipTest, which names it. Python's standard library only.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
import certificates  # noqa: E402

START_SECONDS_MAX = 20


def free_port(host="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def find_program(*names):
    for name in names:
        found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if found:
            return found
    return None


def http_backend():
    folder = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{folder}/git-http-backend"


class Server:
    """What they share: a temporary folder, processes in groups of their own, waiting for the port."""

    def __init__(self, users=None, host="127.0.0.1"):
        self.host = host
        self.folder = Path(tempfile.mkdtemp(prefix="breakwater-e2e-"))
        self.root = self.folder / "repositories"
        self.root.mkdir()
        self.users = users  # {"name": "password"}: Basic authentication for every request
        self.processes = []
        self.port = None

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    @property
    def url(self):
        return f"http://{self.address}"

    def __enter__(self):
        try:
            for _ in range(5):  # a port that was free a moment ago may be taken by now
                self.port = free_port(self.host)
                self.configure()
                if self.wait_for_port():
                    return self
                self.stop()
            raise AssertionError(f"{type(self).__name__} did not start: {self.error_text()}")
        except BaseException:
            self.__exit__(None, None, None)
            raise

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def spawn(self, *command, **options):
        with open(self.folder / "errors", "ab") as errors:
            process = subprocess.Popen(command, stdin=options.pop("stdin", subprocess.DEVNULL), stdout=errors, stderr=errors,
                                       start_new_session=True, **options)
        self.processes.append(process)
        return process

    def stop(self):
        for process in reversed(self.processes):
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, number)
                except ProcessLookupError:
                    pass
                try:
                    process.wait(5)
                    if number == signal.SIGKILL:
                        break
                except subprocess.TimeoutExpired:
                    continue
        self.processes = []

    def signal(self, number):
        """To all of its processes, Git's among them."""
        for process in self.processes:
            os.killpg(process.pid, number)

    def kill(self):
        """As a machine goes that loses its power."""
        self.signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()
        self.processes = []

    def start_again(self):
        """After kill() or stop(): the same repositories on the same port."""
        self.configure()
        if not self.wait_for_port():
            raise AssertionError(f"{type(self).__name__} did not start again: {self.error_text()}")

    def wait_for_port(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self.processes):
                return False
            with socket.socket() as probe:
                if probe.connect_ex((self.host, self.port)) == 0:
                    return True
            time.sleep(0.02)
        return False

    def error_text(self):
        errors = self.folder / "errors"
        return errors.read_text(errors="replace")[-2000:] if errors.exists() else ""

    def htpasswd(self):
        """A password file; the hashes come from openssl."""
        lines = []
        for name, password in self.users.items():
            hashed = subprocess.run(["openssl", "passwd", "-apr1", password], capture_output=True, text=True, check=True)
            lines.append(f"{name}:{hashed.stdout.strip()}\n")
        path = self.folder / "users"
        path.write_text("".join(lines))
        path.chmod(0o644)
        self.folder.chmod(0o755)
        return path


class Apache(Server):
    name = "apache"

    def configure(self):
        program = find_program("apache2", "httpd")
        modules = Path("/usr/lib/apache2/modules")
        if program is None or not modules.is_dir():
            raise unittest.SkipTest("Apache is not installed")
        auth = "Require all granted"
        if self.users:
            auth = f'AuthType Basic\nAuthName "git"\nAuthBasicProvider file\nAuthUserFile "{self.htpasswd()}"\nRequire valid-user'
        wanted = ["mpm_event", "authz_core", "authn_core", "authn_file", "authz_user", "auth_basic", "alias", "env", "cgid"]
        loads = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in wanted
                          if (modules / f"mod_{name}.so").exists())
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        config = self.folder / "apache.conf"
        config.write_text(f"""
ServerRoot "{self.folder}"
ServerName 127.0.0.1
Listen {self.address}
{loads}
{user}
PidFile "{self.folder}/apache.pid"
ErrorLog "{self.folder}/errors"
ScriptSock "{self.folder}/cgid.sock"
KeepAliveTimeout 60
LimitRequestBody 0
SetEnv GIT_PROJECT_ROOT "{self.root}"
SetEnv GIT_HTTP_EXPORT_ALL 1
SetEnv HOME "{self.folder}"
SetEnvIf Git-Protocol ".*" GIT_PROTOCOL=$0
ScriptAlias / "{http_backend()}/"
<Directory />
{auth}
</Directory>
""".replace("SetEnvIf", "SetEnvIf" if (modules / "mod_setenvif.so").exists() else "# SetEnvIf"))
        if (modules / "mod_setenvif.so").exists():
            text = config.read_text()
            config.write_text(text.replace(loads, loads + f"\nLoadModule setenvif_module {modules}/mod_setenvif.so"))
        give_to_server(self.folder)
        self.spawn(program, "-f", str(config), "-D", "FOREGROUND")


class Nginx(Server):
    name = "nginx"

    def locations(self, fcgi):
        return f"""
    location / {{
      fastcgi_pass unix:{fcgi};
      fastcgi_param SCRIPT_FILENAME {http_backend()};
      fastcgi_param GIT_PROJECT_ROOT {self.root};
      fastcgi_param GIT_HTTP_EXPORT_ALL 1;
      fastcgi_param HOME {self.folder};
      fastcgi_param PATH_INFO $uri;
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
      fastcgi_param GIT_PROTOCOL $http_git_protocol;
      fastcgi_param REMOTE_USER $remote_user;
      fastcgi_param REMOTE_ADDR $remote_addr;
      fastcgi_buffering off;
      fastcgi_request_buffering off;
      fastcgi_read_timeout 300s;
    }}"""

    def speaks(self):
        return ""

    def configure(self):
        nginx, fcgiwrap = find_program("nginx"), find_program("fcgiwrap")
        if nginx is None or fcgiwrap is None:
            raise unittest.SkipTest("nginx or fcgiwrap is not installed")
        auth = f'auth_basic "git"; auth_basic_user_file {self.htpasswd()};' if self.users else ""
        listener = socket.socket(socket.AF_UNIX)
        path = self.folder / "fcgi.sock"
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        listener.listen(128)
        path.chmod(0o666)
        config = self.folder / "nginx.conf"
        config.write_text(f"""
{"user www-data;" if os.geteuid() == 0 else ""}
worker_processes 1;
daemon off;
pid {self.folder}/nginx.pid;
error_log {self.folder}/errors;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {self.folder}/body;
  fastcgi_temp_path {self.folder}/fcgi;
  proxy_temp_path {self.folder}/proxy; uwsgi_temp_path {self.folder}/uwsgi; scgi_temp_path {self.folder}/scgi;
  server {{
    listen {self.address}{self.speaks()};
    {auth}
    {self.locations(path)}
  }}
}}
""")
        give_to_server(self.folder)
        identity = {"user": "www-data", "group": "www-data"} if os.geteuid() == 0 else {}
        self.spawn(fcgiwrap, "-c", "8", stdin=listener, **identity)
        listener.close()
        self.spawn(nginx, "-c", str(config), "-p", str(self.folder), "-e", str(self.folder / "errors"))


class SecureNginx(Nginx):
    """nginx that speaks TLS."""

    name = "nginx-tls"

    @property
    def authority(self):
        return certificates.folder() / "localhost.crt"

    @property
    def url(self):
        return f"https://{self.address}"

    def speaks(self):
        return f" ssl; ssl_certificate {self.authority}; ssl_certificate_key {self.authority.with_suffix('.key')}"


class GitWeb(Nginx):
    """Git's own web pages: gitweb, with its style sheet, script and pictures from files."""

    name = "gitweb"
    program = Path("/usr/share/gitweb/gitweb.cgi")

    def locations(self, fcgi):
        if not self.program.exists():
            raise unittest.SkipTest("gitweb is not installed")
        settings = self.folder / "gitweb.conf"
        settings.write_text(f'$projectroot = "{self.root}";\n')
        return f"""
    location = / {{
      fastcgi_pass unix:{fcgi};
      fastcgi_param SCRIPT_FILENAME {self.program};
      fastcgi_param GITWEB_CONFIG {settings};
      fastcgi_param QUERY_STRING $query_string;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param SCRIPT_NAME /;
      fastcgi_param SERVER_NAME $host;
      fastcgi_param SERVER_PROTOCOL $server_protocol;
    }}
    location /static/ {{
      types {{ text/css css; text/javascript js; image/png png; }}
      alias {self.program.parent}/static/;
    }}"""


class Origin(Server):
    """The project's own small server: for what needs no second opinion, such as gigabytes."""

    name = "origin"

    def configure(self):
        program = os.environ.get("BREAKWATER_ORIGIN", "")
        if not program:
            raise unittest.SkipTest("BREAKWATER_ORIGIN names no program")
        self.spawn(program, "--listen", self.address, "--root", str(self.root), "--allow-push")


def give_to_server(folder):
    """As root, the servers run as www-data, and Git refuses repositories of somebody else."""
    if os.geteuid() == 0:
        folder.chmod(0o755)
        subprocess.run(["chown", "-R", "www-data:www-data", str(folder)], check=True)


def kinds():
    return [Apache, Nginx, SecureNginx]


if __name__ == "__main__":
    sys.exit("this file is imported by the tests")
