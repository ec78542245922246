#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# part.sh RESULTS NAME COMMAND…: runs one part of `make test` and leaves its exit code, and how long it took, in RESULTS/NAME.part.
set -u
results=$1 name=$2
shift 2
mkdir -p "$results"
echo "== $name"
start=$(date +%s)
"$@"
code=$?
echo "$code $(($(date +%s) - start))" >"$results/$name.part"
exit $code
