/** A program in a terminal of its own (`script` of util-linux makes it), typed to and read from by a test. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";

export type TestTerminal = {
  type(text: string): void;
  /** All that the terminal showed. */
  shown(): Buffer;
  /** Resolves when what was shown since the last match has this. */
  shows(pattern: RegExp, withinMs?: number): Promise<void>;
  resize(cols: number, rows: number): void;
  readonly exited: Promise<number | null>;
  kill(): void;
};

/** `resizeFile` is a path that does not exist: writing to it is how the terminal learns of its new size. */
export function openTerminal(
  program: readonly string[],
  resizeFile: string,
  size = { cols: 100, rows: 30 },
): TestTerminal {
  const quoted = program.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  const file = `'${resizeFile}'`;
  // stty would set columns and rows one after the other, and the program would hear of a size that nobody chose.
  const resizer = `'open(my $t, "+<", "/dev/tty") or exit; ioctl($t, 0x5414, pack("S4", @ARGV, 0, 0))'`;
  const child: ChildProcess = spawn(
    "script",
    [
      "-qfec",
      // The watcher lives in the same terminal, so the kernel tells the program of the change.
      `stty cols ${size.cols} rows ${size.rows}; (while [ ! -s ${file} ]; do sleep 0.05; done; perl -e ${resizer} $(cat ${file})) & exec ${quoted}`,
      "/dev/null",
    ],
    { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, TERM: "xterm", SHELL: "/bin/sh" } },
  );
  const chunks: Buffer[] = [];
  let from = 0;
  let wake: (() => void) | undefined;
  child.stdout?.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    wake?.();
  });
  const exited = once(child, "close").then(([code]) => {
    wake?.();
    // The watcher ends with its file.
    writeFileSync(resizeFile, "0 0");
    return code as number | null;
  });
  let over = false;
  void exited.then(() => (over = true));
  return {
    type: (text) => void child.stdin?.write(text),
    shown: () => Buffer.concat(chunks),
    async shows(pattern, withinMs = 15_000) {
      for (;;) {
        const text = Buffer.concat(chunks).subarray(from).toString("latin1");
        const match = pattern.exec(text);
        if (match) {
          from += match.index + match[0].length;
          return;
        }
        if (over) throw new Error(`the terminal closed without showing ${pattern}: ${JSON.stringify(text)}`);
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(
            () => reject(new Error(`no ${pattern} in ${withinMs / 1000} s: ${JSON.stringify(text)}`)),
            withinMs,
          );
          wake = () => (clearTimeout(timer), resolve());
        });
      }
    },
    resize: (cols, rows) => writeFileSync(resizeFile, `${rows} ${cols}`),
    exited,
    kill: () => void child.kill("SIGKILL"),
  };
}
