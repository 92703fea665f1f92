import { GatehouseError, type Clock, messageOf } from "@gatehouse/kernel";
import { encodeForwardClose, encodeForwardOpen } from "@gatehouse/recording";
import type { EndReason, Session, Sessions } from "../../../sessions/session.ts";
import {
  type Channel,
  type ChannelOpening,
  type GlobalRequest,
  type SshConnection,
  decodeDirectTcpip,
  decodeForwardedPort,
  decodeForwardedTcpip,
  decodeTcpipForward,
  openFailure,
  openReason,
} from "../connection/mod.ts";
import type { SshTarget } from "./door.ts";
import { reasonFor } from "./refusal.ts";
import { splice } from "./splice.ts";
import type { Visit } from "./visit.ts";

type Direction = "local" | "remote" | "listen";
type Place = { host: string; port: number; originHost?: string; originPort?: number };
/** Something forwarded, from its frame of opening to that of its close. */
type Passage = {
  session: Session;
  stream: number;
  direction: Direction;
  place: Place;
  startedUs: number;
};

/**
 * The ports that one client's connection forwards. All belong to one session, admitted when the first is asked for. What
 * passes through them is counted, not recorded.
 */
export class Forwards {
  readonly #visit: Visit;
  readonly #client: SshConnection;
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  #session: Promise<Session> | undefined;
  #streams = 0;
  readonly #channels = new Set<Channel>();
  /** Each resolves when a joined pair is closed and its close is told. */
  readonly #joined = new Set<Promise<void>>();
  /** What the target listens on for this client, by `host:port` as asked. */
  readonly #listening = new Map<string, Passage>();

  constructor(options: { visit: Visit; client: SshConnection; sessions: Sessions; clock: Clock }) {
    this.#visit = options.visit;
    this.#client = options.client;
    this.#sessions = options.sessions;
    this.#clock = options.clock;
  }

  /** direct-tcpip (RFC 4254 §7.2): -L and -D. */
  async local(opening: ChannelOpening, target: SshTarget): Promise<void> {
    const place = shortened(decodeDirectTcpip(opening.payload));
    const refuse = async (why: string, error?: unknown) => {
      const failure = error === undefined ? undefined : openFailure(error);
      opening.refuse(failure?.reason ?? openReason.prohibited, failure?.description || why);
    };
    if (!target.policy.localForward) {
      await this.#tellRefused(target, "local", place, "the target does not allow port forwarding");
      return refuse(`${target.name} does not allow port forwarding`);
    }
    let passage: Passage;
    try {
      passage = await this.#open(target, "local", place);
    } catch (error) {
      return refuse(reasonFor(error));
    }
    let far: Channel;
    try {
      const connection = await this.#visit.link(target).connection();
      far = await connection.openChannel(opening.type, opening.payload);
    } catch (error) {
      await this.#close(passage, 0, 0, messageOf(error));
      return refuse(reasonFor(error), error);
    }
    this.#join(passage, opening.accept(), far);
  }

  /** tcpip-forward (§7.1): -R. */
  async listen(request: GlobalRequest, target: SshTarget): Promise<void> {
    const place = shortened(decodeTcpipForward(request.payload));
    if (!target.policy.remoteForward) {
      await this.#tellRefused(target, "listen", place, "the target does not allow remote port forwarding");
      return request.reply(false);
    }
    let passage: Passage;
    try {
      passage = await this.#open(target, "listen", place);
    } catch {
      // A global request has no words; the refusal is in the audit log.
      return request.reply(false);
    }
    try {
      const connection = await this.#visit.link(target).connection();
      const answer = await connection.globalRequest(request.type, request.payload);
      if (answer.ok) {
        // Asked for port 0, the target says which one it took, and the client cancels that one.
        const port = place.port === 0 ? (decodeForwardedPort(answer.payload) ?? 0) : place.port;
        this.#listening.set(`${place.host}:${port}`, passage);
      } else await this.#close(passage, 0, 0, "the target refused to listen");
      request.reply(answer.ok, answer.payload);
    } catch (error) {
      await this.#close(passage, 0, 0, messageOf(error));
      request.reply(false);
    }
  }
  /** cancel-tcpip-forward (§7.1). */
  async cancel(request: GlobalRequest, target: SshTarget): Promise<void> {
    const { host, port } = decodeTcpipForward(request.payload);
    const key = `${host}:${port}`;
    const passage = this.#listening.get(key);
    if (!passage) return request.reply(false);
    this.#listening.delete(key);
    try {
      const connection = await this.#visit.link(target).connection();
      const answer = await connection.globalRequest(request.type, request.payload);
      request.reply(answer.ok);
    } catch {
      request.reply(false);
    }
    await this.#close(passage, 0, 0);
  }
  /** forwarded-tcpip: somebody connected to what the target listens on. */
  async incoming(opening: ChannelOpening, target: SshTarget): Promise<void> {
    const place = shortened(decodeForwardedTcpip(opening.payload));
    if (this.#listening.size === 0) return opening.refuse(openReason.prohibited, "nothing was asked for");
    let passage: Passage;
    try {
      passage = await this.#open(target, "remote", place);
    } catch (error) {
      return opening.refuse(openReason.prohibited, reasonFor(error));
    }
    let near: Channel;
    try {
      near = await this.#client.openChannel(opening.type, opening.payload);
    } catch (error) {
      await this.#close(passage, 0, 0, messageOf(error));
      const failure = openFailure(error);
      return opening.refuse(failure?.reason ?? openReason.connectFailed, failure?.description ?? "");
    }
    this.#join(passage, near, opening.accept());
  }
  /** The client's connection ended, and its channels with it. */
  async close(lost: Error | undefined): Promise<void> {
    const session = this.#session;
    if (!session) return;
    this.#session = undefined;
    const listening = [...this.#listening.values()];
    this.#listening.clear();
    try {
      await Promise.all([...this.#joined, ...listening.map((passage) => this.#close(passage, 0, 0))]);
      await (await session).end({ reason: lost ? "connection_lost" : "closed" });
    } catch {
      // It was not admitted, or has been ended by its own room already.
    }
  }
  /** The connection to the target broke: nothing listens there any more. */
  targetLost(): void {
    for (const passage of this.#listening.values())
      void this.#close(passage, 0, 0, "the connection to the target ended");
    this.#listening.clear();
  }

  #join(passage: Passage, near: Channel, far: Channel): void {
    this.#channels.add(near);
    this.#channels.add(far);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#joined.add(promise);
    splice(near, far, passage.session, ({ bytesAtoB, bytesBtoA, error }) => {
      this.#channels.delete(near);
      this.#channels.delete(far);
      void this.#close(passage, bytesAtoB, bytesBtoA, error && messageOf(error)).then(() => {
        this.#joined.delete(promise);
        resolve();
      });
    });
  }

  async #open(target: SshTarget, direction: Direction, place: Place): Promise<Passage> {
    const session = await this.#admitted(target);
    // What comes in from elsewhere is not the person's; what they ask for waits while their input is paused.
    if (direction !== "remote" && (await session.whenInputAllowed()) !== "allowed")
      throw new GatehouseError({
        code: "denied",
        op: "ssh.forward",
        message: "input is paused, so no port is forwarded now",
      });
    const passage = {
      session,
      stream: ++this.#streams,
      direction,
      place,
      startedUs: this.#clock.monotonicUs(),
    };
    await Promise.all([
      session.record("forward.open", passage.stream, encodeForwardOpen({ direction, ...place })),
      session.audit("port", { action: "start", ...told(direction, place) }),
    ]);
    return passage;
  }

  /** Never rejects: what cannot be told any more has ended the session already, and with it what is told about. */
  async #close(passage: Passage, bytesIn: number, bytesOut: number, error?: string): Promise<void> {
    const { session, stream, direction, place } = passage;
    try {
      await Promise.all([
        session.record(
          "forward.close",
          stream,
          encodeForwardClose({ bytesIn, bytesOut, ...(error !== undefined && { error }) }),
        ),
        session.audit(
          "port",
          {
            action: "stop",
            ...told(direction, place),
            bytes_in: bytesIn,
            bytes_out: bytesOut,
            duration_ms: Math.round((this.#clock.monotonicUs() - passage.startedUs) / 1000),
            ...(error !== undefined && { error: error.slice(0, 4096) }),
          },
          error === undefined,
        ),
      ]);
    } catch (failure) {
      this.#visit.logFault("the end of a forward could not be told", failure);
    }
  }

  async #tellRefused(target: SshTarget, direction: Direction, place: Place, why: string): Promise<void> {
    await this.#visit.audit(
      "port",
      target,
      { action: "start", ...told(direction, place), error: why },
      false,
    );
  }

  /** Somebody else ends the session: nothing is forwarded any more, and the next forward asks for admission anew. */
  async #end(session: Session, reason: EndReason): Promise<void> {
    this.#session = undefined;
    const listening = [...this.#listening.values()];
    this.#listening.clear();
    for (const channel of this.#channels) channel.abort();
    await Promise.all([...this.#joined, ...listening.map((passage) => this.#close(passage, 0, 0))]);
    await session.end({ reason });
  }

  #admitted(target: SshTarget): Promise<Session> {
    this.#session ??= this.#admit(target);
    return this.#session;
  }
  async #admit(target: SshTarget): Promise<Session> {
    try {
      if (this.#client.closed)
        throw new GatehouseError({ code: "cancelled", op: "ssh.forward", message: "the client left" });
      const session = await this.#sessions.admit({
        ...this.#visit.facts(target),
        kind: "forward",
        track: "forward",
      });
      session.onEnding((ending) => void this.#end(session, ending.reason));
      return session;
    } catch (error) {
      this.#session = undefined;
      throw error;
    }
  }
}

function told(direction: Direction, place: Place) {
  const { host, port, originHost, originPort } = place;
  return {
    direction,
    addr: address(host, port),
    ...(originHost !== undefined && originPort !== undefined && { origin: address(originHost, originPort) }),
  };
}
function address(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
/** No host name is longer than 255; what is recorded and audited is cut, what passes is not. */
function shortened<T extends Place>(place: T): T {
  return {
    ...place,
    host: place.host.slice(0, 400),
    ...(place.originHost !== undefined && { originHost: place.originHost.slice(0, 400) }),
  };
}
