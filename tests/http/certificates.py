"""Certificates for a test's listener, made by the openssl command. Python's standard library only."""

import atexit
import shutil
import ssl
import subprocess
import tempfile
from functools import cache
from pathlib import Path


def make(folder, name, *, key="ec", subject="/CN=breakwater test", names="DNS:localhost,IP:127.0.0.1", days=2):
    """NAME.crt and NAME.key in `folder`, signed by itself."""
    options = {"ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "rsa": ["rsa:2048"]}[key]
    subprocess.run(["openssl", "req", "-x509", "-newkey", *options, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt",
                    "-days", str(days), "-subj", subject, "-addext", f"subjectAltName={names}"],
                   cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)


@cache
def folder():
    """One of this process, with a certificate for localhost and 127.0.0.1; its `localhost.crt` is whom to trust."""
    made = Path(tempfile.mkdtemp(prefix="breakwater-certificates-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    make(made, "localhost")
    return made


@cache
def trusting():
    """What a client of Python's needs to speak to it."""
    context = ssl.create_default_context(cafile=folder() / "localhost.crt")
    context.set_alpn_protocols(["http/1.1"])
    return context
