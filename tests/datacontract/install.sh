#!/usr/bin/env bash
# Puts the datacontract tool, which judges the contracts that we export, into one ignored folder, .tools/datacontract: a
# Python environment of its own with exactly the packages of requirements.txt.
# shellcheck source=tests/install/frame.sh
. "$(dirname "$0")/../install/frame.sh"
# shellcheck source=tests/install/python.sh
. "$top/tests/install/python.sh"

install_python "$(versions datacontract-cli)" "one to three minutes and 130 MB" datacontract.cli
