"""The cases of bench/compare: what is asked of every contender, and what Breakwater should reach.

Four kinds of goals, each a bound on one metric: a ratio, Breakwater over the best HAProxy configuration of the case; a
scaling, Breakwater on two cores over Breakwater on one; guards, Breakwater that judges its servers over one that has nothing to
judge; a value of Breakwater's own.
"""

import resource
from dataclasses import dataclass, field, replace

MIB = 1024 * 1024
# The size in which curl hands a large request body on.
PUSH_CHUNK_BYTES = 64 * 1024

BULK = "bulk"          # measured in bytes
REQUESTS = "requests"  # measured in requests
HANDSHAKES = "handshakes"  # the same, each with a TLS handshake that is what counts
IDLE = "idle"          # measured in resident memory

# Who takes part over TLS, where nothing can be spliced: by buffers, or by how clients come back.
TLS_CONTENDERS = ("breakwater", "haproxy-default", "haproxy-splice", "haproxy-64k", "haproxy-256k", "nginx")
TLS_SESSION_CONTENDERS = ("breakwater", "haproxy-default", "haproxy-splice", "haproxy-tickets", "nginx")

# What is compared: key of a result, its title, its unit, and whether more of it is better.
METRICS = {
    "cpu_s_per_gb": ("CPU", "s/GB", False),
    "gb_per_s": ("speed", "GB/s", True),
    "cpu_us_per_request": ("CPU", "us/request", False),
    "requests_per_s": ("speed", "requests/s", True),
    "cpu_us_per_handshake": ("CPU", "us/handshake", False),
    "handshakes_per_s": ("speed", "handshakes/s", True),
    # What the proxy's cores would carry if they were all that counts: cores / CPU time per request.
    "capacity_per_s": ("capacity", "requests/s", True),
    "p50_us": ("p50", "us", False),
    "p99_us": ("p99", "us", False),
    "p99_9_us": ("p99.9", "us", False),
    "resident_kib_1": ("resident with 1 connection", "KiB", False),
    "kib_per_connection_of_some": ("per connection with some", "KiB", False),
    "kib_per_connection_of_many": ("per connection with many", "KiB", False),
}


@dataclass(frozen=True)
class Case:
    name: str
    title: str
    kind: str
    connections: int
    client: tuple = ()            # what bench_client is told besides
    server: str = "bench"         # who answers: "bench" (bench_origin), or one of git_servers
    cores: tuple = (1,)           # of the proxies; several are compared with each other
    contenders: tuple = ()        # only these; none named: all
    slowness: int = 1             # how many times longer than others it is measured
    rounds_max: int = 1000        # more tell nothing new
    idle_counts: tuple = ()       # numbers of idle connections, beside 1: some, many
    tls: str = ""                 # the contenders speak TLS, with a key of this kind (certificates.KEYS)
    may_be_bound: bool = False    # a goal for speed is waived where the rest of the machine is the limit
    quick: bool = False           # part of --quick
    ratios: dict = field(default_factory=dict)   # metric: bound
    scaling: dict = field(default_factory=dict)
    guards: dict = field(default_factory=dict)
    values: dict = field(default_factory=dict)

    @property
    def metrics(self):
        if self.kind == BULK:
            return ["cpu_s_per_gb", "gb_per_s"]
        if self.kind == IDLE:
            return ["resident_kib_1", "kib_per_connection_of_some", "kib_per_connection_of_many"]
        if self.kind == HANDSHAKES:
            return ["cpu_us_per_handshake", "handshakes_per_s", "p50_us", "p99_us"]
        if "--rate" in self.client:
            return ["cpu_us_per_request", "p50_us", "p99_us", "p99_9_us"]
        if len(self.cores) > 1:
            return ["cpu_us_per_request", "requests_per_s", "capacity_per_s"]
        return ["cpu_us_per_request", "requests_per_s", "p50_us", "p99_us", "p99_9_us"]


def plain(connections, body_bytes, **options):
    path = f"/plain/{body_bytes}/team/app.git/objects/pack/a.pack"
    return Case(f"plain-c{connections}", f"plain bodies of {body_bytes // MIB} MiB, C = {connections}", BULK, connections,
                ("--path", path, "--answer-bytes", body_bytes), **options)


def chunked(chunk_bytes, body_bytes, **options):
    path = f"/chunked/{chunk_bytes}/{body_bytes}/team/app.git"
    return Case(f"chunked-{chunk_bytes}", f"bodies of {body_bytes // MIB} MiB in chunks of {chunk_bytes} bytes, C = 8", BULK,
                8, ("--path", path, "--answer-bytes", body_bytes), **options)


def push(framing, body_bytes, *words, **options):
    return Case(f"push-{framing}", f"request bodies of {body_bytes // MIB} MiB, {framing}, C = 8", BULK, 8,
                ("--path", "/push/team/app.git/git-receive-pack", "--answer-bytes", 4,
                 "--header", "Content-Type: application/x-git-receive-pack-request", "--post-bytes", body_bytes, *words),
                **options)


def small(name, title, connections, *words, **options):
    return Case(name, f"info/refs of 1 KiB, {title}", REQUESTS, connections,
                ("--path", "/small/team/app.git/info/refs?service=git-upload-pack", "--answer-bytes", 1024,
                 "--header", "Git-Protocol: version=2", *words), **options)


def upload_pack(server, title, **options):
    return Case(f"upload-pack-{server}", f"the pack of a clone from {title}, C = 4", BULK, 4,
                ("--header", "Content-Type: application/x-git-upload-pack-request",
                 "--header", "Accept: application/x-git-upload-pack-result"),
                server=server, slowness=2, may_be_bound=True, ratios={"cpu_s_per_gb": 0.45, "gb_per_s": 1.5}, **options)


def idle(some, many, **options):
    # A proxy may need two descriptors for each, and some to spare; not every machine lets us have so many.
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    many = min(many, (files - 1000) // 2)
    return Case("idle", f"resident memory with 1, some ({some:,}) and many ({many:,}) idle connections, each after one request",
                IDLE, many, rounds_max=3, idle_counts=(some, many), values={"kib_per_connection_of_many": 4}, **options)


def secure(case, key, **more):
    """The same over TLS."""
    return replace(case, name=f"tls-{case.name}", title=f"TLS: {case.title}", tls=key, **{"contenders": TLS_CONTENDERS} | more)


def handshakes(name, title, key, *words, speed=None, **options):
    """With a goal for `speed` there is one for CPU time, too: the client's core may be the limit, and then that is what tells."""
    ratios = {"handshakes_per_s": speed, "cpu_us_per_handshake": round(1 / speed, 2)} if speed else {}
    case = small(name, f"a connection and a handshake for each, 64 at once: {title}", 64, "--churn", *words,
                 may_be_bound=True, ratios=ratios, **options)
    return secure(case, key, kind=HANDSHAKES, contenders=TLS_SESSION_CONTENDERS)


def make(quick=False):
    """All cases; with `quick`, the few that show that everything works, with small bodies."""
    body = MIB if quick else 64 * MIB
    cases = [
        plain(1, body, ratios={"cpu_s_per_gb": 0.95, "gb_per_s": 0.95}),
        plain(8, body, ratios={"cpu_s_per_gb": 0.85, "gb_per_s": 1.0}, quick=True),
        plain(64, body, ratios={"cpu_s_per_gb": 0.85, "gb_per_s": 1.0}),
        plain(256, body),
        chunked(4000, body, ratios={"cpu_s_per_gb": 0.75, "gb_per_s": 1.2}, quick=True),
        chunked(8000, body, ratios={"cpu_s_per_gb": 0.75, "gb_per_s": 1.2}),
        chunked(32768, body),
        chunked(65536, body, ratios={"cpu_s_per_gb": 0.55, "gb_per_s": 1.3}),
        upload_pack("apache", "Apache with git http-backend", quick=True),
        upload_pack("nginx", "nginx with fcgiwrap and git http-backend"),
        upload_pack("gogs", "Gogs"),
        upload_pack("gitea", "Gitea"),
        push("fixed", body, ratios={"cpu_s_per_gb": 0.85, "gb_per_s": 1.0}),
        push("chunked", body, "--post-chunk", PUSH_CHUNK_BYTES, ratios={"cpu_s_per_gb": 0.85, "gb_per_s": 1.0}, quick=True),
        small("small-c64", "C = 64, as fast as possible", 64,
              ratios={"cpu_us_per_request": 0.8, "requests_per_s": 1.2, "p99_us": 0.8}),
        small("small-c512", "C = 512, as fast as possible", 512),
        small("rate-c64", "C = 64, 10,000 a second", 64, "--rate", 10_000, quick=True),
        small("rate-c512", "C = 512, 20,000 a second", 512, "--rate", 20_000),
        small("guarded", "C = 64, with health, affinity and limits at work", 64,
              contenders=("breakwater", "breakwater-guarded"), guards={"cpu_us_per_request": 1.03}, quick=True),
        small("churn", "a connection for each, 64 at once", 64, "--churn",
              ratios={"cpu_us_per_request": 0.8, "requests_per_s": 1.1}, quick=True),
        small("cores", "C = 64, on 1 core and on 2", 64, cores=(1, 2), contenders=("breakwater", "haproxy-splice", "nginx"),
              may_be_bound=True, scaling={"requests_per_s": 1.8, "capacity_per_s": 1.8}, quick=True),
        idle(*((20, 50) if quick else (2000, 10_000)), quick=True),
        secure(plain(8, body, quick=True), "ecdsa", ratios={"cpu_s_per_gb": 0.9}),
        secure(plain(64, body), "ecdsa", ratios={"cpu_s_per_gb": 0.9}),
        secure(push("fixed", body, quick=True), "ecdsa"),
        secure(small("small-c64", "C = 64, as fast as possible", 64), "ecdsa", ratios={"cpu_us_per_request": 0.85}),
        handshakes("full-ecdsa", "full, ECDSA P-256", "ecdsa", speed=0.9, quick=True),
        handshakes("full-rsa", "full, RSA 2048", "rsa"),
        handshakes("resumed", "resumed by the session of the one before, ECDSA P-256", "ecdsa", "--resume", speed=1, quick=True),
        secure(idle(*((20, 50) if quick else (500, 2000)), quick=True), "ecdsa", contenders=TLS_SESSION_CONTENDERS, values={},
               ratios={"kib_per_connection_of_many": 0.6}),
    ]
    return [case for case in cases if case.quick or not quick]
