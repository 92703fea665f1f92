/**
 * `node tools/glyphs.ts <spleen-8x16.pcf.gz> <unifont.hex> <unifont_upper.hex>`: the glyphs that films are drawn with. Spleen where it
 * has one, Unifont for the rest; docs/decisions/0060 says why these. Debian's `fonts-spleen` and `unifont` bring the first two; the
 * third is in Unifont's own releases.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gunzipSync } from "node:zlib";
import { root } from "./run.ts";

const [spleen, ...unifont] = process.argv.slice(2);
if (spleen === undefined || unifont.length === 0)
  throw new Error("node tools/glyphs.ts <spleen-8x16.pcf.gz> <unifont.hex>...");

/** By code point: 16 rows of 8 or of 16 pixels. */
const glyphs = new Map<number, Buffer>();

/** What no font draws: surrogates, private use but for what Spleen has of it, and what is beyond pictures of things. */
function isDrawn(code: number): boolean {
  if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return false;
  if (code >= 0xd800 && code < 0xf900) return false;
  if (code >= 0xfe00 && code <= 0xfe0f) return false;
  return code < 0xfff0 || code === 0xfffd || (code >= 0x1f000 && code < 0x1fc00);
}

for (const file of unifont)
  for (const line of readFileSync(file, "latin1").trim().split("\n")) {
    const [code, bits] = line.split(":") as [string, string];
    if (isDrawn(Number.parseInt(code, 16))) glyphs.set(Number.parseInt(code, 16), Buffer.from(bits, "hex"));
  }

// X11's portable compiled format, as fonts of one size of cell have it: rows of four bytes, the most significant first.
const pcf = gunzipSync(readFileSync(spleen));
function tableOf(type: number): Buffer {
  for (let i = 0; i < pcf.readUInt32LE(4); i++) {
    const entry = pcf.subarray(8 + 16 * i);
    if (entry.readUInt32LE(0) !== type) continue;
    if ((entry.readUInt32LE(4) & 15) !== 14) break;
    return pcf.subarray(entry.readUInt32LE(12));
  }
  throw new Error(`${spleen} is no font that is understood here`);
}
const [bitmaps, encodings] = [tableOf(8), tableOf(32)];
const count = bitmaps.readUInt32BE(4);
const bitmapBytes = 64;
if (bitmaps.readUInt32BE(8 + 4 * (count - 1)) !== (count - 1) * bitmapBytes)
  throw new Error(`${spleen} is not of 8 by 16`);
const [lowFirst, lowLast, highFirst, highLast] = [4, 6, 8, 10].map((at) => encodings.readUInt16BE(at)) as [
  number,
  number,
  number,
  number,
];
for (let high = highFirst; high <= highLast; high++)
  for (let low = lowFirst; low <= lowLast; low++) {
    const at = (high - highFirst) * (lowLast - lowFirst + 1) + low - lowFirst;
    const glyph = encodings.readUInt16BE(14 + 2 * at);
    if (glyph === 0xffff) continue;
    const start = 8 + 4 * count + 16 + glyph * bitmapBytes;
    const rows = Array.from({ length: 16 }, (_, row) => bitmaps.readUInt8(start + 4 * row));
    glyphs.set(high * 256 + low, Buffer.from(rows));
  }

const runs: { first: number; isWide: boolean; bits: Buffer[] }[] = [];
for (const [code, bits] of [...glyphs].toSorted(([a], [b]) => a - b)) {
  const isWide = bits.length === 32;
  const last = runs.at(-1);
  if (last && last.isWide === isWide && last.first + last.bits.length === code) last.bits.push(bits);
  else runs.push({ first: code, isWide, bits: [bits] });
}
const table = Buffer.alloc(4 + 8 * runs.length);
table.writeUInt32BE(runs.length, 0);
for (const [i, { first, isWide, bits }] of runs.entries()) {
  table.writeUInt32BE(first, 4 + 8 * i);
  table.writeUInt32BE(bits.length * 2 + (isWide ? 1 : 0), 8 + 8 * i);
}
const plain = Buffer.concat([table, ...runs.flatMap((run) => run.bits)]);
const file = `${root}packages/recording/src/film/glyphs.bin`;
const packed = brotliCompressSync(plain, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
});
writeFileSync(file, packed);
process.stdout.write(
  `${glyphs.size} glyphs in ${runs.length} runs, ${plain.length} bytes, ${packed.length} packed\n`,
);
