import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { systemClock } from "@gatehouse/kernel";
import type { Cli } from "../cli.ts";
import { run } from "../run.ts";

export type Outcome = { code: number; stdout: string; stderr: string };

/** A folder for one test file, and the command run in it without a process of its own. Nothing is a terminal. */
export function createWorkshop(): {
  folder: string;
  run(
    words: readonly string[],
    more?: { stdin?: string; env?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Outcome>;
  close(): void;
} {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-cli-"));
  return {
    folder,
    async run(words, { stdin = "", env = {}, signal } = {}) {
      const stdout = gathering();
      const stderr = gathering();
      const input = new PassThrough();
      input.end(stdin);
      const cli: Cli = {
        command: "gatehouse",
        env: { XDG_CONFIG_HOME: join(folder, "config"), TZ: "UTC", ...env },
        workingDirectory: folder,
        stdin: input as unknown as NodeJS.ReadStream,
        stdout: stdout.stream,
        stderr: stderr.stream,
        clock: systemClock,
        signal: signal ?? new AbortController().signal,
        lendTerminal: () => () => undefined,
      };
      const code = await run(words, cli);
      return { code, stdout: stdout.text(), stderr: stderr.text() };
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function gathering(): { stream: NodeJS.WriteStream; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => Buffer.concat(chunks).toString() };
}
