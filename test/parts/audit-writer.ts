/** A gateway's audit log in a process of its own: writes 200 events when it is told to. */
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
async function write(): Promise<void> {
  for (let n = 0; n < 200; n += 4)
    await Promise.all(
      [0, 1, 2, 3].map((more) =>
        audit.append({
          event: "user.logout",
          user: `${name} ${n + more}`,
          success: true,
          fields: { reason: "asked" },
        }),
      ),
    );
  await directory.close();
  process.disconnect?.();
}
process.once("message", () => void write());
process.send?.("ready");
