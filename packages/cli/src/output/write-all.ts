import { exitCodes, SilentExit } from "./exit-codes.ts";

/** Resolves when the stream takes more; a reader who has gone ends the playing without a complaint. */
export function writeAll(stream: NodeJS.WriteStream, chunk: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => {
      if (!error) resolve();
      else if ((error as NodeJS.ErrnoException).code === "EPIPE") reject(new SilentExit(exitCodes.ok));
      else reject(error);
    });
  });
}
