import { GatehouseError, isGatehouseError, messageOf } from "@gatehouse/kernel";
import type { SessionRequest } from "../../../sessions/session.ts";
import {
  type ChannelOpening,
  type ConnectionEvents,
  type GlobalRequest,
  type SshConnection,
  decodeDirectTcpip,
  openReason,
} from "../connection/mod.ts";
import { type Address, isTargetName } from "./addressing.ts";
import type { GateLimits, GateOptions, Person, SshTarget } from "./door.ts";
import { Forwards } from "./forwards.ts";
import { reasonFor } from "./refusal.ts";
import { SessionChannel } from "./session-channel.ts";
import { splice } from "./splice.ts";
import type { DigestTiming } from "./stream-records.ts";
import { TargetLink } from "./target-link.ts";

/** `ssh -J` asks for the ordinary port of what it wants; the target's own port is the gate's business. */
const jumpPort = 22;

export type VisitOptions = {
  gate: GateOptions;
  limits: GateLimits;
  connection: SshConnection;
  person: Person;
  address: Address;
  remoteAddress: string;
  connectionId: string;
  /** Serves the inner connection of `ssh -J` on this channel. */
  jump(opening: ChannelOpening, hostName: string): void;
  /** Once, at the end. */
  over(): void;
};

/** One client's connection from its authentication to its end: what it addresses and all that it opens. */
export class Visit {
  readonly #options: VisitOptions;
  readonly #client: string;
  readonly #forwards: Forwards;
  readonly digestTiming: DigestTiming;
  #link: TargetLink | undefined;
  /** What the target may open towards the client, because a session asked for it and the policy allows it. */
  readonly #granted = { "agent-forward": false, "x11-forward": false };

  constructor(options: VisitOptions) {
    this.#options = options;
    const { gate, limits, connection } = options;
    this.#client = connection.transport.peerIdentification;
    this.digestTiming = {
      clock: gate.clock,
      intervalMs: limits.digestIntervalMs,
      intervalBytes: limits.digestIntervalBytes,
    };
    this.#forwards = new Forwards({
      visit: this,
      client: connection,
      sessions: gate.sessions,
      clock: gate.clock,
    });
    connection.attach({
      channel: (opening) =>
        this.#guarded(this.#channel(opening), () => opening.refuse(openReason.prohibited, "")),
      globalRequest: (request) => this.#guarded(this.#globalRequest(request), () => request.reply(false)),
      closed: (error) => {
        this.#link?.close();
        void this.#forwards.close(error);
        options.over();
      },
    });
  }

  /** What a session of this visit is, as far as all of them share it. */
  facts(target: SshTarget): Omit<SessionRequest, "kind" | "track"> {
    const { person, remoteAddress, connectionId } = this.#options;
    return {
      protocol: "ssh",
      user: { id: person.id, name: person.name },
      login: target.login,
      target: { id: target.id, name: target.name, address: `${target.host}:${target.port}` },
      remoteAddress,
      connectionId,
      client: this.#client.slice(0, 256),
      access: target.access,
    };
  }
  /** The connection to the target that all sessions of this visit share. */
  link(target: SshTarget): TargetLink {
    const { gate, limits, person, remoteAddress } = this.#options;
    this.#link ??= new TargetLink({
      target,
      person,
      remoteAddress,
      userCa: gate.userCa,
      audit: gate.audit,
      limits,
      clock: gate.clock,
      random: gate.random,
      events: this.#targetEvents(target),
    });
    return this.#link;
  }
  /** Agent or X11 forwarding was asked for. */
  tellForwarding(event: "agent-forward" | "x11-forward", allowed: boolean): void {
    this.#granted[event] ||= allowed;
    const fields = allowed ? {} : { error: "the target does not allow it" };
    this.audit(event, undefined, fields, allowed).catch((error: unknown) =>
      this.logFault("a forwarding could not be audited", error),
    );
  }
  /** An event of this visit that belongs to no session. */
  audit(
    event: string,
    target: SshTarget | undefined,
    fields: Record<string, unknown>,
    success: boolean,
  ): Promise<void> {
    const { gate, person, remoteAddress } = this.#options;
    return gate.audit.append({
      event,
      user: person.name,
      success,
      remoteAddress,
      ...(target && { serverId: target.id }),
      fields,
    });
  }
  /** A session was asked for on what is no target of this person. */
  async auditUnresolved(failure: unknown): Promise<void> {
    const { address, connectionId } = this.#options;
    try {
      await this.audit(
        "session.rejected",
        undefined,
        {
          proto: "ssh",
          ...(address.kind === "account" && { login: address.login.slice(0, 256) }),
          server_hostname: address.kind === "account" ? address.targetName : address.name.slice(0, 256),
          server_addr: "unknown",
          connection_id: connectionId,
          reason: isGatehouseError(failure) ? failure.code : "internal",
          message: messageOf(failure),
          ...(isGatehouseError(failure) &&
            failure.details["rule"] !== undefined && { rule: failure.details["rule"] }),
        },
        false,
      );
    } catch (error) {
      this.logFault("session.rejected", error);
    }
  }
  logFault(message: string, error: unknown): void {
    const { gate, person, connectionId } = this.#options;
    gate.log.warn(message, { user: person.name, connection: connectionId, error: messageOf(error) });
  }
  disconnect(message: string): void {
    this.#options.connection.disconnect(message);
  }

  async #channel(opening: ChannelOpening): Promise<void> {
    switch (opening.type) {
      case "session": {
        // Accepted at once: what the client sends meanwhile is kept by the channel.
        const client = opening.accept();
        new SessionChannel({ visit: this, client, aim: await this.#aim(), gate: this.#options.gate }).serve();
        return;
      }
      case "direct-tcpip": {
        const aim = await this.#aim();
        if ("target" in aim) return this.#forwards.local(opening, aim.target);
        if (this.#options.address.kind === "account")
          return opening.refuse(openReason.prohibited, reasonFor(aim.failure));
        return this.#jump(opening);
      }
      case "direct-streamlocal@openssh.com":
        return opening.refuse(openReason.prohibited, "forwarding to sockets' paths is not supported");
      default:
        return opening.refuse(openReason.unknownType, "");
    }
  }

  /** A connection that addresses no target is there to be jumped through: the inner one names it. */
  #jump(opening: ChannelOpening): void {
    const { host, port } = decodeDirectTcpip(opening.payload);
    const hostName = host.toLowerCase();
    if (!isTargetName(hostName)) return opening.refuse(openReason.prohibited, "this is not a target's name");
    if (port !== jumpPort)
      return opening.refuse(
        openReason.prohibited,
        `Gatehouse knows each target's port: leave the port out, or connect as <login>+<target> to forward ports`,
      );
    this.#options.jump(opening, hostName);
  }

  /** Asked anew for each session: rights may have changed since the connection was made. */
  async #aim(): Promise<{ target: SshTarget } | { failure: unknown }> {
    const { gate, person, address, remoteAddress } = this.#options;
    const wanted =
      address.kind === "account"
        ? { login: address.login, targetName: address.targetName }
        : { login: undefined, targetName: address.name.toLowerCase() };
    if (!isTargetName(wanted.targetName)) return { failure: noTarget(wanted.targetName) };
    try {
      return { target: await gate.targets.resolve({ person, remoteAddress, ...wanted }) };
    } catch (failure) {
      if (address.kind === "bare" && isGatehouseError(failure, "not_found"))
        return { failure: noTarget(address.name) };
      return { failure };
    }
  }

  async #globalRequest(request: GlobalRequest): Promise<void> {
    const known = request.type === "tcpip-forward" || request.type === "cancel-tcpip-forward";
    const aim = known ? await this.#aim() : undefined;
    if (!aim || "failure" in aim) return request.reply(false);
    return request.type === "tcpip-forward"
      ? this.#forwards.listen(request, aim.target)
      : this.#forwards.cancel(request, aim.target);
  }

  #targetEvents(target: SshTarget): ConnectionEvents {
    return {
      channel: (opening) =>
        this.#guarded(this.#fromTarget(opening, target), () => opening.refuse(openReason.prohibited, "")),
      globalRequest: (request) => request.reply(false),
      closed: () => this.#forwards.targetLost(),
    };
  }
  async #fromTarget(opening: ChannelOpening, target: SshTarget): Promise<void> {
    switch (opening.type) {
      case "forwarded-tcpip":
        return this.#forwards.incoming(opening, target);
      case "auth-agent@openssh.com":
      case "x11": {
        const event = opening.type === "x11" ? "x11-forward" : "agent-forward";
        if (!this.#granted[event]) return opening.refuse(openReason.prohibited, "nobody asked for it");
        const near = await this.#options.connection.openChannel(opening.type, opening.payload);
        return splice(near, opening.accept(), undefined, () => undefined);
      }
      default:
        return opening.refuse(openReason.unknownType, "");
    }
  }

  /** Callbacks may not throw; what goes wrong in one channel stays there. */
  #guarded(work: Promise<void>, refuse: () => void): void {
    work.catch((error: unknown) => {
      this.logFault("a request of a client failed", error);
      refuse();
    });
  }
}

function noTarget(name: string): GatehouseError {
  return new GatehouseError({
    code: "not_found",
    op: "ssh.address",
    message: `${name === "" ? "no name" : JSON.stringify(name)} addresses no target`,
    hint: "Connect as <login>+<target>@gate, or with ssh -J gate <login>@<target>.",
  });
}
