// The definitions of the kinds of the Prometheus operator, which the test of the chart installs. Nothing is built of it.
module dataproduct-operator/tests/prometheus-operator

go 1.24.0

require github.com/prometheus-operator/prometheus-operator v0.85.0
