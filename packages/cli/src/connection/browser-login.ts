import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { hostname } from "node:os";
// The clock's own timers let the process end; this wait is all that keeps it.
import { setTimeout as delay } from "node:timers/promises";
import { type Client, createClient } from "@gatehouse/contracts/client";
import { GatehouseError, isGatehouseError, systemRandom } from "@gatehouse/kernel";
import type { Cli } from "../cli.ts";

const secret = (bytes = 32) => Buffer.from(systemRandom.bytes(bytes)).toString("base64url");
const challengeOf = (verifier: string) => createHash("sha256").update(verifier).digest("base64url");
const client = () =>
  hostname()
    .replaceAll(/[^\x20-\x7e]/g, "?")
    .slice(0, 64) || "unknown";

/** Signs in with the browser of this machine, or with any browser and a short code where this one has none. Returns the token. */
export async function loginByBrowser(
  url: string,
  cli: Cli,
  { device }: { device: boolean },
): Promise<string> {
  const gateway = createClient({ baseUrl: url });
  if (!device && hasBrowser(cli.env)) {
    const token = await byCallback(gateway, cli);
    if (token !== undefined) return token;
    cli.stderr.write("no browser opened here\n");
  }
  return byCode(gateway, cli);
}

/** On a machine that somebody reached by SSH a browser would open where nobody sits. */
function hasBrowser(env: Cli["env"]): boolean {
  if (env["BROWSER"]) return true;
  if (env["SSH_CONNECTION"]) return false;
  return process.platform !== "linux" || Boolean(env["DISPLAY"] || env["WAYLAND_DISPLAY"]);
}

/** Undefined where no browser could be opened. */
async function byCallback(gateway: Client, cli: Cli): Promise<string | undefined> {
  const verifier = secret();
  const state = secret(16);
  const answered = Promise.withResolvers<string>();
  // Awaited only once a browser is open.
  answered.promise.catch(() => {});
  const server = createServer((request, response) => {
    const at = new URL(request.url ?? "/", "http://127.0.0.1");
    // Any page may send a browser here; only the gate's answer knows the state.
    const mine = at.pathname === "/signed-in" && at.searchParams.get("state") === state;
    const code = at.searchParams.get("code");
    response.writeHead(mine ? 200 : 404, {
      "content-type": "text/plain; charset=utf-8",
      "referrer-policy": "no-referrer",
      connection: "close",
    });
    response.end(mine ? "Done. Go back to your terminal; this page can be closed.\n" : "Nothing here.\n");
    if (!mine) return;
    if (code === null) answered.reject(refused());
    else answered.resolve(code);
  });
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", resolve);
    });
    const bound = server.address();
    const port = typeof bound === "object" && bound ? bound.port : 0;
    const asked = await gateway.commandSignIn.ask({
      challenge: challengeOf(verifier),
      client: client(),
      callback: { port, state },
    });
    if (!(await opened(asked.url, cli))) return undefined;
    cli.stderr.write(`Your browser asks whether to sign you in. If it does not, open:\n  ${asked.url}\n`);
    const code = await untilEnd(answered.promise, cli, Date.parse(asked.expiresAt));
    const fetched = await gateway.commandSignIn.fetch({ id: asked.id, verifier, code });
    if (fetched.status === "done") return fetched.token;
    throw expired();
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

async function byCode(gateway: Client, cli: Cli): Promise<string> {
  const verifier = secret();
  const asked = await gateway.commandSignIn.ask({ challenge: challengeOf(verifier), client: client() });
  cli.stderr.write(
    `Open this page in any browser, and type the code:\n  ${asked.url}\n  ${asked.userCode ?? ""}\n`,
  );
  let { intervalMs } = asked;
  const endsAtMs = Date.parse(asked.expiresAt);
  for (;;) {
    await untilEnd(delay(intervalMs), cli, endsAtMs);
    try {
      const fetched = await gateway.commandSignIn.fetch({ id: asked.id, verifier });
      if (fetched.status === "done") return fetched.token;
      intervalMs = fetched.intervalMs;
    } catch (error) {
      // RFC 8628 §3.5: a connection that fails is tried again, at longer intervals.
      if (!isGatehouseError(error, "unavailable")) throw error;
      intervalMs *= 2;
    }
  }
}

/** Ends with the person's patience or the sign-in's time, whichever comes first. */
async function untilEnd<T>(awaited: Promise<T>, { signal, clock }: Cli, endsAtMs: number): Promise<T> {
  const end = Promise.withResolvers<never>();
  const timer = clock.after(Math.max(0, endsAtMs - clock.nowMs()), () => end.reject(expired()));
  const abort = () =>
    end.reject(new GatehouseError({ code: "cancelled", op: "cli.login", message: "interrupted" }));
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([awaited, end.promise]);
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", abort);
  }
}

/** Browsers that stay in the foreground are open, too: what has not failed by then counts. */
const openingMs = 2_000;

function opened(url: string, { env, clock }: Cli): Promise<boolean> {
  const [program, ...args] = browserCommand(env, url);
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: "ignore", detached: true });
    const timer = clock.after(openingMs, () => resolve(true));
    const settle = (good: boolean) => {
      timer.cancel();
      resolve(good);
    };
    child.once("error", () => settle(false));
    child.once("exit", (code) => settle(code === 0));
    child.unref();
  });
}

function browserCommand(env: Cli["env"], url: string): [string, ...string[]] {
  if (env["BROWSER"]) return [env["BROWSER"], url];
  if (process.platform === "darwin") return ["open", url];
  return process.platform === "win32" ? ["explorer", url] : ["xdg-open", url];
}

function refused(): GatehouseError {
  return new GatehouseError({
    code: "denied",
    op: "cli.login",
    message: "the sign-in was refused in the browser",
  });
}
function expired(): GatehouseError {
  return new GatehouseError({
    code: "unauthenticated",
    op: "cli.login",
    message: "nobody answered the sign-in in time",
    hint: "Begin again; it waits for ten minutes.",
  });
}
