#!/usr/bin/env python3
"""Install Debian's Chromium for the tests of the HTML report, where that is nobody else's business.

That is on Debian, as root (a container), and only where there is none: some 15 seconds and 120 MB to download. Anywhere
else, and whenever it fails, the tests in `tests/browser/` are skipped and say what they lack.
"""

import os
import platform
import shutil
import subprocess
import sys

PATIENCE_S = 300
APT = ["apt-get", "-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20"]


def main() -> None:
    """Install Chromium if it is missing and may be diffusers_api."""
    if shutil.which("chromium") or not may_install():
        return
    say("installing Chromium for the tests of the report")
    if not (apt("install", "--yes", "--no-install-recommends", "chromium") or updated_and_installed()):
        say("no Chromium to be had; the tests in a browser are skipped")


def may_install() -> bool:
    """Tell whether this is a Debian (Ubuntu's Chromium is a snap, which containers lack) that is ours to change."""
    try:
        system = platform.freedesktop_os_release().get("ID")
    except OSError:
        return False
    return system == "debian" and os.geteuid() == 0 and shutil.which("apt-get") is not None


def updated_and_installed() -> bool:
    """Try once more with fresh package lists, which a container image has none of."""
    return apt("update") and apt("install", "--yes", "--no-install-recommends", "chromium")


def apt(*arguments: str) -> bool:
    """Run apt-get without questions and without words; tell whether it worked."""
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            [*APT, *arguments],
            env=quiet,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def say(what: str) -> None:
    """Tell the user, in a line, what is being done."""
    print(f"setup: {what} ...", file=sys.stderr)


if __name__ == "__main__":
    main()
