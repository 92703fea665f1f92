import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * A loopback port that nobody has, for programs that cannot be told to take any. Below those that the system gives to
 * outgoing connections (32,768 on, on Linux), or one of them could be there when the program at last listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 32_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
