import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { utf8 } from "@gatehouse/kernel";
import { GifReader } from "omggif";
import type { Frame } from "../frame.ts";
import { encodeResize } from "../mod.ts";
import { filmOf, glyphs, plainPace, playedTo, seenAt } from "../testing/films.ts";
import { FilmProgress } from "./film-progress.ts";
import { filmLimits } from "./mod.ts";

type Said = string | { cols: number; rows: number } | { typed: string };

function framesOf(said: readonly (readonly [atMs: number, what: Said])[]): Frame[] {
  return said.map(([atMs, what], seq) => {
    const beside = { seq, timeUs: atMs * 1000, stream: 0 };
    if (typeof what === "string") return { ...beside, kind: "output", data: utf8(what) };
    if ("typed" in what) return { ...beside, kind: "input", data: utf8(what.typed) };
    return { ...beside, kind: "resize", data: encodeResize(what) };
  });
}

/** How long each picture stays, in centiseconds. */
function delaysOf(bytes: Uint8Array): number[] {
  const reader = new GifReader(bytes);
  return Array.from({ length: reader.numFrames() }, (_, i) => reader.frameInfo(i).delay);
}

/** A cell as rows of `#` in its one colour and `.` in the other, and the two. */
function cellOf(seen: Uint8Array, cols: number, x: number, y: number, width = 8) {
  const color = (column: number, row: number) => {
    const at = 4 * ((8 + y * 16 + row) * (cols * 8 + 16) + 8 + x * 8 + column);
    return ((seen[at] ?? 0) << 16) | ((seen[at + 1] ?? 0) << 8) | (seen[at + 2] ?? 0);
  };
  const back = color(0, 0);
  const rows = Array.from({ length: 16 }, (_, row) =>
    Array.from({ length: width }, (__, column) => (color(column, row) === back ? "." : "#")).join(""),
  );
  const colors = Array.from({ length: 16 * width }, (_, i) => color(i % width, Math.floor(i / width)));
  return { rows, back, front: colors.find((one) => one !== back) };
}

test("a character is where it stood, as its font has it, in the colours of the pages", async () => {
  const shown =
    "A\u001b[31mB\u001b[1mB\u001b[0;7mC\u001b[0m\u001b[38;2;255;135;0mD\u001b[0m中|e\u0301\u001b[?25l";
  const { bytes } = await filmOf(framesOf([[0, shown]]));
  const [seen] = seenAt(bytes, [0]);
  assert.ok(seen);
  const rowsOf = (character: string, width = 8) => {
    const { rows = new Uint8Array(0) } = glyphs.of(character.codePointAt(0) ?? 0) ?? {};
    const step = width / 8;
    return Array.from({ length: 16 }, (_, row) =>
      Array.from(rows.subarray(row * step, (row + 1) * step), (byte) => byte.toString(2).padStart(8, "0"))
        .join("")
        .replaceAll("0", ".")
        .replaceAll("1", "#"),
    );
  };
  const plain = { back: 0x0c1015, front: 0xd7dde5 };
  assert.deepEqual(cellOf(seen, 80, 0, 0), { rows: rowsOf("A"), ...plain });
  assert.deepEqual(cellOf(seen, 80, 1, 0), { rows: rowsOf("B"), back: plain.back, front: 0xf07178 });
  assert.equal(cellOf(seen, 80, 2, 0).front, 0xff9098);
  assert.deepEqual(cellOf(seen, 80, 3, 0), { rows: rowsOf("C"), back: plain.front, front: plain.back });
  assert.equal(cellOf(seen, 80, 4, 0).front, 0xff8700);
  assert.deepEqual(cellOf(seen, 80, 5, 0, 16), { rows: rowsOf("中", 16), ...plain });
  assert.deepEqual(cellOf(seen, 80, 7, 0), { rows: rowsOf("|"), ...plain });
  const accented = rowsOf("e").map((row, i) =>
    row.replaceAll(/\./g, (_, at: number) => rowsOf("\u0301")[i]?.[at] ?? "."),
  );
  assert.deepEqual(cellOf(seen, 80, 8, 0), { rows: accented, ...plain });
});

test("what no font has is an empty frame, and a symbol goes over the blank beside it", async () => {
  // A rocket is two cells wide, a thermometer one.
  const { bytes } = await filmOf(
    framesOf([[0, "\u{10fffd}x\r\n\u{1f680}y\r\n\u{1f321} y\r\n\u{1f321}y\u001b[?25l"]]),
  );
  const [seen] = seenAt(bytes, [0]);
  assert.ok(seen);
  const lacking = cellOf(seen, 80, 0, 0).rows;
  assert.deepEqual(
    [lacking[0], lacking[2], lacking[7], lacking[13], lacking[15]],
    ["........", ".######.", ".#....#.", ".######.", "........"],
  );
  const rocket = cellOf(seen, 80, 0, 1, 16).rows;
  assert.equal(rocket[6], "..#.......#..##.");
  // Where there is no room, each two pixels are one.
  assert.equal(cellOf(seen, 80, 0, 2, 16).rows[6], "......#.#.......");
  assert.equal(cellOf(seen, 80, 0, 3).rows[6], "...##...");
  assert.deepEqual(cellOf(seen, 80, 2, 1).rows, cellOf(seen, 80, 1, 3).rows);
});

test("time is the recording's own, with long pauses cut and at the speed that was asked for", async () => {
  const frames = framesOf([
    [0, "a"],
    [500, "b"],
    [510, "c"],
    [9_000, "d"],
    [9_000, { typed: "secret" }],
    [20_000, "e"],
  ]);
  const { bytes, survey } = await filmOf(frames);
  // b and c are one picture; eight and a half seconds are two, and so are eleven.
  assert.deepEqual(delaysOf(bytes), [50, 5, 200, 200, 300]);
  assert.equal(survey.durationCs, 755);
  const faster = await filmOf(frames, { ...plainPace, speed: 2, idleMaxUs: 1_000_000 });
  assert.deepEqual(delaysOf(faster.bytes), [25, 5, 50, 50, 300]);
  const whole = await filmOf(frames, { ...plainPace, idleMaxUs: 3_600_000_000 });
  assert.deepEqual(delaysOf(whole.bytes), [50, 5, 845, 1100, 300]);
  const late = await filmOf(frames.slice(0, 4), { ...plainPace, fromUs: 8_000_000 });
  assert.deepEqual(delaysOf(late.bytes), [100, 300]);
});

test("a picture stays longer than one can, and nothing that changes nothing is a picture", async () => {
  const { bytes, survey } = await filmOf(
    framesOf([
      [0, "a"],
      [100, "\u001b[0m"],
      [1_400_000, "b"],
    ]),
    { ...plainPace, idleMaxUs: 1e12 },
  );
  assert.deepEqual(delaysOf(bytes), [65_535, 65_535, 8_930, 300]);
  assert.equal(survey.pictures, 3);
});

test("a smaller terminal stands in the corner of the largest, and colours and words over it are drawn alike again", async () => {
  const frames = framesOf([
    [0, "one\r\n\u001b[42mtwo"],
    [1_000, { cols: 100, rows: 30 }],
    [1_100, "\u001b[0m\u001b[25;90Hfar"],
    [2_000, { cols: 40, rows: 10 }],
    [3_000, "near \u001b[2mdim\u001b[3;4;9;53mall"],
  ]);
  const { bytes, survey } = await filmOf(frames, plainPace, "ada · 2026");
  assert.deepEqual([survey.cols, survey.rows], [100, 30]);
  const moments = [0, 99, 100, 115, 250, 400];
  const played = playedTo(frames, moments, { ...survey, watermark: "ada · 2026" });
  const plain = playedTo(frames, moments, survey);
  for (const seen of seenAt(bytes, moments)) {
    assert.ok(Buffer.from((await played.next()).value as Uint8Array).equals(seen));
    assert.ok(!Buffer.from((await plain.next()).value as Uint8Array).equals(seen), "the words are over it");
  }
});

test("whoever has the file learns of what it is, and how far its bytes are", async () => {
  const { bytes, survey } = await filmOf(
    framesOf(Array.from({ length: 40 }, (_, i) => [i * 500, `line ${i}\r\n`] as const)),
  );
  const text = Buffer.from(bytes).toString("latin1");
  assert.match(
    text,
    /"session":"0199c0de-0000-7000-8000-000000000001","target":"web-01","person":"Zo\\u00eb"/,
  );
  const progress = new FilmProgress();
  assert.equal(progress.share, undefined);
  let before = 0;
  for (let at = 0; at < bytes.length; at += 100) {
    progress.take(bytes.subarray(at, at + 100));
    const share: number = progress.share ?? 0;
    assert.ok(share >= before && share <= 1);
    before = share;
  }
  assert.equal(before, 1);
  assert.equal(survey.durationCs, 1950 + 300);
  const other = new FilmProgress();
  for (const chunk of [utf8("not a film at all, but long enough"), bytes]) other.take(chunk);
  assert.equal(other.share, undefined);
});

test("what would be too much is refused before anything is drawn, with what to do", async () => {
  const refused = (frames: readonly Frame[], pace = plainPace) =>
    filmOf(frames, pace).then(
      () => assert.fail("refused"),
      ({ code, message, hint }: { code: string; message: string; hint: string }) => [code, message, hint],
    );
  assert.deepEqual(await refused(framesOf([[0, { cols: filmLimits.colsMax + 1, rows: 20 }]])), [
    "too_large",
    "the terminal has 321 columns and 24 rows, a film at most 320 and 100",
    "Choose a time in which it was smaller, or export it as asciicast.",
  ]);
  const long = framesOf(Array.from({ length: 4_000 }, (_, i) => [i * 2_000, "."] as const));
  assert.deepEqual(await refused(long), [
    "too_large",
    "the film would take 134 minutes, at most 120 minutes are made",
    "Choose a shorter time, or a higher speed.",
  ]);
  assert.equal((await filmOf(long.slice(0, 40), { ...plainPace, speed: 4 })).survey.durationCs, 1950 + 300);
  const busy = framesOf(Array.from({ length: filmLimits.picturesMax + 1 }, (_, i) => [i * 50, "."] as const));
  assert.match((await refused(busy))[1] ?? "", /50001 pictures, at most 50000/);
});

test("memory does not grow with the recording", () => {
  const script = `
    import { Glyphs, makeFilm, surveyFilm } from ${JSON.stringify(new URL("mod.ts", import.meta.url).href)};
    import { brotliDecompressSync } from "node:zlib";
    import { readFileSync } from "node:fs";
    const glyphs = new Glyphs(brotliDecompressSync(readFileSync(new URL(${JSON.stringify(
      new URL("glyphs.bin", import.meta.url).href,
    )}))));
    const begin = { cols: 120, rows: 40, state: "" };
    const pace = { fromUs: 0, speed: 4, idleMaxUs: 2e6 };
    async function* frames() {
      for (let i = 0; i < 200; i++)
        yield { kind: "output", timeUs: i * 250_000, stream: 0, data: Buffer.from(\`\${i} y\\r\\n\`.repeat(2048)) };
    }
    const survey = await surveyFilm(frames(), begin, pace);
    let [bytes, most] = [0, 0];
    for await (const chunk of makeFilm(frames(), { begin, pace, survey, about: {} }, glyphs)) {
      bytes += chunk.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }
    console.log(JSON.stringify({ bytes, most }));`;
  const said = execFileSync(
    process.execPath,
    ["--max-old-space-size=48", "--input-type=module", "-e", script],
    { encoding: "utf8" },
  );
  const { bytes, most } = JSON.parse(said) as { bytes: number; most: number };
  assert.ok(bytes > 50_000, `${bytes} bytes`);
  assert.ok(most < 64 * 1024 * 1024, `${most} bytes of buffers`);
});
