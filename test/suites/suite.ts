/** A driver's own tests, run against wherever a way leads. */
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { run } from "../parts/openssh.ts";

/** How a driver gets to a server: past the gate, or through it. */
export type Way = {
  readonly host: string;
  readonly port: number;
  /** What a driver signs in with to be this user of the server. */
  as(login: string): Promise<{ user: string; password: string }>;
};

export type Outcome = { readonly name: string; readonly passed: boolean; readonly said: string };

export type Suite = {
  readonly name: string;
  /** Which server of the stand. */
  readonly server: "postgres" | "mariadb" | "mysql";
  run(way: Way): Promise<Outcome[]>;
};

/** Each test file as a process of its own, as those drivers run theirs; one that ends with 0 has passed. */
export async function runFiles(
  files: readonly { name: string; args: readonly string[] }[],
  options: { cwd: string; env: NodeJS.ProcessEnv; atOnce?: number; timeoutMs: number },
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...files];
  const lanes = Math.min(options.atOnce ?? 1, availableParallelism() + 1);
  const lane = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const ran = await run(
        "/usr/bin/env",
        [`--chdir=${options.cwd}`, process.execPath, ...file.args],
        options,
      );
      const said = `${ran.stdout.toString()}${ran.stderr}`;
      outcomes.push({
        name: file.name,
        passed: ran.code === 0,
        said: ran.signal ? `${said}\n${ran.signal}` : said,
      });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return outcomes.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Changes a test's source where nothing else tells it where to connect. Throws where the words are not there any more. */
export function edit(file: string, changes: readonly (readonly [from: string, to: string])[]): void {
  let text = readFileSync(file, "utf8");
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}`);
    text = text.replaceAll(from, to);
  }
  writeFileSync(file, text);
}
