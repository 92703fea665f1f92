import type { OpenTransport } from "../transport/door.ts";
import { openTransport } from "../transport/mod.ts";
import { ClientAuth } from "./client-auth.ts";
import { Connection } from "./connection.ts";
import type { DialConnection, SshConnection } from "./door.ts";
import { PacketRoute } from "./packet-route.ts";

/** Binds the client's side to a transport. */
export function dialOver(open: OpenTransport): DialConnection {
  return async (options) => {
    const { user, credentials, authTimeoutMs, limits = {}, clock, banner, ...transportOptions } = options;
    const route = new PacketRoute();
    const transport = await open({ ...transportOptions, role: "client", clock, events: route.events });
    return new Promise<SshConnection>((resolve, reject) => {
      route.to(
        new ClientAuth({
          transport,
          user,
          credentials,
          timeoutMs: authTimeoutMs,
          clock,
          banner,
          succeeded() {
            const connection = new Connection({ role: "client", transport, limits, clock });
            route.to(connection);
            resolve(connection);
          },
          failed: reject,
        }),
      );
    });
  };
}

export const dialConnection: DialConnection = dialOver(openTransport);
