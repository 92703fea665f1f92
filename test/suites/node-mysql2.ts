/** `mysql2`: https://github.com/sidorares/node-mysql2. */
import { globSync } from "node:fs";
import { join } from "node:path";
import { bringSource, moduleFile } from "./sources.ts";
import { type Suite, edit, runFiles } from "./suite.ts";

async function source(): Promise<string> {
  const place = await bringSource("sidorares/node-mysql2", "928c3c511a0316713966ade2cf27e47285feb878");
  const file = (name: string) => join(place, "test", name);
  // Their variable for TLS is for single connections; pools and URIs are to have it too.
  edit(file("common.test.mts"), [
    ["gracefulEnd: args && args.gracefulEnd,", "gracefulEnd: args && args.gracefulEnd, ssl: config.ssl,"],
    ["${port}/${db}`", '${port}/${db}?ssl={"rejectUnauthorized":false}`'],
  ]);
  for (const name of ["connection/test-reset-connection", "pool/test-pool-reset-on-release"])
    edit(file(`integration/${name}.test.mts`), [
      [
        "process.env.MYSQL_PASSWORD || '',",
        "process.env.MYSQL_PASSWORD || '', ssl: { rejectUnauthorized: false },",
      ],
    ]);
  return place;
}

const suite = (server: "mariadb" | "mysql"): Suite => ({
  name: `mysql2 on ${server}`,
  server,
  async run(way) {
    const cwd = await source();
    const { user, password } = await way.as("root");
    const env = {
      // Without it their tests take no password.
      CI: "1",
      MYSQL_HOST: way.host,
      MYSQL_PORT: String(way.port),
      MYSQL_USER: user,
      MYSQL_PASSWORD: password,
      MYSQL_DATABASE: "test",
      MYSQL_USE_TLS: "1",
    };
    const run = (folder: string, atOnce: number) =>
      runFiles(
        globSync(`test/${folder}/**/*.test.mts`, { cwd })
          .sort()
          .map((file) => ({
            name: file.replace("test/", ""),
            args: ["--import", `file://${moduleFile("tsx/dist/loader.mjs")}`, file],
          })),
        { cwd, env, atOnce, timeoutMs: 60_000 },
      );
    // The second folder's tests change what the server is for everybody.
    return [...(await run("integration", 3)), ...(await run("global", 1))];
  },
});
export const mysql2OnMariadb = suite("mariadb");
export const mysql2OnMysql = suite("mysql");
