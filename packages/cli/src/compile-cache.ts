import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Compiled code is kept between calls, which halves the time to the first word. In the person's own cache: in the shared
 * directory for temporary files, somebody else could put code there.
 */
export function compileCacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "gatehouse", "compiled");
}
