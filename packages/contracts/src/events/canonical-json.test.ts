import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError } from "@gatehouse/kernel";
import fc from "fast-check";
import { canonicalJson } from "./canonical-json.ts";

test("writes the example of RFC 8785 §3.2.3 in its order", () => {
  const value = {
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis",
  };
  assert.deepEqual(
    [...canonicalJson(value).matchAll(/:"([^"]*)"/g)].map((match) => match[1]),
    [
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ],
  );
});

test("writes the numbers and literals of RFC 8785 §3.2.2", () => {
  assert.equal(
    canonicalJson({
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 1e-27, -0],
      literals: [null, true, false],
    }),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0]}',
  );
});

test("reads back as the same value, whatever the order of its members", () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: "grapheme" }), (value) => {
      const text = canonicalJson(value);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      const turned =
        typeof value === "object" && value !== null && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).reverse())
          : value;
      assert.equal(canonicalJson(turned), text);
    }),
  );
});

test("leaves out members that are not there", () => {
  assert.equal(canonicalJson({ b: undefined, a: 1 }), '{"a":1}');
});

test("refuses what JSON cannot hold", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, "\ud800", 1n, () => 0, [undefined]])
    assert.throws(
      () => canonicalJson(value),
      (error) => isGatehouseError(error, "invalid"),
    );
});
