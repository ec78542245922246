#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Writes requirements.lock anew from requirements-test.txt, with the oldest Python that we support, and without naming any index.
set -eu
cd "$(dirname "$0")/../.."
.venv/bin/python -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "make lock: needs .venv made with Python 3.11")'
python3.11 -m venv .build/lock
.build/lock/bin/pip install -qq pip-tools
.build/lock/bin/pip-compile --quiet --upgrade --strip-extras --no-header --annotation-style line \
  --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file .build/lock/new requirements-test.txt
{
  sed '/^[^#]/Q' requirements.lock
  cat .build/lock/new
} >.build/lock/requirements.lock
mv .build/lock/requirements.lock requirements.lock
