"""The certificates with which every contender speaks TLS, made by the openssl command: for each kind of key one that is signed
by itself, in a folder of its own, as one file with its key.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

SERVER_NAME = "git.example"  # which bench_client asks for
KEYS = {"ecdsa": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}


@dataclass(frozen=True)
class Certificate:
    folder: Path
    file: Path  # the certificate and its key


def make(parent, kind):
    """In `parent`, unless it is there."""
    folder = parent / kind
    certificate = Certificate(folder, folder / "git.pem")
    if not folder.exists():
        folder.mkdir()
        key = parent / f"{kind}.key"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", *KEYS[kind], "-nodes", "-keyout", key, "-days", "2",
                               "-subj", f"/CN={SERVER_NAME}", "-addext", f"subjectAltName=DNS:{SERVER_NAME}"],
                              check=True, capture_output=True, stdin=subprocess.DEVNULL)
        certificate.file.write_bytes(made.stdout + key.read_bytes())
    return certificate
