/** Programs in Java, for drivers that exist nowhere else. */
import { fileURLToPath } from "node:url";
import { type Ran, run } from "./openssh.ts";

/** Runs one source file beside this one, with these archives. */
export function runJava(
  source: string,
  archives: readonly string[],
  args: readonly string[],
  input = "",
): Promise<Ran> {
  const file = fileURLToPath(new URL(source, import.meta.url));
  return run("/usr/bin/java", ["-cp", archives.join(":"), file, ...args], { input, timeoutMs: 120_000 });
}
