import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { textPieces } from "./statement-pieces.ts";

const read = (text: string, values: number) =>
  textPieces(text, values).map((piece) => piece.parameter ?? piece.text);

test("parameters are found where they stand, and not in strings, names, comments or what is no number", () => {
  assert.deepEqual(read("select $1, $2::int where a = $1", 2), [
    "select ",
    1,
    ", ",
    2,
    "::int where a = ",
    1,
  ]);
  assert.deepEqual(read("select '$1', \"$1\", $q$ $1 $q$ -- $1\n/* $1 */, $1", 1), [
    "select '$1', \"$1\", $q$ $1 $q$ -- $1\n/* $1 */, ",
    1,
  ]);
  assert.deepEqual(read("a$1b $1x $12", 1), ["a$1b $1x $12"]);
  assert.deepEqual(read("select ? from t where a = '?' and b = ?", 2), [
    "select ",
    1,
    " from t where a = '?' and b = ",
    2,
  ]);
  assert.deepEqual(read("select $1", 0), ["select $1"]);
});

test("the pieces together are the text, whatever it is", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("$", "1", "2", "?", "'", '"', "-", "/", "*", "a", " ", "\n", "`") }),
      fc.nat(3),
      (text, values) => {
        assert.equal(
          textPieces(text, values)
            .map((piece) => piece.text)
            .join(""),
          text,
        );
      },
    ),
  );
});
