/** A gateway's audit log in a process of its own: writes four events at once each time it is told to, and leaves at `end`. */
import { seededRandom, systemClock } from "@gatehouse/kernel";
import { openAuditLog } from "../../packages/gateway/src/audit/mod.ts";
import { openDirectory } from "../../packages/gateway/src/directory/mod.ts";

const [url = "", name = ""] = process.argv.slice(2);
const directory = await openDirectory({
  url,
  connectionsMax: 2,
  clock: systemClock,
  random: seededRandom(name.length),
});
const audit = openAuditLog({
  rows: directory.auditRows,
  probe: () => directory.probe(),
  clock: systemClock,
  random: seededRandom(name.length),
  log: { error: (message) => console.error(message) },
});
let written = 0;
async function write(): Promise<void> {
  const first = written;
  written += 4;
  await Promise.all(
    [0, 1, 2, 3].map((more) =>
      audit.append({
        event: "user.logout",
        user: `${name} ${first + more}`,
        success: true,
        fields: { reason: "asked" },
      }),
    ),
  );
  process.send?.("written");
}
async function end(): Promise<void> {
  await directory.close();
  process.disconnect?.();
}
process.on("message", (word) => void (word === "end" ? end() : write()));
process.send?.("ready");
