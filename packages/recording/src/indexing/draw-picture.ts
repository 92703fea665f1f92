import type { Terminal } from "@xterm/headless";
import { type Picture, pictureMax } from "../index/mod.ts";
import { terminalColors } from "../terminal-colors.ts";
import { colorOf, contentMask, isInverse, isInvisible, wordsOf } from "../transcript/cell-words.ts";

const { ground, ink, palette } = terminalColors;

/** The screen, made small: each cell the mean of those it stands for, a letter being half ink and half ground. */
export function drawPicture(terminal: Terminal, timeUs: number): Picture {
  const cols = Math.min(pictureMax.cols, terminal.cols);
  const rows = Math.min(pictureMax.rows, terminal.rows);
  const sums = new Float64Array(cols * rows * 4);
  const buffer = terminal.buffer.active;
  for (let y = 0; y < terminal.rows; y++) {
    const words = wordsOf(buffer.getLine(buffer.baseY + y));
    const row = Math.floor((y * rows) / terminal.rows);
    for (let x = 0; x < terminal.cols; x++) {
      let back = ground;
      let front = ground;
      if (words) {
        const content = (words[3 * x] as number) & contentMask;
        const [frontWord, backWord] = [words[3 * x + 1] as number, words[3 * x + 2] as number];
        back = shadeOf(backWord, ground);
        front = shadeOf(frontWord, ink);
        if (isInverse(frontWord)) [back, front] = [front, back];
        if (content === 0 || content === 0x20 || isInvisible(frontWord)) front = back;
      }
      const at = 4 * (row * cols + Math.floor((x * cols) / terminal.cols));
      sums[at] = (sums[at] ?? 0) + ((back >> 16) & 255) + ((front >> 16) & 255);
      sums[at + 1] = (sums[at + 1] ?? 0) + ((back >> 8) & 255) + ((front >> 8) & 255);
      sums[at + 2] = (sums[at + 2] ?? 0) + (back & 255) + (front & 255);
      sums[at + 3] = (sums[at + 3] ?? 0) + 2;
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
