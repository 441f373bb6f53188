#!/usr/bin/env bash
# Puts kstatus, which computes the status of an object by the rules of cli-utils, into one ignored folder, .tools/kstatus: built
# from main.go beside this script and the Go modules that are pinned there.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
place=$top/.tools/kstatus
sources="go.mod go.sum main.go"
version=$(sed -n 's|.*sigs.k8s.io/cli-utils \(v[0-9.]*\).*|\1|p' "$here/go.mod" | head -n 1)

say() { printf 'kstatus: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

# The stamp is the sources themselves: whatever was built from others is built anew.
stamp() { (cd "$here" && cat $sources); }
complete() { [ -x "$place/kstatus" ] && [ "$(cat "$place/.stamp" 2>/dev/null)" = "$(stamp)" ]; }

if complete; then
  say "already there: cli-utils $version"
  exit 0
fi

wanted=$(awk '$1 == "go" { print $2 }' "$here/go.mod")
command -v go >/dev/null || fail "Go is missing; install Go $wanted or later"
began=$(date +%s)
say "building from Go modules, cli-utils $version (Go $wanted or later); a minute when nothing is cached, once"
mkdir -p "$place"
# Built beside its place and moved there, so that an interrupted build leaves nothing that looks complete; the name has our
# process id, so that two runs at a time do not write into one file. The stamp comes last.
temporary=$place/.kstatus.$$
trap 'rm -f "$temporary"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
rm -f "$place/.stamp"
(cd "$here" && CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags "-s -w" -o "$temporary" .) || fail "it could not be built; what Go said is above"
mv "$temporary" "$place/kstatus"
stamp >"$place/.stamp"
say "ready in $(($(date +%s) - began)) s: cli-utils $version in .tools/kstatus"
