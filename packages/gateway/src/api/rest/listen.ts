import { GatehouseError } from "@gatehouse/kernel";
import { chmodSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { type App, type AppOptions, createApp } from "./app.ts";

export type RestOptions = Omit<AppOptions, "listener"> & {
  /** Port 0 takes a free one. */
  web: { host: string; port: number };
  /** `<data_dir>/admin.sock`. Who can open this file is the administrator of this machine. */
  adminSocketPath: string;
};

export type RestServer = {
  /** Where the web port answers on this machine: `http://127.0.0.1:3080`. */
  url: string;
  close(): Promise<void>;
};

/** The kernel's limit on a socket's path, with its final zero (unix(7)). */
const socketPathBytesMax = 107;

/** Starts both listeners. Rejects, with nothing left listening, when either cannot. */
export async function startRest(options: RestOptions): Promise<RestServer> {
  const web = await createApp({ ...options, listener: "web" });
  const admin = await createApp({ ...withoutTls(options), listener: "admin-socket" });
  try {
    await listenOn(options.adminSocketPath, admin);
    await web.listen(options.web).catch((cause: NodeJS.ErrnoException) => {
      throw new GatehouseError({
        code: "unavailable",
        op: "api.listen",
        message: `cannot listen on ${options.web.host}:${options.web.port}: ${cause.code ?? cause.message}`,
        hint: "Another program may have the port; choose another in the configuration.",
        cause,
      });
    });
  } catch (error) {
    await Promise.allSettled([web.close(), admin.close()]);
    rmSync(options.adminSocketPath, { force: true });
    throw error;
  }
  const { address, family, port } = web.server.address() as AddressInfo;
  const host = family === "IPv6" ? `[${address}]` : address;
  return {
    url: `${options.tls ? "https" : "http"}://${host}:${port}`,
    async close() {
      await Promise.all([web.close(), admin.close()]);
      rmSync(options.adminSocketPath, { force: true });
    },
  };
}

function withoutTls({ tls: _tls, ...options }: RestOptions): Omit<RestOptions, "tls"> {
  return options;
}

/**
 * A socket takes the process's umask when it is bound, and is open to everybody until it is changed. So it is bound in
 * a folder that nobody else can enter, closed to others there, and then moved to its place.
 */
async function listenOn(path: string, app: App): Promise<void> {
  const folder = mkdtempSync(join(dirname(path), ".admin-"));
  const bound = join(folder, "s");
  try {
    if (Buffer.byteLength(bound) > socketPathBytesMax)
      throw new GatehouseError({
        code: "invalid",
        op: "api.listen",
        message: `the path of the administrator's socket is too long: ${path}`,
        hint: "Choose a data directory with a shorter path.",
      });
    await app.listen({ path: bound });
    chmodSync(bound, 0o600);
    renameSync(bound, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
