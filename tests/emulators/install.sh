#!/usr/bin/env bash
# Puts the AWS emulators of the tests, moto and MiniStack, and microburst, the proxy that injects faults, into one ignored
# folder, .tools/emulators: a Python environment of its own with exactly the packages of requirements.txt.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
place=$top/.tools/emulators
requirements=$here/requirements.txt

say() { printf 'emulators: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

command -v python3 >/dev/null || fail "python3 is missing; install Python 3.11 or later, on Debian: apt install python3 python3-venv"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$(python3 --version) is too old; the pinned packages need Python 3.11 or later"
# Debian splits the module: without python3-venv there is `venv`, but nothing that puts pip into an environment.
python3 -c 'import ensurepip, venv' 2>/dev/null || fail "the venv module of $(python3 --version) is missing; on Debian: apt install python3-venv"

# The stamp says which packages are there and for which Python: another minor version does not find them.
stamp() { "$1" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest(), *sys.version_info[:2])' "$requirements"; }
complete() { [ -x "$place/bin/python" ] && [ -s "$place/.stamp" ] && [ "$(cat "$place/.stamp" 2>/dev/null)" = "$(stamp "$place/bin/python" 2>/dev/null)" ]; }
versions() { sed -n -E 's/^(moto|ministack|microburst)(\[[a-z]+\])?==(.*)/\1 \3/p' "$requirements" | paste -s -d , - | sed 's/,/, /g'; }

if complete; then
  say "already there: $(versions)"
  exit 0
fi

# Built beside its place and moved there, so that an interrupted run leaves nothing that looks complete; the name has our
# process id, so that two runs at a time do not write into one folder. The scripts in bin/ hold the path where they were
# made and break by the move, so that everything is called as `python -m`, which does not.
temporary=$top/.tools/.emulators.$$
trap 'rm -rf "$temporary"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$top/.tools"
# What a killed run could not tidy up; its pip may live on and be in the way a little longer.
for left in "$top/.tools/.emulators."*; do
  if [ -d "$left" ] && ! kill -0 "${left##*.}" 2>/dev/null; then rm -rf "$left" 2>/dev/null || true; fi
done

began=$(date +%s)
say "installing $(versions), with $(grep -c '==' "$requirements") packages in all"
say "one to two minutes and 360 MB, once; later runs take a second"
python3 -m venv "$temporary"
# Nothing but what is listed: a package that the list forgot is told by `pip check`, not taken in whatever version is new.
"$temporary/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --no-deps --requirement "$requirements" ||
  fail "the packages could not be installed; what pip said is above"
"$temporary/bin/python" -m pip check --disable-pip-version-check >/dev/null || fail "requirements.txt does not fit together; python -m pip check says how"
"$temporary/bin/python" -c 'import cbor2, microburst, ministack.app, moto.server' || fail "the packages are there and cannot be imported"
stamp "$temporary/bin/python" >"$temporary/.stamp"

# Another run may have been faster; moving onto what it made fails, where `mv` would move into it.
complete || rm -rf "$place"
python3 -c 'import os, sys; os.rename(*sys.argv[1:])' "$temporary" "$place" 2>/dev/null || complete || fail ".tools/emulators could not be put in place"
say "ready in $(($(date +%s) - began)) s: $(versions) in .tools/emulators"
