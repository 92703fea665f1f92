import type { OpenTransport } from "../transport/door.ts";
import { openTransport } from "../transport/mod.ts";
import { Connection } from "./connection.ts";
import type { AcceptConnection, Accepted } from "./door.ts";
import { PacketRoute } from "./packet-route.ts";
import { ServerAuth } from "./server-auth.ts";

/** Binds the server's side to a transport. */
export function acceptOver(open: OpenTransport): AcceptConnection {
  return async ({ socket, hostKeys, auth, limits = {}, clock, ...tuning }) => {
    const route = new PacketRoute();
    const transport = await open({
      ...tuning,
      role: "server",
      socket,
      hostKeys,
      clock,
      events: route.events,
    });
    return new Promise<Accepted>((resolve, reject) => {
      route.to(
        new ServerAuth({
          transport,
          hostKeyBlob: hostKeys.find(({ algorithms }) => algorithms.includes(transport.negotiated.hostKey))
            ?.publicBlob,
          auth,
          clock,
          succeeded(result) {
            const connection = new Connection({ role: "server", transport, limits, clock });
            route.to(connection);
            resolve({ ...result, connection });
          },
          failed: reject,
        }),
      );
    });
  };
}

export const acceptConnection: AcceptConnection = acceptOver(openTransport);
