#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# sanity.sh DIR: `ansible-test sanity` on the copy of the collection in DIR, without containers.
set -eu
bin=$PWD/.venv/bin
version=$("$bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')

# ansible-test fetches get-pip.py for the virtual environments that it makes. Python's own ensurepip does the same without a download,
# so a script that calls it is put where ansible-test keeps that file; the file's name is asked from ansible-test.
cache=$("$bin/python" - "$version" <<'PY'
import pathlib
import sys
import types

from ansible_test._internal.python_requirements import get_venv_packages

pip = get_venv_packages(types.SimpleNamespace(version=sys.argv[1]))["pip"]
print(pathlib.Path("~/.ansible/test/cache").expanduser() / f"get_pip_{pip.replace('.', '_')}.py")
PY
)
if [ ! -e "$cache" ]; then
  mkdir -p "$(dirname "$cache")"
  printf 'import ensurepip\n\nensurepip.bootstrap()\n' >"$cache.new"
  mv "$cache.new" "$cache"
fi
cd "$1"
exec "$bin/ansible-test" sanity --python "$version" --color no
