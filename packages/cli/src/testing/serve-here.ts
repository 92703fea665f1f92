import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { type RestServer, startRest } from "../../../gateway/src/api/rest/mod.ts";
import type { MemoryGate } from "../../../gateway/src/api/rest/testing/memory-doors.ts";

/** The API over a gate in memory, on a port and where a command in this folder looks that was told nothing. */
export function serveHere({ doors }: MemoryGate, folder: string): Promise<RestServer> {
  mkdirSync(join(folder, "data"), { recursive: true });
  return startRest({
    doors,
    gateway: { id: "gate-1", version: "0.1.0" },
    clock: systemClock,
    random: systemRandom,
    web: { host: "127.0.0.1", port: 0 },
    adminSocketPath: join(folder, "data", "admin.sock"),
    signInsPerMinuteMax: 1000,
  });
}
