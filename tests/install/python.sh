# A tool that is written in Python, as an environment of its own with exactly the packages of requirements.txt beside the
# script. Sourced after frame.sh:
#
#   versions moto ministack                          # their pinned versions, as people read them
#   install_python "WHAT" "HOW LONG" module other    # the whole rest of the frame; the modules are imported once, to see that they can
#
# The scripts in bin/ hold the path where they were made and break by the move into place, so that everything is called as
# `python -m`, which does not.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # The frame reads some of these variables and gives the others.

requirements=$here/requirements.txt
programs=bin/python

# Which packages are there and for which Python: another minor version does not find them.
stamp() {
  "$1/bin/python" -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest(), *sys.version_info[:2])' "$requirements"
}

versions() {
  local package
  for package; do sed -n -E "s/^($package)(\[[a-z]+\])?==([^ ]*).*/\1 \3/p" "$requirements"; done | paste -s -d , - | sed 's/,/, /g'
}

install_python() {
  local what=$1 how_long=$2 modules
  shift 2
  command -v python3 >/dev/null || fail "python3 is missing; install Python 3.11 or later, on Debian: apt install python3 python3-venv"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$(python3 --version) is too old; the pinned packages need Python 3.11 or later"
  # Debian splits the module: without python3-venv there is `venv`, but nothing that puts pip into an environment.
  python3 -c 'import ensurepip, venv' 2>/dev/null || fail "the venv module of $(python3 --version) is missing; on Debian: apt install python3-venv"

  unless_there "$what"
  begin "installing $what, with $(grep -c '==' "$requirements") packages in all; $how_long, once; later runs take a second"
  python3 -m venv "$temporary"
  # Nothing but what is listed: a package that the list forgot is told by `pip check`, not taken in whatever version is new.
  "$temporary/bin/python" -m pip install --disable-pip-version-check --no-input --quiet --no-deps --requirement "$requirements" ||
    fail "the packages could not be installed; what pip said is above"
  "$temporary/bin/python" -m pip check --disable-pip-version-check >/dev/null || fail "requirements.txt does not fit together; python -m pip check says how"
  modules="$*"
  "$temporary/bin/python" -c "import ${modules// /, }" || fail "the packages are there and cannot be imported"
  finish "$what"
}
