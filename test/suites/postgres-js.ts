/** `postgres`: https://github.com/porsager/postgres. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../parts/openssh.ts";
import { bringSource } from "./sources.ts";
import { type Outcome, type Suite, edit } from "./suite.ts";

const source = () => bringSource("porsager/postgres", "e7dfa14519f363229ccc3ead7b1b2f2051937efb");
const logins = {
  login: "postgres_js_test",
  login_md5: "postgres_js_test_md5",
  login_scram: "postgres_js_test_scram",
};

/** Each test in its turn, told as a line of JSON. Theirs stops at the first that fails. */
const runner = `
import { spawnSync } from "node:child_process"
const leftovers = ["drop publication if exists alltables", "drop table if exists test cascade"]
process.on("unhandledRejection", () => undefined)
let turn = Promise.resolve()
export const nt = () => undefined
export const ot = (...rest) => t(...rest)
export function t(name, options, fn) {
  if (typeof options === "function") [options, fn] = [{}, options]
  turn = turn.then(async () => {
    let timer
    let said
    try {
      const late = new Promise((_, reject) => { timer = setTimeout(reject, (options.timeout || 5) * 8000, new Error("timed out")) })
      const [expected, got] = await Promise.all(await Promise.race([fn(), late]))
      if (expected !== got) said = String(expected) + " != " + String(got)
    } catch (error) {
      said = String(error?.stack ?? error)
    }
    clearTimeout(timer)
    // The next one makes its tables anew.
    if (said !== undefined) for (const left of leftovers) spawnSync("psql", ["-d", "postgres_js_test", "-c", left])
    process.stdout.write("\\n" + JSON.stringify({ name, passed: said === undefined, said: said ?? "" }) + "\\n")
  })
}
process.nextTick(() => setImmediate(() => turn.then(() => process.exit())))
`;

export const postgresJs: Suite = {
  name: "postgres",
  server: "postgres",
  async run(way) {
    const place = await source();
    const users = await Promise.all(
      Object.entries(logins).map(async ([name, login]) => [name, login, await way.as(login)] as const),
    );
    edit(join(place, "tests/index.js"), [
      ["localhost:5432", `${way.host}:${way.port}`],
      // Deadlines that a busy machine misses say nothing of a gate.
      ["connect_timeout: 1,", "connect_timeout: 10,"],
      ["delay(50)", "delay(1500)"],
      // A listener that was ended has to be connected anew by then, and a change has to have come.
      ["await delay(200)", "await delay(3000)"],
      ["await delay(500)", "await delay(3000)"],
      ["  await delay(10)\n", "  await delay(1000)\n"],
      // What is not reserved waits for the release, 500 ms longer than what is.
      ["release(), 510)", "release(), 3000)"],
      // Cancelled while it still connects, a query of this driver leaves a connection behind that nobody uses again.
      ["query.cancel(), 500)", "query.cancel(), 4000)"],
      ["pg_sleep(2)", "pg_sleep(30)"],
      ["delay(100)", "delay(1500)"],
      ["socket.connect(5432)", `socket.connect(${way.port}, ${JSON.stringify(way.host)})`],
      ["login.user + ':'", "encodeURIComponent(login.user) + ':'"],
      [
        "user: 'postgres_js_test'\n",
        `user: ${JSON.stringify(users[0]?.[2].user)},\n  pass: ${JSON.stringify(users[0]?.[2].password)}\n`,
      ],
      ...users
        .slice(1)
        .flatMap(([, login, { user, password }]) => [
          [`user: '${login}'`, `user: ${JSON.stringify(user)}`] as const,
          [`pass: '${login}'`, `pass: ${JSON.stringify(password)}`] as const,
        ]),
      ["() => 'postgres_js_test_scram'", `() => ${JSON.stringify(users[2]?.[2].password)}`],
      [
        "Promise.resolve('postgres_js_test_scram')",
        `Promise.resolve(${JSON.stringify(users[2]?.[2].password)})`,
      ],
    ]);
    // Accounts of its own, with the passwords that this run is given.
    writeFileSync(join(place, "tests/test.js"), runner);
    const { user, password } = await way.as("postgres");
    const ran = await run("/usr/bin/env", [`--chdir=${place}`, process.execPath, "tests/index.js"], {
      env: {
        PATH: `/usr/lib/postgresql/15/bin:${process.env["PATH"]}`,
        PGHOST: way.host,
        PGPORT: String(way.port),
        PGUSER: user,
        PGPASSWORD: password,
        PGDATABASE: "postgres",
        PGSSLMODE: "require",
        PGSSL: "require",
      },
      timeoutMs: 300_000,
    });
    const told = ran.stdout
      .toString()
      .split("\n")
      .filter((line) => line.startsWith('{"name":'))
      .map((line) => JSON.parse(line) as Outcome);
    return [...told, { name: "all of them ran", passed: ran.code === 0, said: ran.stderr }];
  },
};
