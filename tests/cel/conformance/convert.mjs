// Writes the test data of the package @bufbuild/cel-spec as one JSON file a suite: node convert.mjs PACKAGE
//
// PACKAGE is the folder of the unpacked package. Only what a test evaluates and expects is kept.
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const SUITES = [
  "basic", "comparisons", "conversions", "fields", "fp_math", "integer_math", "lists", "logic", "macros", "namespace",
  "optionals", "parse", "plumbing", "string", "string_ext", "timestamps",
];
const KEPT = ["name", "expr", "container", "bindings", "value", "evalError", "anyEvalErrors", "unknown", "typedResult"];

const { tests } = await import(resolve(process.argv[2], "dist/esm/testdata/conformance.js"));
for (const name of SUITES) {
  const suite = tests.suites.find((suite) => suite.name === name);
  const sections = suite.suites.map((section) => ({
    name: section.name,
    tests: section.tests.map(({ original }) =>
      Object.fromEntries(KEPT.filter((key) => key in original).map((key) => [key, original[key]])),
    ),
  }));
  const lines = sections.flatMap(({ name, tests }, place) => [
    `{"name": ${JSON.stringify(name)}, "tests": [`,
    tests.map((test) => JSON.stringify(test)).join(",\n"),
    place + 1 < sections.length ? "]}," : "]}",
  ]);
  writeFileSync(join(import.meta.dirname, `${name}.json`), `[\n${lines.join("\n")}\n]\n`);
}
