# The frame of the scripts tests/*/install.sh. Each puts one tool of the tests into one ignored folder, .tools/NAME, where
# NAME is that of the script's own folder. Sourced; the script then goes on like this:
#
#   programs="kstatus"              # what must be there and run, below $place
#   stamp() { cat "$here/go.mod"; } # what it is made of; what was made of anything else is made anew
#   unless_there "what it is"       # ends the script where the tool is whole and of this stamp
#   begin "building ..."            # says so, and makes the folder $temporary
#   ...                             # the script's own part: puts the tool into "$temporary"
#   finish "what it is"             # moves it to $place and says so
#
# A tool is made beside its place and moved there, so that an interrupted run leaves nothing that looks complete; the folder
# has our process id in its name, so that two runs at a time do not write into one.
# shellcheck shell=bash
# shellcheck disable=SC2154 # `programs` is the script's.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
name=${here##*/}
place=$top/.tools/$name
temporary=$top/.tools/.$name.$$
mark=.stamp

say() { printf '%s: %s\n' "$name" "$*"; }
fail() { say "$*" >&2; exit 1; }

# What is missing of the tool, one program a line.
missing() {
  local program
  for program in $programs; do [ -x "$place/$program" ] || echo "$program"; done
}

# Whether the tool is whole. `stamp` is asked of the folder that it is in, as that of a Python environment depends on its Python.
complete() {
  [ -z "$(missing)" ] && [ -s "$place/$mark" ] && [ "$(cat "$place/$mark" 2>/dev/null)" = "$(stamp "$place" 2>/dev/null)" ]
}

unless_there() {
  if complete; then
    say "already there: $1"
    exit 0
  fi
}

# What ends with the script, however it ends: what it started in the background, which does not hear Ctrl-C, and what it has
# not moved into place.
tidy() {
  local jobs
  jobs=$(jobs -p)
  # shellcheck disable=SC2086 # One process id a word.
  [ -z "$jobs" ] || kill $jobs 2>/dev/null || true
  rm -rf "$temporary" "$temporary.old"
}

begin() {
  trap tidy EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  mkdir -p "$temporary"
  # What a killed run could not tidy up. What it started may live on and be in the way a little longer.
  local left
  for left in "$top/.tools/.$name."*; do
    if [ -d "$left" ] && ! kill -0 "${left##*.}" 2>/dev/null; then rm -rf "$left" 2>/dev/null || true; fi
  done
  began=$(date +%s)
  say "$1"
}

took() { echo "$(($(date +%s) - began)) s"; }

# Moves a folder to a place where there is none, in one step; one that has something in it is never moved into. A `mv` that does
# not know -T is asked only where there is nothing, and what it moved into a folder that came in between is removed.
move() {
  mv -T "$1" "$2" 2>/dev/null || { [ -e "$1" ] && [ ! -e "$2" ] && mv "$1" "$2" 2>/dev/null && rm -rf "${2:?}/${1##*/}"; }
}

finish() {
  stamp "$temporary" >"$temporary/$mark"
  local attempt
  # Another run may be as far as this one. What is whole stays; what is not goes in one step, so that nobody meets half of it.
  for attempt in 1 2 3 4 5; do
    complete || move "$place" "$temporary.old" || true
    rm -rf "$temporary.old"
    if move "$temporary" "$place" || complete; then
      say "ready in $(took): $1 in .tools/$name"
      return
    fi
  done
  fail ".tools/$name could not be put in place, in $attempt attempts"
}
