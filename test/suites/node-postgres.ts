/** `pg` with its pool and its cursors: https://github.com/brianc/node-postgres. */
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { run } from "../parts/openssh.ts";
import { bringSource, moduleFile } from "./sources.ts";
import { type Outcome, type Suite, type Way, edit, runFiles } from "./suite.ts";

async function source(): Promise<string> {
  const place = await bringSource("brianc/node-postgres", "c9e57617bc92c2ded23a75345f50eadc527bd131");
  const file = (name: string) => join(place, "packages", name);
  // Deadlines that a busy machine misses say nothing of a gate.
  edit(file("pg/test/suite.js"), [["this.timeout = 5000", "this.timeout = 240000"]]);
  edit(file("pg/test/test-helper.js"), [["|| 5000", "|| 60000"]]);
  edit(file("pg-cursor/test/index.js"), [["this.timeout(10000)", "this.timeout(60000)"]]);
  edit(file("pg/test/integration/client/pipelining-tests.js"), [
    ["query_timeout: 100", "query_timeout: 5000"],
  ]);
  edit(file("pg-pool/test/connection-timeout.js"), [
    ["Millis: 100, max: 1 }", "Millis: 3000, max: 1 }"],
    ["Millis: 200, max: 1 }", "Millis: 4000, max: 1 }"],
    ["}, 100)\n    })\n  })", "}, 2000)\n    })\n  })"],
  ]);
  edit(file("pg-pool/test/events.js"), [["}, 100)", "}, 5000)"]]);
  // Its second query is to come when the first is answered, and not at a moment when it may still connect.
  edit(file("pg-pool/test/idle-timeout-exit.js"), [
    ["=> console.log('completed first'))", "=> { console.log('completed first'); setTimeout(second, 50) })"],
    ["setTimeout(() => {", "const second = (() => {"],
    ["}, 50)", "})"],
  ]);
  // Servers that a test plays itself have no TLS.
  for (const name of ["client/connection-timeout", "gh-issues/2627", "gh-issues/3174"])
    edit(file(`pg/test/integration/${name}-tests.js`), [["user: 'not',", "user: 'not', ssl: false,"]]);
  // libpq does not know the driver's word.
  edit(file("pg/test/integration/gh-issues/130-tests.js"), [
    ["psql = 'psql'", "psql = 'PGSSLMODE=require psql'"],
  ]);
  return place;
}
/** One of them runs five thousand statements, and each waits for the disk. */
const fileTimeoutMs = 240_000;

async function environment(way: Way): Promise<NodeJS.ProcessEnv> {
  const { user, password } = await way.as("postgres");
  return {
    PGHOST: way.host,
    PGPORT: String(way.port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: "postgres",
    // One of its tests is that a certificate of nobody's is refused where it is looked at.
    PGSSLMODE: "no-verify",
    USER: "postgres",
  };
}

export const nodePostgres: Suite = {
  name: "pg",
  server: "postgres",
  async run(way) {
    const cwd = join(await source(), "packages/pg");
    const files = globSync("test/integration/**/*-tests.js", { cwd }).sort();
    return runFiles(
      files.map((file) => ({ name: file.replace("test/integration/", ""), args: [file] })),
      { cwd, env: await environment(way), timeoutMs: fileTimeoutMs },
    );
  },
};

const mochaSuite = (name: string, folder: string): Suite => ({
  name,
  server: "postgres",
  async run(way) {
    const cwd = join(await source(), folder);
    const env = await environment(way);
    const scratch = mkdtempSync(join(tmpdir(), "gatehouse-suite-"));
    const outcomes: Outcome[] = [];
    for (const file of globSync("test/*.js", { cwd }).sort()) {
      const report = join(scratch, "report.json");
      const args = [
        "--exit",
        "--timeout=20000",
        "--reporter=json",
        `--reporter-option=output=${report}`,
        file,
      ];
      const ran = await run(
        "/usr/bin/env",
        [`--chdir=${cwd}`, process.execPath, moduleFile("mocha/bin/mocha.js"), ...args],
        { env, timeoutMs: fileTimeoutMs },
      );
      const told = JSON.parse(readFileSync(report, "utf8")) as {
        tests: { fullTitle: string; err: { stack?: string; message?: string } }[];
        pending: { fullTitle: string }[];
      };
      const pending = new Set(told.pending.map(({ fullTitle }) => fullTitle));
      for (const { fullTitle, err } of told.tests)
        if (!pending.has(fullTitle))
          outcomes.push({
            name: `${basename(file)} ${fullTitle}`,
            passed: err.message === undefined,
            said: err.stack ?? err.message ?? "",
          });
      if (ran.code !== 0 && outcomes.length === 0)
        outcomes.push({ name: file, passed: false, said: ran.stderr });
    }
    rmSync(scratch, { recursive: true });
    return outcomes;
  },
});
export const pgPool = mochaSuite("pg-pool", "packages/pg-pool");
export const pgCursor = mochaSuite("pg-cursor", "packages/pg-cursor");
