import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import pg from "pg";
import { TestClock, seededRandom } from "@gatehouse/kernel";
import type { Directory } from "../door.ts";
import { openDirectory } from "../open.ts";

/** A directory of this test's own, removed after it. */
export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gatehouse-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Where the same tests run on PostgreSQL: the address of one, for each test a schema of its own. */
const postgresVariable = "GATEHOUSE_TEST_POSTGRES";

/** A database of this test's own, with a clock that the test moves. */
export async function temporaryDirectory(
  context: TestContext,
  { sessionIdleMs, ...options }: { lockWaitMs?: number; sessionIdleMs?: number } = {},
): Promise<{ directory: Directory; clock: TestClock; path: string }> {
  const path = join(temporaryFolder(context), "directory.db");
  const clock = new TestClock();
  const url = process.env[postgresVariable];
  const place = url === undefined ? { path, ...options } : { url: await schemaIn(url), connectionsMax: 4 };
  const directory = await openDirectory({
    ...place,
    clock,
    random: seededRandom(1),
    ...(sessionIdleMs !== undefined && { sessionIdleMs }),
  });
  context.after(() => directory.close());
  return { directory, clock, path };
}

async function schemaIn(url: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create schema ${name}`);
  await client.end();
  return `${url}&options=${encodeURIComponent(`-c search_path=${name}`)}`;
}
