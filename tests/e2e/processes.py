"""What /proc tells about processes. Python's standard library only."""

from pathlib import Path


def children(pid):
    """The child processes of `pid`, as text. A thread, or the process, may end while we look: then look again."""
    found = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += (task / "children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return children(pid) if Path(f"/proc/{pid}").exists() else []
    return found
