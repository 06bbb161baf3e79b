"""The contenders of bench/compare: who they are, the configuration each one gets, and how they are started.

A contender stands in front of one origin. "direct" is the origin itself, as the measure of what the rest of the machine
can do. Access logs are off everywhere. The bounds are set so that nobody refuses 10,000 connections.

With a certificate a contender speaks TLS, and there is no "direct". Everybody has the same certificate, one suite and the
same groups; bench_client offers one of each anyhow.
"""

import json
import os
import subprocess

from processes import children
from servers import Server, find_program, free_port

CONNECTIONS_MAX = 12000
IDLE_SERVER_CONNECTIONS_MAX = 1024
# Breakwater's first choices, which it has by itself.
SUITE = "TLS_AES_128_GCM_SHA256"
GROUPS = "X25519:P-256"


class Contender(Server):
    """One proxy in front of `origin` ("127.0.0.1:PORT"), on the CPUs `cpus`; with TLS if it has a certificate."""

    name = ""
    what = ""
    only_packs = False  # differs from its sibling only where a Git server sends a pack
    only_if_named = False  # takes part in cases that name it, and in no others

    def __init__(self, origin, cpus, certificate=None):
        super().__init__()
        self.origin = origin
        self.cpus = sorted(cpus)
        self.certificate = certificate

    def start(self, *command):
        return self.spawn("taskset", "--cpu-list", ",".join(map(str, self.cpus)), *map(str, command))

    def pids(self):
        """All its processes: some have workers."""
        found, todo = [], [process.pid for process in self.processes]
        while todo:
            pid = todo.pop()
            found.append(pid)
            todo += [int(child) for child in children(pid)]
        return found

    def is_running(self):
        return all(process.poll() is None for process in self.processes)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path


class Breakwater(Contender):
    name = "breakwater"
    what = "this tree, release build, all defaults but the number of connections"
    program = None  # set by bench/compare
    framing = "auto"
    pool = ""  # further lines of the pool

    def servers(self):
        return [self.origin]

    def configure(self):
        self.admin_port = free_port()
        config = self.write("breakwater.toml", f"""
[listen.git]
bind = "127.0.0.1:{self.port}"
{f'tls = "{self.certificate.folder}"' if self.certificate else ""}
[pool.origin]
servers = {json.dumps(self.servers())}
upload_pack_framing = "{self.framing}"
{self.pool}
[limits]
connections = {CONNECTIONS_MAX}
servers_idle = {IDLE_SERVER_CONNECTIONS_MAX}
[log]
target = "off"
[admin]
bind = "127.0.0.1:{self.admin_port}"
[process]
cores = {len(self.cpus)}
""")
        self.start(self.program, "run", "-f", config)

    @classmethod
    def version(cls):
        return first_line(cls.program, "--version")

    @classmethod
    def tls_library(cls):
        said = subprocess.run([cls.program, "--version"], capture_output=True, text=True, check=False).stdout
        return next((line.removeprefix("TLS: ") for line in said.splitlines() if line.startswith("TLS: ")), "unknown")


class BreakwaterGuarded(Breakwater):
    """What health, affinity and limits cost: the one above has one server, and nothing to decide."""

    name = "breakwater-guarded"
    what = "the same with two servers: judged, probed, chosen by speed, operations bound to one and counted against limits"
    only_if_named = True
    pool = f"""balance = "fastest"
probe = "tcp"
max_operations = {CONNECTIONS_MAX}
max_fetches = {CONNECTIONS_MAX}
max_per_repository = {CONNECTIONS_MAX}
max_per_client = {CONNECTIONS_MAX}"""

    def servers(self):
        host, port = self.origin.rsplit(":", 1)
        assert host == "127.0.0.1"
        return [self.origin, f"127.0.0.2:{port}"]  # the same origin, for it listens on all of loopback


class BreakwaterChunked(Breakwater):
    name = "breakwater-chunked"
    what = 'the same, with upload_pack_framing = "chunked" instead of "auto"'
    framing = "chunked"
    only_packs = True


class BreakwaterUntilClose(Breakwater):
    name = "breakwater-until-close"
    what = 'the same, with upload_pack_framing = "until-close"'
    framing = "until-close"
    only_packs = True


class HAProxy(Contender):
    program = os.environ.get("HAPROXY") or find_program("haproxy")
    tuning = ""    # of [global]
    defaults = ""  # the defaults section
    server = ""    # options of the server line
    backend = ""   # further lines of the backend
    tls_backend = ""  # the same, with TLS
    tls_tuning = ""   # of [global], with TLS
    tls = f"ciphersuites {SUITE} curves {GROUPS} alpn http/1.1"

    def configure(self):
        has_tls = self.certificate is not None
        config = self.write("haproxy.cfg", f"""
global
  nbthread {len(self.cpus)}
  no strict-limits
  maxconn {CONNECTIONS_MAX}
{self.tuning}
{self.tls_tuning if has_tls else ""}
defaults
{self.defaults}
  maxconn {CONNECTIONS_MAX}
frontend git
  bind 127.0.0.1:{self.port} {f"ssl crt {self.certificate.file} {self.tls}" if has_tls else ""}
  default_backend origin
backend origin
{self.backend}
{self.tls_backend if has_tls else ""}
  server origin {self.origin} {self.server}
""")
        self.start(self.program, "-db", "-f", config)

    @classmethod
    def version(cls):
        return first_line(cls.program, "-v")


class HAProxyDefault(HAProxy):
    name = "haproxy-default"
    what = "as Debian ships it: its defaults section, a frontend and a backend"
    defaults = """
  log global
  mode http
  option httplog
  option dontlognull
  timeout connect 5000
  timeout client 50000
  timeout server 50000
"""
    tls_tuning = "  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets"


TUNED = """
  mode http
  option http-keep-alive
  timeout connect 5s
  timeout client 5m
  timeout server 10m
"""


class HAProxyTuned(HAProxy):
    defaults = TUNED
    backend = "  http-reuse always\n  option forwardfor"
    server = "pool-max-conn -1"
    # Sessions that it keeps cost it less than tickets.
    tls_tuning = "  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets"
    tls_backend = "  http-request set-header X-Forwarded-Proto https"


class HAProxySplice(HAProxyTuned):
    name = "haproxy-splice"
    what = "tuned for splicing: 1 MiB pipes, splice both ways, connections reused"
    tuning = "  tune.pipesize 1048576\n  tune.bufsize 16384"
    defaults = TUNED + "  option splice-auto\n  option splice-request\n  option splice-response\n"


class HAProxyLargeBuffers(HAProxyTuned):
    name = "haproxy-1m"
    what = "tuned with buffers of 1 MiB, no splicing, connections reused"
    tuning = "  tune.bufsize 1048576"


class HAProxy64K(HAProxyTuned):
    name = "haproxy-64k"
    what = "tuned with buffers of 64 KiB, for TLS, which can't splice"
    only_if_named = True
    tuning = "  tune.bufsize 65536"


class HAProxy256K(HAProxyTuned):
    name = "haproxy-256k"
    what = "tuned with buffers of 256 KiB, for TLS"
    only_if_named = True
    tuning = "  tune.bufsize 262144"


class HAProxyTickets(HAProxySplice):
    name = "haproxy-tickets"
    what = "as haproxy-splice, with TLS tickets instead of sessions that it keeps"
    only_if_named = True
    tls_tuning = "  ssl-default-bind-options ssl-min-ver TLSv1.2\n  tune.ssl.cachesize 0"


class Nginx(Contender):
    name = "nginx"
    what = "tuned: answers unbuffered, 256 KiB buffer, connections reused"
    program = find_program("nginx")
    buffering = "proxy_buffering off; proxy_buffer_size 256k; proxy_buffers 4 256k;"

    def configure(self):
        folder = self.folder
        config = self.write("nginx.conf", f"""
{"user root;" if os.geteuid() == 0 else ""}
worker_processes {len(self.cpus)};
worker_rlimit_nofile {3 * CONNECTIONS_MAX};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/errors;
events {{ worker_connections {2 * CONNECTIONS_MAX}; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 10m;
  keepalive_requests 1000000000;
  client_max_body_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream origin {{
    server {self.origin};
    keepalive {IDLE_SERVER_CONNECTIONS_MAX};
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{self.port} {"ssl" if self.certificate else ""} backlog=4096;
    {self.tls() if self.certificate else ""}
    location / {{
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      {"proxy_set_header X-Forwarded-Proto https;" if self.certificate else ""}
      proxy_request_buffering off;
      proxy_read_timeout 10m;
      {self.buffering}
    }}
  }}
}}
""")
        self.start(self.program, "-c", config, "-p", folder, "-e", folder / "errors")

    def tls(self):
        return f"""
    ssl_certificate {self.certificate.file};
    ssl_certificate_key {self.certificate.file};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_conf_command Ciphersuites {SUITE};
    ssl_ecdh_curve {GROUPS};
    ssl_session_tickets on;
    ssl_session_cache shared:tls:20m;
    ssl_session_timeout 12h;
    ssl_buffer_size 16k;"""

    @classmethod
    def version(cls):
        return first_line(cls.program, "-v")


class NginxBuffered(Nginx):
    name = "nginx-buffered"
    what = "tuned: answers buffered in 16 x 64 KiB, never on disk, connections reused"
    buffering = "proxy_buffering on; proxy_buffer_size 64k; proxy_buffers 16 64k; proxy_max_temp_file_size 0;"


class Direct:
    """No proxy at all."""

    name = "direct"
    what = "no proxy; the CPU time is the origin's own"
    only_packs = only_if_named = False

    def __init__(self, origin):
        self.address = origin.address
        self.origin = origin
        self.cpus = ()
        self.certificate = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def pids(self):
        return self.origin.pids

    def is_running(self):
        return True


PROXIES = [Breakwater, BreakwaterGuarded, BreakwaterChunked, BreakwaterUntilClose, HAProxyDefault, HAProxySplice, HAProxyLargeBuffers, HAProxy64K, HAProxy256K,
           HAProxyTickets, Nginx, NginxBuffered]
BREAKWATERS = [Breakwater.name, BreakwaterChunked.name, BreakwaterUntilClose.name]
HAPROXIES = [proxy.name for proxy in PROXIES if issubclass(proxy, HAProxy)]
NAMES = [Direct.name] + [proxy.name for proxy in PROXIES]


def first_line(program, *arguments):
    """What a program says about its version; some say it on stderr."""
    said = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return said.stdout.strip().splitlines()[0] if said.stdout.strip() else "unknown"
