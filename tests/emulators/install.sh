#!/usr/bin/env bash
# Puts the AWS emulators of the tests, moto and MiniStack, and microburst, the proxy that injects faults, into one ignored
# folder, .tools/emulators: a Python environment of its own with exactly the packages of requirements.txt.
# shellcheck source=tests/install/frame.sh
. "$(dirname "$0")/../install/frame.sh"
# shellcheck source=tests/install/python.sh
. "$top/tests/install/python.sh"

install_python "$(versions moto ministack microburst)" "one to two minutes and 360 MB" cbor2 microburst ministack.app moto.server
