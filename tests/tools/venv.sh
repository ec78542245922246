#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes .venv in the checkout: the versions of requirements.lock, and the checkout itself linked in as the collection
# atmail.migration, so that Python and Ansible find it from any directory without settings. Does nothing when it is up to date.
set -eu
cd "$(dirname "$0")/../.."
venv=$PWD/.venv
stamp=$venv/.stamp

wanted() {
  # The path is part of it: a virtual environment does not survive being moved.
  { pwd; cat requirements.lock tests/tools/venv.sh; } | sha256sum
}

suitable() {
  # ansible-core 2.19 runs on 3.11 to 3.13.
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}

find_python() {
  for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if suitable "$name"; then
      command -v "$name"
      return
    fi
  done
  echo "make setup: no Python 3.11, 3.12 or 3.13 found; install one, or name it: make setup PYTHON=/path/to/python3" >&2
  return 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

need_ensurepip() {
  "$1" -c 'import ensurepip, venv' 2>/dev/null && return
  version=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  echo "make setup: installing $version"
  as_root apt-get update -q >/dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y "$version" >/dev/null
}

[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ] && exit 0
mkdir -p .build
exec 9>.build/setup.lock
flock 9
[ -f "$stamp" ] && [ "$(cat "$stamp")" = "$(wanted)" ] && exit 0

if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1 || ! head -n 1 "$venv/bin/pip" | grep -q "$venv/"; then
  python=$(find_python)
  need_ensurepip "$python"
  echo "make setup: making .venv with $("$python" --version)"
  rm -rf "$venv"
  "$python" -m venv "$venv"
fi
echo "make setup: installing requirements.lock"
"$venv/bin/python" -m pip install -qq --disable-pip-version-check -r requirements.lock

site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir -p "$site/ansible_collections/atmail"
ln -sfn ../../../../../.. "$site/ansible_collections/atmail/migration.new"
mv -T "$site/ansible_collections/atmail/migration.new" "$site/ansible_collections/atmail/migration"
wanted >"$stamp.new"
mv "$stamp.new" "$stamp"
