import assert from "node:assert/strict";
import { test } from "node:test";
import { TestClock } from "@gatehouse/kernel";
import fc from "fast-check";
import {
  createPrinter,
  createProgress,
  whileSaying,
  formatBytes,
  formatDuration,
  renderTable,
  shownText,
  textWidth,
} from "./mod.ts";

const bold = (text: string) => text;
const columns = [
  { title: "id", value: (row: readonly string[]) => row[0] ?? "" },
  { title: "text", value: (row: readonly string[]) => row[1] ?? "", narrowTo: 6 },
  { title: "size", value: (row: readonly string[]) => row[2] ?? "", align: "right" as const },
];

test("a table lines up, whatever the script of its words", () => {
  const rows = [
    ["1", "plain", "5"],
    ["22", "\u65e5\u672c\u8a9e", "1234"],
    ["3", "e\u0301te\u0301", "7"],
  ];
  assert.equal(
    renderTable(rows, columns, { columnsMax: undefined, bold }),
    [
      "id  text    size",
      "1   plain      5",
      "22  \u65e5\u672c\u8a9e  1234",
      "3   e\u0301te\u0301        7",
      "",
    ].join("\n"),
  );
});

test("a table fits the terminal as far as its columns may be cut, and is whole without one", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.string({ unit: "grapheme", maxLength: 40 }), { minLength: 3, maxLength: 3 })),
      fc.integer({ min: 20, max: 200 }),
      (rows, columnsMax) => {
        const fixed =
          Math.max(2, ...rows.map((row) => textWidth(shownText(row[0] ?? "")))) +
          Math.max(4, ...rows.map((row) => textWidth(shownText(row[2] ?? ""))));
        for (const line of renderTable(rows, columns, { columnsMax, bold }).split("\n"))
          assert.ok(textWidth(line) <= Math.max(columnsMax, fixed + 4 + 6), line);
      },
    ),
  );
});

test("no name can steer the terminal", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const name = Buffer.from(bytes).toString("latin1");
      let out = "";
      const printer = createPrinter({
        format: "text",
        utc: true,
        color: false,
        columnsMax: 80,
        write: (text) => (out += text),
      });
      printer.list([name], [{ title: "name", value: (row) => row }], "none");
      printer.thing({ name }, [["name", name]]);
      printer.done({ name }, name);
      // eslint-disable-next-line no-control-regex
      assert.ok(!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(out));
    }),
  );
});

test("times are local, or in UTC and say so", () => {
  const printer = (utc: boolean) =>
    createPrinter({ format: "text", utc, color: false, columnsMax: 80, write: () => undefined });
  assert.equal(printer(true).time("2026-02-10T14:30:00.123Z"), "2026-02-10 14:30:00Z");
  const local = new Date(2026, 1, 10, 14, 30, 0);
  assert.equal(printer(false).time(local.toISOString()), "2026-02-10 14:30:00");
  assert.equal(printer(false).time(null), "-");
});

test("amounts are short and keep their unit", () => {
  assert.deepEqual([0, 1023, 1024, 1_500_000, 3 * 2 ** 40].map(formatBytes), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.4 MiB",
    "3.0 TiB",
  ]);
  assert.deepEqual([0, 4_200, 59_400, 192_000, 3_840_000].map(formatDuration), [
    "0.0s",
    "4.2s",
    "59s",
    "3m12s",
    "1h04m",
  ]);
});

test("progress is drawn on a terminal only, ten times a second at most, and is gone at the end", () => {
  const clock = new TestClock();
  const drawn: string[] = [];
  const progress = (isTTY: boolean) =>
    createProgress({
      label: "exporting",
      totalBytes: 1000,
      clock,
      stderr: { isTTY, columns: 80, write: (text) => drawn.push(text) },
    });
  progress(false).moved(500);
  assert.deepEqual(drawn, []);
  const shown = progress(true);
  shown.moved(250);
  shown.moved(250);
  assert.equal(drawn.length, 1);
  clock.advance(200);
  shown.moved(250);
  assert.match(drawn[1] ?? "", /exporting \[#{29}\.{10}\] 750 B of 1000 B, /);
  shown.done();
  assert.equal(drawn.at(-1), "\r\u001b[K");

  const line: string[] = [];
  const unknown = createProgress({
    label: "exporting",
    totalBytes: undefined,
    share: () => 0.5,
    clock,
    stderr: { isTTY: true, columns: 80, write: (text) => line.push(text) },
  });
  unknown.moved(2048);
  assert.match(line[0] ?? "", /exporting \[#{20}\.{20}\] 2\.0 KiB, /);
});

test("what is waited for is said on a terminal only, and is gone whether it came or failed", async () => {
  const written: string[] = [];
  const stderr = (isTTY: boolean) => ({ stderr: { isTTY, write: (text: string) => written.push(text) } });
  assert.equal(await whileSaying("verifying", Promise.resolve(7), stderr(false)), 7);
  assert.deepEqual(written, []);
  assert.equal(await whileSaying("verifying", Promise.resolve(7), stderr(true)), 7);
  await assert.rejects(whileSaying("verifying", Promise.reject(new Error("no")), stderr(true)), /no/);
  const once = ["\r\u001b[Kverifying ...", "\r\u001b[K"];
  assert.deepEqual(written, [...once, ...once]);
});
