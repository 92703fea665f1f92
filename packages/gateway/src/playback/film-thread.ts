import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { brotliDecompressSync } from "node:zlib";
import { assert, messageOf } from "@gatehouse/kernel";
import { type FilmOrder, Glyphs, glyphsFile, makeFilm } from "@gatehouse/recording/film";
import type { FilmFrame, FromThread, ToThread } from "./film-words.ts";

const port = parentPort;
assert(port, "this is a thread's first file");

// On Linux this is the thread's own: sessions go first, and a film is made of what they leave.
try {
  setPriority(19);
} catch {
  // Where it may not be lowered, it stays.
}

const next = async () => ((await once(port, "message")) as [ToThread])[0];
async function said(word: FromThread): Promise<ToThread> {
  const answer = next();
  port?.postMessage(word);
  return await answer;
}

async function* frames(): AsyncGenerator<FilmFrame> {
  for (;;) {
    const answer = await said({ wanted: true });
    if (!("frames" in answer)) continue;
    yield* answer.frames;
    if (answer.isLast) return;
  }
}

await next();
let last: FromThread = { done: true };
try {
  const glyphs = new Glyphs(brotliDecompressSync(readFileSync(glyphsFile)));
  for await (const chunk of makeFilm(frames(), workerData as FilmOrder, glyphs)) await said({ chunk });
} catch (error) {
  last = { fault: messageOf(error) };
}
port.postMessage(last);
port.close();
