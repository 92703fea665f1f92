import { createWriteStream } from "node:fs";
import { rename, rm, stat } from "node:fs/promises";
import { finished } from "node:stream/promises";
import { GatehouseError } from "@gatehouse/kernel";
import type { Cli } from "../cli.ts";
import { createProgress } from "../output/mod.ts";

/** Written beside its place and moved there when it is whole: half a file never looks like one. Resolves with its length. */
export async function writeWhole(
  chunks: AsyncIterable<Uint8Array>,
  {
    path,
    force,
    label,
    share,
  }: { path: string; force: boolean; label: string; share?: () => number | undefined },
  cli: Cli,
): Promise<number> {
  await requireFree(path, force);
  const progress = createProgress({
    label,
    totalBytes: undefined,
    ...(share && { share }),
    clock: cli.clock,
    stderr: cli.stderr,
  });
  const part = `${path}.part`;
  try {
    const bytes = await writeTo(part, "w", chunks, progress.moved);
    await rename(part, path);
    return bytes;
  } finally {
    progress.done();
    await rm(part, { force: true });
  }
}

/** Throws `conflict` where something is there already that was not to be written over. */
export async function requireFree(path: string, force: boolean): Promise<void> {
  if (force || !(await stat(path).catch(() => undefined))) return;
  throw new GatehouseError({
    code: "conflict",
    op: "cli.write",
    message: `${path} is there already`,
    hint: "Name another file with --output, or write over it with --force.",
  });
}

/** `a` goes on at the end of what is there. Resolves with how much was written. */
export async function writeTo(
  path: string,
  flags: "w" | "a",
  chunks: AsyncIterable<Uint8Array>,
  moved: (bytes: number) => void,
): Promise<number> {
  // What was recorded is nobody's business but its owner's.
  const file = createWriteStream(path, { mode: 0o600, flags });
  let bytes = 0;
  try {
    for await (const chunk of chunks) {
      await new Promise<void>((done, failed) =>
        file.write(chunk, (error) => (error ? failed(error) : done())),
      );
      bytes += chunk.length;
      moved(chunk.length);
    }
  } finally {
    file.end();
    await finished(file);
  }
  return bytes;
}
