#!/usr/bin/env bash
# Puts the schemas of Kubernetes' own kinds, of many versions, into one ignored folder, .tools/kubernetes-validate: the Python
# package of that name carries them, and the tests of the chart read them there.
# shellcheck source=tests/install/frame.sh
. "$(dirname "$0")/../install/frame.sh"
# shellcheck source=tests/install/python.sh
. "$top/tests/install/python.sh"

install_python "$(versions kubernetes-validate)" "seconds and 130 MB" kubernetes_validate
