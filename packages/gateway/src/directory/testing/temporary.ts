import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { TestClock, seededRandom } from "@gatehouse/kernel";
import type { Directory } from "../door.ts";
import { openDirectory } from "../open.ts";

/** A directory of this test's own, removed after it. */
export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A database of this test's own, with a clock that the test moves. */
export async function temporaryDirectory(
  context: TestContext,
  options: { lockWaitMs?: number } = {},
): Promise<{ directory: Directory; clock: TestClock; path: string }> {
  const path = join(temporaryFolder(context), "directory.db");
  const clock = new TestClock();
  const directory = await openDirectory({ path, clock, random: seededRandom(1), ...options });
  context.after(() => directory.close());
  return { directory, clock, path };
}
