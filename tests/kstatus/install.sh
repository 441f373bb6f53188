#!/usr/bin/env bash
# Puts kstatus, which computes the status of an object by the rules of cli-utils, into one ignored folder, .tools/kstatus: built
# from main.go beside this script and the Go modules that are pinned there.
# shellcheck source=tests/install/frame.sh
. "$(dirname "$0")/../install/frame.sh"

programs=kstatus
# The sources themselves: whatever was built from others is built anew.
stamp() { (cd "$here" && cat go.mod go.sum main.go); }
what="cli-utils $(sed -n 's|.*sigs.k8s.io/cli-utils \(v[0-9.]*\).*|\1|p' "$here/go.mod" | head -n 1)"
unless_there "$what"

wanted=$(awk '$1 == "go" { print $2 }' "$here/go.mod")
command -v go >/dev/null || fail "Go is missing; install Go $wanted or later"
begin "building from Go modules, $what (Go $wanted or later); a minute when nothing is cached, once"
(cd "$here" && CGO_ENABLED=0 go build -mod=readonly -trimpath -ldflags "-s -w" -o "$temporary/kstatus" .) || fail "it could not be built; what Go said is above"
finish "$what"
