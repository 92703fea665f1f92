import assert from "node:assert/strict";
import { test } from "node:test";
import { trigramsIn } from "@gatehouse/recording/passages";
import fc from "fast-check";
import { demandOf } from "./narrowing.ts";
import { manyMatcher, textMatcher } from "./text-matcher.ts";

const meets = (text: string, search: Parameters<typeof demandOf>[0]) => {
  const has = new Set(trigramsIn(text));
  return demandOf(search)?.((trigram) => has.has(trigram)) ?? true;
};

test("a pattern narrows by the words that stand in all that it matches", () => {
  const regex = (text: string) => ({ text, mode: "regex" as const });
  const line = "$ sudo rm -rf /var/lib/data";
  for (const [pattern, expected] of [
    ["rm -rf /[a-z]+/lib", true],
    ["rm -rf /[a-z]+/opt", false],
    ["(?i)SUDO rm", true],
    ["(?i)SUDO cp", false],
    ["(drop|rm -rf) /", true],
    ["(drop|shred) /", false],
    ["drop|x*", true],
    ["(shred)? /var", true],
    ["(shred)+ /var", false],
    [".*", true],
    ["[sS]hred", false],
  ] as const)
    assert.equal(meets(line, regex(pattern)), expected, pattern);
  assert.equal(demandOf(regex("r.")), undefined);
  assert.equal(demandOf({ text: "rm", mode: "any-case" }), undefined);
});

test("nothing that is found is narrowed away", () => {
  const part = fc.constantFrom(
    "ab",
    "abc",
    "Straße",
    "ſ",
    "K",
    "é",
    "e\u0301",
    "日本語",
    " ",
    "0",
    "Σς",
    "ﬁ",
  );
  const piece = fc.oneof(
    part,
    part.map((text) => `(${text})?`),
    part.map((text) => `(${text}|abc)+`),
    part.map((text) => `[${text}]{2,3}`),
    fc.constantFrom(".", ".*", "\\w+", "(?i:aBc)", "\\b", "^", "(x|)"),
  );
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 12 }),
      fc.oneof(
        fc
          .array(piece, { minLength: 1, maxLength: 5 })
          .map((all) => ({ text: all.join(""), mode: "regex" as const })),
        fc
          .array(piece, { minLength: 1, maxLength: 5 })
          .map((all) => ({ text: `(?i)${all.join("")}`, mode: "regex" as const })),
        fc
          .array(part, { minLength: 1, maxLength: 4 })
          .map((all) => ({ text: all.join(""), mode: "any-case" as const })),
        fc
          .array(part, { minLength: 1, maxLength: 4 })
          .map((all) => ({ text: all.join("").toUpperCase(), mode: "any-case" as const })),
      ),
      (words, search) => {
        const line = words.join("");
        const found = textMatcher(search)(line);
        fc.pre(found !== undefined);
        assert.ok(meets(line, search), JSON.stringify([line, search]));
        // Among others, as they stand in a block of an index.
        assert.ok(manyMatcher(search)?.(`\n\né\n${line}\n\u0301`) ?? true, JSON.stringify([line, search]));
      },
    ),
    { numRuns: 500 },
  );
});
