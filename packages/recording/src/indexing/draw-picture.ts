import type { Terminal } from "@xterm/headless";
import { type Picture, pictureMax } from "../index/mod.ts";
import { terminalColors } from "../terminal-colors.ts";
import { colorOf, contentMask, isInverse, isInvisible, wordsOf } from "../transcript/cell-words.ts";

const { ground, ink, palette } = terminalColors;

/** The screen, made small: each cell the mean of those it stands for, a letter being half ink and half ground. */
export function drawPicture(terminal: Terminal, timeUs: number): Picture {
  const cols = Math.min(pictureMax.cols, terminal.cols);
  const rows = Math.min(pictureMax.rows, terminal.rows);
  const sums = new Int32Array(cols * rows * 4);
  const buffer = terminal.buffer.active;
  const columns = Int32Array.from({ length: terminal.cols }, (_, x) =>
    Math.floor((x * cols) / terminal.cols),
  );
  // Most cells look as the one before them.
  let [frontWord, backWord] = [0, 0];
  let [inked, empty] = [ink, ground];
  for (let y = 0; y < terminal.rows; y++) {
    const words = wordsOf(buffer.getLine(buffer.baseY + y));
    const row = Math.floor((y * rows) / terminal.rows);
    for (let x = 0; x < terminal.cols; x++) {
      let back = ground;
      let front = ground;
      if (words) {
        const content = (words[3 * x] as number) & contentMask;
        if (frontWord !== words[3 * x + 1] || backWord !== words[3 * x + 2]) {
          frontWord = words[3 * x + 1] as number;
          backWord = words[3 * x + 2] as number;
          empty = shadeOf(backWord, ground);
          inked = shadeOf(frontWord, ink);
          if (isInverse(frontWord)) [empty, inked] = [inked, empty];
          if (isInvisible(frontWord)) inked = empty;
        }
        back = empty;
        front = content === 0 || content === 0x20 ? empty : inked;
      }
      const at = 4 * (row * cols + (columns[x] as number));
      sums[at] = (sums[at] as number) + ((back >> 16) & 255) + ((front >> 16) & 255);
      sums[at + 1] = (sums[at + 1] as number) + ((back >> 8) & 255) + ((front >> 8) & 255);
      sums[at + 2] = (sums[at + 2] as number) + (back & 255) + (front & 255);
      sums[at + 3] = (sums[at + 3] as number) + 2;
    }
  }
  const cells = new Uint8Array(cols * rows);
  for (let i = 0; i < cells.length; i++) {
    const part = (color: number, levels: number) =>
      Math.round(((sums[4 * i + color] ?? 0) / Math.max(1, sums[4 * i + 3] ?? 0) / 255) * levels);
    cells[i] = (part(0, 7) << 5) | (part(1, 7) << 2) | part(2, 3);
  }
  return { timeUs, cols, rows, cells };
}

function shadeOf(word: number, otherwise: number): number {
  const color = colorOf(word);
  if (!color) return otherwise;
  return color.isRgb ? color.value : (palette[color.value] ?? ink);
}
