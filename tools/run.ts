import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The project's root, whatever folder a tool was started from. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs a program with our standard streams; resolves with its exit code. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<number> {
  const path = `${root}node_modules/.bin:${process.env["PATH"] ?? ""}`;
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      stdio: "inherit",
      env: { ...process.env, ...options.env, PATH: path },
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
  });
}
