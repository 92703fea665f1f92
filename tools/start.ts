/**
 * `npm start`: builds the pages when they are older than their sources and starts a gateway for a first look, with the
 * demo target on. `gatehouse start --config gatehouse.yaml` is the start without it.
 */
import { gatewayNodeFlags } from "../packages/gateway/src/config/mod.ts";
import { root, run } from "./run.ts";
import { buildWeb } from "./web.ts";

await buildWeb();
// The gateway prints what to do next and stops in order at the first Ctrl-C; we only wait for it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
process.exitCode = await run(
  "node",
  [...gatewayNodeFlags, `${root}packages/gateway/src/main.ts`, ...process.argv.slice(2)],
  {
    cwd: process.cwd(),
    env: {
      GATEHOUSE_DEMO__ENABLED: "true",
      NODE_COMPILE_CACHE: `${root}node_modules/.cache/compile`,
      ...process.env,
    },
  },
);
