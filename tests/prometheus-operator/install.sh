#!/usr/bin/env bash
# Puts the definitions of the kinds of the Prometheus operator that the chart makes into one ignored folder,
# .tools/prometheus-operator: they are in its Go module, which is pinned and whose checksum is in go.sum.
# shellcheck source=tests/install/frame.sh
. "$(dirname "$0")/../install/frame.sh"

programs=""
definitions="servicemonitors podmonitors prometheusrules"
stamp() { (cd "$here" && cat go.mod go.sum) && echo "$definitions"; }
module=github.com/prometheus-operator/prometheus-operator
what="$module $(sed -n "s|^require $module \(v[0-9.]*\).*|\1|p" "$here/go.mod")"
unless_there "$what"

command -v go >/dev/null || fail "Go is missing; install Go $(awk '$1 == "go" { print $2 }' "$here/go.mod") or later"
begin "fetching the definitions of $what; seconds and 4 MB, once"
(cd "$here" && go mod download "$module") || fail "the module could not be fetched; what Go said is above"
from=$(cd "$here" && go list -m -f '{{.Dir}}' "$module")
for definition in $definitions; do
  # What is in the cache of modules cannot be written, and a copy would be as it is.
  cat "$from/example/prometheus-operator-crd/monitoring.coreos.com_$definition.yaml" >"$temporary/$definition.yaml"
done
finish "$what"
