import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { isGatehouseError, seededRandom, systemClock } from "@gatehouse/kernel";
import { openDirectory } from "./open.ts";
import { temporaryFolder } from "./testing/temporary.ts";

test("a full disk is `unavailable`, loses nothing that was committed, and passes", async (context) => {
  const folder = temporaryFolder(context);
  try {
    execFileSync("/bin/mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], { stdio: "pipe" });
  } catch {
    context.skip("a small file system cannot be mounted here: it takes root and the right to mount");
    return;
  }
  const ballast = join(folder, "ballast");
  const directory = await openDirectory({
    path: join(folder, "directory.db"),
    clock: systemClock,
    random: seededRandom(1),
  });
  try {
    await directory.settings.set("kept", "yes");
    await directory.probe();
    // Fills the rest, down to the last block.
    for (let block = 65_536; block >= 4096; block /= 2)
      for (;;)
        try {
          writeFileSync(ballast, Buffer.alloc(block), { flag: "a" });
        } catch {
          break;
        }
    const full = (error: unknown) => isGatehouseError(error, "unavailable") && /no room/.test(error.message);
    await assert.rejects(directory.settings.set("lost", "x".repeat(300_000)), full);
    assert.equal(await directory.settings.get("lost"), undefined);
    assert.equal(await directory.settings.get("kept"), "yes");
    // A probe may still fit into what the log has; what must hold is that it never says yes and loses.
    await assert.rejects(async () => {
      for (let n = 0; n < 2000; n++) await directory.probe();
    }, full);
    await rm(ballast);
    await directory.probe();
    await directory.settings.set("lost", "found");
    assert.equal(await directory.settings.get("lost"), "found");
  } finally {
    await directory.close();
    execFileSync("/bin/umount", [folder]);
  }
});
