#!/usr/bin/env bash
# Puts etcd, kube-apiserver, kubectl and kube-controller-manager into one ignored folder, .tools/control-plane/bin,
# and says which way it took. Preference: KUBEBUILDER_ASSETS, what is there already, setup-envtest, a build from the
# Go modules that are pinned beside this script.
# shellcheck source=tests/install/frame.sh
. "$(dirname "$0")/../install/frame.sh"

# Programs come into this folder one by one, so that an interrupted run is gone on with and not begun anew. The stamp is the
# version and the folder of KUBEBUILDER_ASSETS; "unfinished" until all programs are there.
place=$place/bin
mark=.version
version=$(sed -n 's|.*k8s.io/kubernetes \(v[0-9.]*\).*|\1|p' "$here/go.mod" | head -n 1)
envtest_version=v0.25.1
minor=$(echo "$version" | cut -d. -f2)
programs="etcd kube-apiserver kubectl kube-controller-manager"
stamp() { printf '%s' "$version ${KUBEBUILDER_ASSETS:-}"; }

# A link, so that the programs of KUBEBUILDER_ASSETS and ours are found in one folder.
link_from() {
  for program in $programs; do
    if [ -x "$1/$program" ] && [ ! -x "$place/$program" ]; then ln -sf "$1/$program" "$place/$program"; fi
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
    since=$(date +%s)
    say "[$number/$total] $program ..."
    (cd "$here" && CGO_ENABLED=0 exec go build -trimpath -ldflags "$flags" -o "$temporary/$program" "$(package_of "$program")") &
    compiler=$!
    while kill -0 "$compiler" 2>/dev/null; do
      sleep 1
      seconds=$(($(date +%s) - since))
      if [ $((seconds % 30)) -eq 0 ]; then say "[$number/$total] $program: $seconds s so far"; fi
    done
    wait "$compiler" || fail "$program could not be built; what Go said is above"
    mv "$temporary/$program" "$place/$program"
    say "[$number/$total] $program done in $(($(date +%s) - since)) s"
  done
}

if complete; then unless_there "$("$place/kube-apiserver" --version)"; fi

begin "installing $programs of Kubernetes $version"
mkdir -p "$place"
was=$(cat "$place/$mark" 2>/dev/null || true)
for program in $programs; do
  # Programs of another version are not trusted, nor links to a folder that is no longer meant. What an interrupted run of
  # this version has finished is kept.
  if [ -L "$place/$program" ] || [ "${was%% *}" != "$version" ]; then rm -f "$place/$program"; fi
done
printf '%s' "$version unfinished" >"$place/$mark"
if [ -n "${KUBEBUILDER_ASSETS:-}" ]; then
  [ -d "$KUBEBUILDER_ASSETS" ] || fail "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, which is not a folder; unset it or correct it"
  for program in $programs; do rm -f "$place/$program"; done
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
left=$(missing)
[ -z "$left" ] || fail "missing after the installation: $(echo "$left" | tr '\n' ' ')"
stamp >"$place/$mark"
say "ready in $(took): $("$place/kube-apiserver" --version) in .tools/control-plane/bin"
