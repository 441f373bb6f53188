#!/usr/bin/env bash
# Puts etcd, kube-apiserver, kubectl and kube-controller-manager into one ignored folder, .tools/control-plane/bin,
# and says which way it took. Preference: KUBEBUILDER_ASSETS, what is there already, setup-envtest, a build from the
# Go modules that are pinned beside this script.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
bin=$top/.tools/control-plane/bin
stamp=$bin/.version
version=$(sed -n 's|.*k8s.io/kubernetes \(v[0-9.]*\).*|\1|p' "$here/go.mod" | head -n 1)
envtest_version=v0.25.1
minor=$(echo "$version" | cut -d. -f2)
programs="etcd kube-apiserver kubectl kube-controller-manager"

say() { printf 'control-plane: %s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

missing() {
  for program in $programs; do
    [ -x "$bin/$program" ] || echo "$program"
  done
}

# A link, so that the programs of KUBEBUILDER_ASSETS and ours are found in one folder.
link_from() {
  for program in $programs; do
    if [ -x "$1/$program" ] && [ ! -x "$bin/$program" ]; then ln -sf "$1/$program" "$bin/$program"; fi
  done
}

package_of() {
  case $1 in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    *) echo "k8s.io/kubernetes/cmd/$1" ;;
  esac
}

# Where setup-envtest is; built when it is not on PATH, which takes half a minute once.
setup_envtest() {
  if command -v setup-envtest; then return; fi
  if [ ! -x "$top/.tools/envtest/setup-envtest" ]; then
    command -v go >/dev/null || return 1
    GOBIN=$top/.tools/envtest timeout 120 go install "sigs.k8s.io/controller-runtime/tools/setup-envtest@$envtest_version" >/dev/null 2>&1 || return 1
  fi
  echo "$top/.tools/envtest/setup-envtest"
}

build() {
  command -v go >/dev/null || fail "Go is missing, and these programs must be built: $(echo "$1" | tr '\n' ' '); install Go, or set KUBEBUILDER_ASSETS to a folder that holds them"
  wanted=$(awk '$1 == "go" { print $2 }' "$here/go.mod")
  say "building from Go modules, Kubernetes $version (Go $wanted or later): $(echo "$1" | tr '\n' ' ')"
  say "about 8 minutes on 2 cores when nothing is cached; later runs take a second"
  flags="-s -w"
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags="$flags -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
  done
  number=0
  total=$(echo "$1" | wc -w)
  for program in $1; do
    number=$((number + 1))
    began=$(date +%s)
    say "[$number/$total] $program ..."
    # Built beside its place and moved there, so that an interrupted build leaves nothing that looks complete; the name
    # has our process id, so that two runs at a time do not write into one file.
    temporary=$bin/.$program.$$
    (cd "$here" && CGO_ENABLED=0 exec go build -trimpath -ldflags "$flags" -o "$temporary" "$(package_of "$program")") &
    compiler=$!
    # A job in the background does not hear Ctrl-C, so it is ended by name.
    trap 'kill "$compiler" 2>/dev/null || true; rm -f "$temporary"' EXIT
    while kill -0 "$compiler" 2>/dev/null; do
      sleep 1
      seconds=$(($(date +%s) - began))
      if [ $((seconds % 30)) -eq 0 ]; then say "[$number/$total] $program: $seconds s so far"; fi
    done
    wait "$compiler" || fail "$program could not be built; what Go said is above"
    mv "$temporary" "$bin/$program"
    trap - EXIT
    say "[$number/$total] $program done in $(($(date +%s) - began)) s"
  done
}

mkdir -p "$bin"
# The stamp is the version and the folder of KUBEBUILDER_ASSETS; "unfinished" until all programs are there.
was=$(cat "$stamp" 2>/dev/null || true)
if [ "$was" != "$version ${KUBEBUILDER_ASSETS:-}" ] || [ -n "$(missing)" ]; then
  for program in $programs; do
    # Programs of another version are not trusted, nor links to a folder that is no longer meant. What an interrupted
    # run of this version has finished is kept.
    if [ -L "$bin/$program" ] || [ "${was%% *}" != "$version" ]; then rm -f "$bin/$program"; fi
  done
  printf '%s' "$version unfinished" >"$stamp"
  if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
    [ -d "$KUBEBUILDER_ASSETS" ] || fail "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, which is not a folder; unset it or correct it"
    rm -f "$bin/etcd" "$bin/kube-apiserver" "$bin/kubectl" "$bin/kube-controller-manager"
    link_from "$KUBEBUILDER_ASSETS"
    say "taking what KUBEBUILDER_ASSETS has"
  elif [ -n "$(missing)" ] && envtest=$(setup_envtest); then
    # Not each patch release is published there; any of the same minor version will do.
    say "asking setup-envtest for Kubernetes 1.$minor (kube-controller-manager is not among its programs)"
    if assets=$(timeout 300 "$envtest" use -p path --bin-dir "$top/.tools/envtest" "1.$minor.x" 2>/dev/null); then
      link_from "$assets"
    else
      say "setup-envtest could not download it; going on without"
    fi
  fi
  left=$(missing)
  [ -z "$left" ] || build "$left"
  for program in $programs; do [ -x "$bin/$program" ] || fail "$program is missing after the installation"; done
  printf '%s' "$version ${KUBEBUILDER_ASSETS:-}" >"$stamp"
  say "ready: $("$bin/kube-apiserver" --version) in .tools/control-plane/bin"
else
  say "already there: $("$bin/kube-apiserver" --version)"
fi
