#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# sanity.sh DIR: `ansible-test sanity` on the copy of the collection in DIR, without containers.
set -eu
bin=$PWD/.venv/bin
version=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# ansible-test fetches get-pip.py for the virtual environments it makes; Python's own ensurepip does the same without a download.
# The name of the cached file belongs to the version of ansible-test, so it is taken from there.
"$bin/python" - <<'PY'
import pathlib
import re

import ansible_test

package = pathlib.Path(ansible_test.__file__).parent
text = (package / "_internal" / "python_requirements.py").read_text()
pip_version = re.search(r"^\s*'3\.1[1-9]':\s*'([\d.]+)'|__PIP_VERSION__|pip_version\s*=\s*'([\d.]+)'|default_version\s*=\s*'([\d.]+)'", text, re.M)
print(pip_version)
PY
cd "$1"
exec "$bin/ansible-test" sanity --python "$version" --color no
