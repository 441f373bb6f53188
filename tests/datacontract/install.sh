#!/usr/bin/env bash
# Puts the datacontract tool, which judges the contracts that we export, into one ignored folder, .tools/datacontract: a
# Python environment of its own with exactly the packages of requirements.txt.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
place=$top/.tools/datacontract
requirements=$here/requirements.txt

say() { printf 'datacontract: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

command -v python3 >/dev/null || fail "python3 is missing; install Python 3.11 or later, on Debian: apt install python3 python3-venv"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$(python3 --version) is too old; the pinned packages need Python 3.11 or later"
python3 -c 'import ensurepip, venv' 2>/dev/null || fail "the venv module of $(python3 --version) is missing; on Debian: apt install python3-venv"

# The stamp says which packages are there and for which Python: another minor version does not find them.
stamp() { "$1" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest(), *sys.version_info[:2])' "$requirements"; }
complete() { [ -x "$place/bin/python" ] && [ -s "$place/.stamp" ] && [ "$(cat "$place/.stamp" 2>/dev/null)" = "$(stamp "$place/bin/python" 2>/dev/null)" ]; }
version=$(sed -n -E 's/^(datacontract-cli)==(.*)/\1 \2/p' "$requirements")

if complete; then
  say "already there: $version"
  exit 0
fi

# Built beside its place and moved there, so that an interrupted run leaves nothing that looks complete. The scripts in
# bin/ hold the path where they were made and break by the move, so that the tool is called as `python -m`.
temporary=$top/.tools/.datacontract.$$
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$top/.tools"
for left in "$top/.tools/.datacontract."*; do
  if [ -d "$left" ] && ! kill -0 "${left##*.}" 2>/dev/null; then rm -rf "$left" 2>/dev/null || true; fi
done

began=$(date +%s)
say "installing $version, with $(grep -c '==' "$requirements") packages in all; one to three minutes and 130 MB, once"
python3 -m venv "$temporary"
"$temporary/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --no-deps --requirement "$requirements" ||
  fail "the packages could not be installed; what pip said is above"
"$temporary/bin/python" -m pip check --disable-pip-version-check >/dev/null || fail "requirements.txt does not fit together; python -m pip check says how"
"$temporary/bin/python" -c 'import datacontract.cli' || fail "the packages are there and cannot be imported"
stamp "$temporary/bin/python" >"$temporary/.stamp"

# Another run may have been faster; moving onto what it made fails, where `mv` would move into it.
complete || rm -rf "$place"
python3 -c 'import os, sys; os.rename(*sys.argv[1:])' "$temporary" "$place" 2>/dev/null || complete || fail ".tools/datacontract could not be put in place"
say "ready in $(($(date +%s) - began)) s: $version in .tools/datacontract"
