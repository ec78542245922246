#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# copy_collection.sh DIR: makes DIR a copy of the files that git knows, as they are in the work tree. Untracked files that git does not
# ignore are copied too: what is about to be committed is checked as well.
set -eu
to=$1
rm -rf "$to"
mkdir -p "$to"
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
  tar --null --files-from=- -cf - | tar -xf - -C "$to"

# ansible-test asks git for the files of the collection, and would find them all ignored by the outer repository.
git -C "$to" init --quiet --initial-branch main
