import { type Key, createKeyReader } from "./keys.ts";
import { type Viewport, openViewport } from "./viewport.ts";

/** The person's terminal while something is shown on it. */
export type TerminalStage = {
  readonly viewport: Viewport;
  /** Whether there is somebody with keys. */
  readonly interactive: boolean;
  /** Registers who gets the keys. */
  onKey(listener: (key: Key) => void): void;
  /** Registers who hears that the terminal has another size. */
  onResize(listener: () => void): void;
  /** Gives the terminal back, stops the process as the shell's job control wants, and returns when it goes on. */
  suspend(): void;
};

/**
 * Takes the person's terminal for as long as `show` runs, and gives it back however this ends: at the end, on a key, on a
 * signal, by an error, and when the process exits for a reason of its own.
 */
export async function onTerminal<T>(
  { stdin, stdout }: { stdin: NodeJS.ReadStream; stdout: NodeJS.WriteStream },
  show: (stage: TerminalStage) => Promise<T>,
): Promise<T> {
  const interactive = stdin.isTTY === true;
  const onKey = new Set<(key: Key) => void>();
  const onResize = new Set<() => void>();
  const output = {
    get columns() {
      return stdout.columns || 80;
    },
    get rows() {
      return stdout.rows || 24;
    },
    write: (text: string) => stdout.write(text),
  };
  let viewport = openViewport(output);
  const readKeys = createKeyReader();
  const keysArrived = (chunk: Buffer) => {
    for (const key of readKeys(chunk.toString("latin1"))) for (const listener of onKey) listener(key);
  };
  const resized = () => {
    for (const listener of onResize) listener();
  };
  const giveBack = () => {
    viewport.close();
    if (interactive) stdin.setRawMode(false);
  };
  process.on("exit", giveBack);
  stdout.on("resize", resized);
  if (interactive) {
    stdin.setRawMode(true);
    stdin.on("data", keysArrived);
    stdin.resume();
  }
  try {
    return await show({
      viewport: {
        get rows() {
          return viewport.rows;
        },
        draw: (screen, status) => viewport.draw(screen, status),
        forget: () => viewport.forget(),
        close: () => viewport.close(),
      },
      interactive,
      onKey: (listener) => onKey.add(listener),
      onResize: (listener) => onResize.add(listener),
      suspend() {
        giveBack();
        // The shell has the terminal from here until it continues us.
        process.kill(process.pid, "SIGSTOP");
        stdin.setRawMode(true);
        viewport = openViewport(output);
      },
    });
  } finally {
    giveBack();
    process.off("exit", giveBack);
    stdout.off("resize", resized);
    stdin.off("data", keysArrived);
    stdin.pause();
  }
}
