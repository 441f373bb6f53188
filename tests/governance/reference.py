"""Runs the reference's policy engine on products.

Reads {"engine": <its source>, "products": [...]} as one line from standard input and writes one list of
[policy id, severity, message, remediation] and the score per product.

With "rounds": true it reads one line a round with a number of seconds instead, judges the products again and again for that long,
and writes one line: how many products it judged, and in how many seconds.
"""

import datetime
import json
import sys
import time
import types

work = json.loads(sys.stdin.readline())
try:
    import yaml  # noqa: F401 - the engine imports it and uses it only to load files.
except ImportError:
    sys.modules["yaml"] = types.ModuleType("yaml")

module = types.ModuleType("policy_engine")
module.datetime = datetime.datetime  # The engine forgets to import it.
sys.modules[module.__name__] = module
exec(compile(work["engine"], "policy_engine.py", "exec"), module.__dict__)


class Engine(module.DataMeshGovernanceEngine):
    """The engine with what it calls and does not define, and without its file of global policies."""

    def __init__(self):
        self.global_policies = {}
        self.domain_policies = {}

    def _check_documentation_policies(self, spec):
        return []

    def _check_domain_policies(self, spec, domain):
        return []

    def _determine_status(self, violations):
        return None


engine = Engine()
products = [(product, product["spec"]["domain"]) for product in work["products"]]
if work.get("rounds"):
    for line in sys.stdin:
        seconds, judged, begin = float(line), 0, time.perf_counter()
        while time.perf_counter() - begin < seconds:
            for product, domain in products:
                engine.validate_data_product(product, domain)
            judged += len(products)
        print(judged, time.perf_counter() - begin, flush=True)
else:
    reports = []
    for product, domain in products:
        report = engine.validate_data_product(product, domain)
        violations = [[v.policy_id, v.severity, v.message, v.remediation] for v in report.violations]
        reports.append({"violations": violations, "score": report.score})
    json.dump(reports, sys.stdout)
