"""The scripts in tools/ are not a package; they import each other as a program does that lies beside them."""

import sys

from support import ROOT

sys.path.append(str(ROOT / "tools"))
