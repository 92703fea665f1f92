import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { linesIn } from "./lines-in.ts";
import { wordsOf } from "./cell-words.ts";
import { unseenTerminal } from "./unseen-terminal.ts";

const pieces = [
  "plain text ",
  "   ",
  "grün 日本語 🎉👩‍💻 e\u0301 ",
  "שלום عربى",
  "\t",
  "\r\n",
  "\r\n",
  "x".repeat(79),
  "語".repeat(50),
  "goes on and on ".repeat(30),
  "\u001b[31mred\u001b[0m",
  "\u001b[5C",
  "\u001b[K",
  "\u001b[3X",
  "\u001b[2A",
];

test("lines that are read together are those that the terminal reads cell by cell", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...pieces), { maxLength: 200 }),
      fc.nat(40),
      fc.nat(60),
      async (said, from, rows) => {
        const terminal = unseenTerminal({ cols: 80, rows: 24 }, 1000);
        await new Promise<void>((resolve) => terminal.write(said.join(""), resolve));
        const buffer = terminal.buffer.active;
        assert.ok(wordsOf(buffer.getLine(0)), "the library keeps its cells as they are known here");
        const end = Math.min(buffer.length, from + rows);
        const expected: string[] = [];
        for (let row = from; row < end; row++) {
          const goesOn = row + 1 < end && buffer.getLine(row + 1)?.isWrapped === true;
          const text = buffer.getLine(row)?.translateToString(!goesOn) ?? "";
          if (row > from && buffer.getLine(row)?.isWrapped === true)
            expected.push(`${expected.pop() ?? ""}${text}`);
          else expected.push(text);
        }
        assert.deepEqual(linesIn(buffer, from, end), expected);
        terminal.dispose();
      },
    ),
  );
});
