/** What real programs showed in a terminal of their own, cut into frames: for tests of what is made of it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Random } from "@gatehouse/kernel";
import { type Frame, encodeResize, encodeSessionEnd, encodeSessionStart } from "@gatehouse/recording";
import { facts } from "../../packages/recording/src/testing/facts.ts";
import { openTerminal } from "./terminal.ts";

/** Cuts what a terminal showed anywhere, characters included, and lets time pass between the pieces. */
export function framesOf(
  shown: Uint8Array,
  random: Random,
  sizes: readonly { at: number; cols: number; rows: number }[] = [],
): Frame[] {
  const frames: Frame[] = [];
  let timeUs = 0;
  const add = (kind: Frame["kind"], data: Uint8Array) =>
    frames.push({ seq: frames.length, timeUs, kind, stream: 0, data });
  add("session.start", encodeSessionStart(facts));
  const due = [...sizes];
  for (let at = 0; at < shown.length;) {
    const [a = 0, b = 0, c = 0] = random.bytes(3);
    while (due[0] && due[0].at <= at)
      add("resize", encodeResize(due.shift() as { cols: number; rows: number }));
    // Often several in one moment.
    if (c > 60) timeUs += c * 10_000;
    const end = Math.min(shown.length, at + 1 + (a < 40 ? b % 8 : a * 6 + b));
    add("output", shown.subarray(at, end));
    at = end;
  }
  add("session.end", encodeSessionEnd({ reason: "client" }));
  return frames;
}

async function record(
  context: TestContext,
  program: readonly string[],
  use: (terminal: ReturnType<typeof openTerminal>) => Promise<void>,
): Promise<Uint8Array> {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-seek-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const terminal = openTerminal(program, join(folder, "size"), { cols: 80, rows: 24 });
  await use(terminal);
  await terminal.exited;
  return terminal.shown();
}

const text = Array.from(
  { length: 400 },
  (_, i) => `line ${i} grün 日本語の行 🎉👩‍💻 שלום e\u0301 ${"x".repeat(i % 70)}`,
).join("\n");

function textFile(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-seek-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "text.c");
  writeFileSync(path, text);
  return path;
}

export const programs: Record<string, (context: TestContext) => Promise<Uint8Array>> = {
  "vim, with colours, a split and scrolling": (context) =>
    record(context, ["vim", "-u", "NONE", "-N", textFile(context)], async (vim) => {
      await vim.shows(/line 3/);
      vim.type(":syntax on\r:set nu\r:split\r");
      for (let i = 0; i < 15; i++) vim.type("\u0004");
      vim.type("ggihello \u001b20jdd:vsplit\r");
      for (let i = 0; i < 30; i++) vim.type("\u0005");
      vim.type("G:qa!\r");
    }),
  // Each pane ends by itself, and tmux with the last.
  "tmux with panes": (context) =>
    record(
      context,
      [
        ["tmux", "-u", "-L", `seek${process.pid}`, "-f", "/dev/null"],
        ["new-session", `cat ${textFile(context)}; sleep 1`, ";"],
        // Written bit by bit: what comes at once tmux shows as one picture, and a seek needs several to choose from.
        ["split-window", "-h", "for i in $(seq 1 60); do echo row $i; sleep 0.03; done", ";"],
        ["split-window", "top -d 0.2 -n 10"],
      ].flat(),
      async () => undefined,
    ),
};
