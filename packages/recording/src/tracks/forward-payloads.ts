import { integer, object, oneOf, type Shaped, text } from "../shape.ts";
import { payloadOf } from "./payload.ts";

const host = text({ charsMax: 1_024 });
const port = integer(0, 0xffff_ffff);
const count = integer(0, Number.MAX_SAFE_INTEGER);

/** `local` is direct-tcpip (-L, -D), `remote` one connection of a listener (-R), `listen` the listener itself. */
const forwardOpen = object(
  { direction: oneOf("local", "remote", "listen"), host, port },
  { originHost: host, originPort: port },
);
export type ForwardOpen = Shaped<typeof forwardOpen>;

/** `bytesIn` went from the person's side to the destination, `bytesOut` the other way. */
const forwardClose = object({ bytesIn: count, bytesOut: count }, { error: text({ charsMax: 262_144 }) });
export type ForwardClose = Shaped<typeof forwardClose>;

const openPayload = payloadOf<ForwardOpen>("forward.open", forwardOpen);
const closePayload = payloadOf<ForwardClose>("forward.close", forwardClose);

export const encodeForwardOpen = openPayload.encode;
export const decodeForwardOpen = openPayload.decode;
export const encodeForwardClose = closePayload.encode;
export const decodeForwardClose = closePayload.decode;
