/** Two connections joined in memory, already authenticated, for tests of channels. */
import { type Clock, systemClock } from "@gatehouse/kernel";
import { Connection } from "../../packages/gateway/src/protocols/ssh/connection/connection.ts";
import type {
  Channel,
  ChannelEvents,
  ConnectionEvents,
  ConnectionLimits,
} from "../../packages/gateway/src/protocols/ssh/connection/mod.ts";
import { PacketRoute } from "../../packages/gateway/src/protocols/ssh/connection/packet-route.ts";
import { memoryTransports } from "./memory-transport.ts";

export type Side = { limits?: ConnectionLimits };

export function connectionPair(options: { client?: Side; server?: Side; clock?: Clock } = {}) {
  const clock = options.clock ?? systemClock;
  const routes = [new PacketRoute(), new PacketRoute()] as const;
  const [clientTransport, serverTransport] = memoryTransports(routes[0].events, routes[1].events);
  const client = new Connection({ role: "client", transport: clientTransport, clock, ...options.client });
  const server = new Connection({ role: "server", transport: serverTransport, clock, ...options.server });
  routes[0].to(client);
  routes[1].to(server);
  return { client, server, clientTransport, serverTransport };
}

/** Everything that happened on a channel, in words, and its data. */
export class ChannelLog implements ChannelEvents {
  readonly events: string[] = [];
  readonly streams = new Map<number, Buffer[]>();
  readonly requests: Parameters<ChannelEvents["request"]>[0][] = [];
  readonly channel: Channel;
  /** Answer every request with yes, and pass on all data at once. */
  readonly willing: boolean;
  error: Error | undefined;
  #ended!: () => void;
  readonly ended = new Promise<void>((resolve) => (this.#ended = resolve));

  constructor(channel: Channel, willing = true) {
    this.channel = channel;
    this.willing = willing;
  }
  data(view: Uint8Array, stream: number): void {
    const parts = this.streams.get(stream) ?? [];
    parts.push(Buffer.from(Uint8Array.from(view).buffer));
    this.streams.set(stream, parts);
    const event = `data ${stream}`;
    if (this.events.at(-1) !== event) this.events.push(event);
    if (this.willing) this.channel.consumed(view.length);
  }
  text(stream = 0): string {
    return Buffer.concat(this.streams.get(stream) ?? []).toString();
  }
  eof(): void {
    this.events.push("eof");
  }
  request(request: Parameters<ChannelEvents["request"]>[0]): void {
    this.events.push(request.type);
    this.requests.push(request);
    if (this.willing) request.reply(true);
  }
  closed(error: Error | undefined): void {
    this.events.push("closed");
    this.error = error;
    this.#ended();
  }
  drain(): void {
    this.events.push("drain");
  }
}

/** Opens a session channel from the client, accepts it at the server, and logs both ends. */
export async function sessionPair(pair: ReturnType<typeof connectionPair>, willing = true) {
  const accepted = new Promise<ChannelLog>((resolve) =>
    pair.server.attach({
      ...ignoring,
      channel(opening) {
        const log = new ChannelLog(opening.accept(), willing);
        log.channel.attach(log);
        resolve(log);
      },
    }),
  );
  const near = new ChannelLog(await pair.client.openChannel("session", new Uint8Array()), willing);
  near.channel.attach(near);
  return { near, far: await accepted };
}

export const ignoring: ConnectionEvents = {
  channel: (opening) => opening.refuse(1, "not in this test"),
  globalRequest: (request) => request.reply(false),
  closed: () => undefined,
};

/** A few turns of the event loop: whatever was on its way has arrived. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve));
}
