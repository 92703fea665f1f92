/** `mysql2`: https://github.com/sidorares/node-mysql2. */
import { globSync } from "node:fs";
import { bringSource, moduleFile } from "./sources.ts";
import { type Suite, runFiles } from "./suite.ts";

const source = () => bringSource("sidorares/node-mysql2", "928c3c511a0316713966ade2cf27e47285feb878");

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
