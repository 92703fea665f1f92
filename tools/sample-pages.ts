/**
 * Serves the built pages and the API over sample recordings, to work on the pages: `node tools/sample-pages.ts [port]`.
 * `GATEHOUSE_URL=http://127.0.0.1:<port> npx vite packages/web` beside it renews them as they are edited.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock, systemRandom } from "@gatehouse/kernel";
import { startRest } from "../packages/gateway/src/api/rest/mod.ts";
import { memoryGate } from "../packages/gateway/src/api/rest/testing/memory-doors.ts";
import { samplePeople } from "../packages/gateway/src/api/rest/testing/sample-sessions.ts";

const gate = memoryGate(systemClock);
const server = await startRest({
  doors: gate.doors,
  gateway: { id: "gate-1", version: "0.1.0" },
  clock: systemClock,
  random: systemRandom,
  web: { host: "127.0.0.1", port: Number(process.argv[2] ?? 3080) },
  adminSocketPath: join(mkdtempSync(join(tmpdir(), "gatehouse-samples-")), "admin.sock"),
  pagesFolder: fileURLToPath(new URL("../packages/web/dist", import.meta.url)),
});
for (const name of Object.keys(samplePeople) as (keyof typeof samplePeople)[])
  process.stdout.write(`${name}: ${server.url}/sign-in#token=${gate.link(name)}\n`);
