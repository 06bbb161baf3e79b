"""Makes the initramfs of the guest: busybox, the modules it needs with all that they need, its init, and the command."""

import os
import shutil
from pathlib import Path

# Those of init, and those that the kernel asks for when a network is made, by name; and folders of which it asks for what it wants: TLS names its
# ciphers when keys come.
MODULES = {"virtio_pci", "virtio_console", "virtio_rng", "9pnet_virtio", "9p", "overlay", "tls", "tun", "veth", "sch_netem"}
FOLDERS = ("kernel/crypto/", "kernel/arch/x86/crypto/", "kernel/lib/crypto/")
EMPTY_FOLDERS = ("bin", "dev", "host", "lib", "lib/modules", "new", "proc", "sys", "written")


class Archive:
    """A cpio archive of the form "newc", the one that the kernel reads."""

    def __init__(self):
        self.data = bytearray()
        self.number = 0

    def add(self, name, mode, content=b""):
        self.number += 1
        fields = (self.number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        self.data += b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        self.pad()
        self.data += content
        self.pad()

    def pad(self):
        self.data += bytes(-len(self.data) % 4)

    def folder(self, name):
        self.add(name, 0o040755)

    def file(self, name, content, mode=0o644):
        self.add(name, 0o100000 | mode, content)

    def link(self, name, target):
        self.add(name, 0o120777, target.encode())

    def end(self):
        self.add("TRAILER!!!", 0)
        return bytes(self.data)


def dependencies(modules):
    """Of each module's file, the files that it needs too: modules.dep, which lists all of them, not only the next."""
    needs = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        file, _, others = line.partition(":")
        needs[file] = others.split()
    return needs


def chosen(modules):
    needs = dependencies(modules)
    wanted = {file for file in needs if file.startswith(FOLDERS) or Path(file).stem.replace("-", "_") in MODULES}
    return sorted(wanted.union(*(needs[file] for file in wanted)))


def make(kernel, command):
    """`kernel` is the folder that tools/vm-kernel made; `command` is what a shell in the guest is to run."""
    modules = next((kernel / "lib/modules").iterdir())
    busybox = shutil.which("busybox")
    if not busybox:
        raise FileNotFoundError("busybox is not installed; run tools/setup vm")
    archive = Archive()
    for name in EMPTY_FOLDERS:
        archive.folder(name)
    archive.link("sbin", "bin")
    archive.file("bin/busybox", Path(busybox).read_bytes(), 0o755)
    archive.link("bin/sh", "busybox")
    archive.file("init", (Path(__file__).parent / "init").read_bytes(), 0o755)
    archive.file("command", command.encode(), 0o600)
    inside = f"lib/modules/{modules.name}"
    folders = set()
    for file in chosen(modules) + ["modules.dep", "modules.alias", "modules.symbols"]:
        for parent in reversed(Path(inside, file).parents):
            if str(parent) not in folders and str(parent) not in EMPTY_FOLDERS and str(parent) != ".":
                archive.folder(str(parent))
                folders.add(str(parent))
        archive.file(os.path.join(inside, file), (modules / file).read_bytes())
    return archive.end()
