#!/usr/bin/env bash
# Puts Prometheus and promtool into one ignored folder, .tools/prometheus, so that alerts are tested and fired by the real thing.
# The folder that PROMETHEUS_ASSETS names comes first, then what is in PATH, then Debian's package, which is unpacked and not
# installed; elsewhere Go builds the pinned version, which takes minutes.
# shellcheck source=tests/install/frame.sh
. "$(dirname "$0")/../install/frame.sh"

programs="prometheus promtool"
built=$(sed -n 's|.*github.com/prometheus/prometheus \(v[0-9.]*\).*|\1|p' "$here/go.mod" | head -n 1)
# What was asked for; programs of another version are taken out of their folder anew.
stamp() { printf '%s %s' "$built" "${PROMETHEUS_ASSETS:-}"; }
version() { "$1/promtool" --version 2>&1 | sed -n 's/^promtool, version \([^ ]*\).*/\1/p'; }
unless_there "$([ ! -x "$place/promtool" ] || version "$place")"

link() {
  local program
  for program in $programs; do
    [ -x "$1/$program" ] || return 1
    ln -sf "$1/$program" "$temporary/$program"
  done
}

from_assets() {
  [ -n "${PROMETHEUS_ASSETS:-}" ] || return 1
  link "$PROMETHEUS_ASSETS" || fail "PROMETHEUS_ASSETS is $PROMETHEUS_ASSETS, which has not both of $programs; unset it or correct it"
  say "taking what PROMETHEUS_ASSETS has"
}

from_path() {
  local folder
  folder=$(dirname "$(command -v promtool 2>/dev/null)" 2>/dev/null) && [ "$folder" != . ] && link "$folder" || return 1
  say "taking what is in $folder"
}

# apt checks the package by the signatures of its archive. It is only unpacked, which takes no root and starts no service. On a machine
# that has never asked what packages there are, it asks into a folder of ours.
from_debian() {
  local program
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
  local work=$temporary/work
  mkdir -p "$work/lists/partial" "$work/cache"
  say "asking Debian for its package: 20 MB"
  local own=(-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache")
  fetch() { (cd "$work" && timeout 300 apt-get "$@" download --quiet=2 prometheus >/dev/null 2>&1); }
  fetch || { timeout 300 apt-get "${own[@]}" update --quiet=2 >/dev/null 2>&1 && fetch "${own[@]}"; } ||
    { say "apt has no package prometheus"; return 1; }
  dpkg-deb --extract "$work"/prometheus_*.deb "$work/tree" || return 1
  for program in $programs; do mv "$work/tree/usr/bin/$program" "$temporary/$program" || return 1; done
  "$temporary/promtool" --version >/dev/null 2>&1 || { say "Debian's package does not run here"; return 1; }
}

from_go() {
  local wanted
  wanted=$(awk '$1 == "go" { print $2 }' "$here/go.mod")
  command -v go >/dev/null || fail "there is no Prometheus in PATH, no package of it and no Go; install Prometheus, or Go $wanted or later"
  say "building $built with Go, some ten minutes on 2 cores when nothing is cached, once"
  # Without the discovery of targets in clouds, which is most of the code and finds nothing here.
  (cd "$here" && CGO_ENABLED=0 go build -mod=readonly -trimpath -tags remove_all_sd -ldflags "-s -w -X github.com/prometheus/common/version.Version=${built#v}" -o "$temporary/" \
    github.com/prometheus/prometheus/cmd/prometheus github.com/prometheus/prometheus/cmd/promtool) || fail "it could not be built; what Go said is above"
}

begin "installing Prometheus and promtool"
from_assets || from_path || from_debian || from_go
rm -rf "$temporary/work"
for program in $programs; do
  "$temporary/$program" --version >/dev/null 2>&1 || fail "$program is there and does not run"
done
finish "$(version "$temporary")"
