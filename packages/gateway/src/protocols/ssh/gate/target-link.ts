import { connect } from "node:net";
import { type Clock, GatehouseError, type Random, isGatehouseError, messageOf } from "@gatehouse/kernel";
import type { AuditLog } from "../../../audit/door.ts";
import {
  type ClientCredential,
  type ConnectionEvents,
  type SshConnection,
  dialConnection,
} from "../connection/mod.ts";
import { type Signer, blobType, checkHostKey, hostKeyAlgorithmsFor } from "../keys/mod.ts";
import { userCertificate } from "./certificates.ts";
import type { GateLimits, Person, SshTarget } from "./door.ts";

/** A target may say much before anybody is known; this is a screen of it. */
const bannerCharsMax = 8 * 1024;

export type TargetLinkOptions = {
  target: Omit<SshTarget, "policy" | "access">;
  person: Person;
  remoteAddress: string;
  userCa: Signer;
  audit: Pick<AuditLog, "append">;
  limits: GateLimits;
  clock: Clock;
  random: Random;
  events: ConnectionEvents;
};

/**
 * The one connection to the target that all sessions of a client's connection share. It is made when the first
 * session was admitted, never before.
 */
export class TargetLink {
  readonly #options: TargetLinkOptions;
  #connection: Promise<SshConnection> | undefined;
  #ended = false;
  /** Of the host key that was offered last. */
  #hostKeyType = "";
  #banner = "";

  constructor(options: TargetLinkOptions) {
    this.#options = options;
  }
  /**
   * Rejects with `unavailable` or `timeout` (not reached), `denied` (host key not trusted, credential refused) or
   * `protocol`, each with a message for the person. The next session tries again.
   */
  connection(): Promise<SshConnection> {
    this.#connection ??= this.#open();
    return this.#connection;
  }
  /** What the target said before it let us in, for the person's screen; once. */
  takeBanner(): string {
    const banner = this.#banner;
    this.#banner = "";
    return banner;
  }
  /** The client's connection ended. */
  close(): void {
    this.#ended = true;
    this.#connection?.then(
      (connection) => connection.disconnect("the client left"),
      () => undefined,
    );
  }

  async #open(): Promise<SshConnection> {
    try {
      const connection = await this.#dial();
      if (this.#ended) {
        connection.disconnect("the client left");
        throw new GatehouseError({ code: "cancelled", op: "ssh.dial", message: "the client left" });
      }
      const { events } = this.#options;
      connection.attach({
        ...events,
        closed: (error) => {
          this.#connection = undefined;
          events.closed(error);
        },
      });
      return connection;
    } catch (error) {
      this.#connection = undefined;
      throw this.#told(error);
    }
  }

  async #dial(): Promise<SshConnection> {
    const { target, limits, clock } = this.#options;
    const credentials = await this.#credentials();
    const socket = connect({ host: target.host, port: target.port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      const timer = clock.after(limits.dialTimeoutMs, () =>
        socket.destroy(
          new GatehouseError({
            code: "timeout",
            op: "ssh.dial",
            message: `no answer within ${limits.dialTimeoutMs / 1000} s`,
          }),
        ),
      );
      socket.once("connect", () => (timer.cancel(), resolve()));
      socket.once("error", (error) => (timer.cancel(), reject(error)));
    });
    // From here on the transport hears of errors; this keeps one that comes before it listens from ending the process.
    socket.on("error", () => undefined);
    return dialConnection({
      socket,
      user: target.login,
      credentials,
      verifyHostKey: (blob) => {
        this.#hostKeyType = blobType(blob);
        checkHostKey(target.hostTrust, blob, target.host, clock.nowMs());
      },
      hostKeyAlgorithms: hostKeyAlgorithmsFor(target.hostTrust),
      handshakeTimeoutMs: limits.dialTimeoutMs,
      authTimeoutMs: limits.dialTimeoutMs,
      limits: {
        channelsMax: limits.channelsMax,
        keepaliveIntervalMs: limits.keepaliveIntervalMs,
        keepaliveCountMax: limits.keepaliveCountMax,
      },
      clock,
      banner: (text) => {
        this.#banner = (this.#banner + text).slice(0, bannerCharsMax);
      },
    });
  }

  async #credentials(): Promise<ClientCredential[]> {
    const { target, person, userCa, clock, random } = this.#options;
    switch (target.credential.type) {
      case "key":
        return [{ method: "publickey", signer: await target.credential.open() }];
      case "password":
        return [{ method: "password", password: await target.credential.open() }];
      case "userCa":
        return [
          {
            method: "publickey",
            signer: userCertificate({ ca: userCa, login: target.login, person, clock, random }),
          },
        ];
    }
  }

  /** In a person's words, with the host-key refusal told to the audit log. */
  #told(error: unknown): GatehouseError {
    const { target } = this.#options;
    if (!isGatehouseError(error))
      return new GatehouseError({
        code: "unavailable",
        op: "ssh.dial",
        message: `${target.name} cannot be reached (${networkWords(error)})`,
        cause: error,
      });
    if (error.op === "ssh.host_key") {
      this.#hostKeyRejected(error);
      return error;
    }
    if (error.op === "ssh.dial.auth")
      return new GatehouseError({
        code: "denied",
        op: "ssh.dial",
        message: `${target.name} refused the gate's credential for ${target.login}`,
        hint: "An administrator must check the target's stored credential.",
        cause: error,
      });
    if (error.code === "cancelled") return error;
    return new GatehouseError({
      code: error.code,
      op: "ssh.dial",
      message: `${target.name} cannot be reached (${error.message})`,
      cause: error,
    });
  }

  #hostKeyRejected(rejection: GatehouseError): void {
    const { target, person, remoteAddress, audit } = this.#options;
    const { offered, expected } = rejection.details;
    // The session that was to use this connection fails with the same reason, so a log that does not take this
    // event loses no refusal.
    audit
      .append({
        event: "target.host_key.rejected",
        user: person.name,
        success: false,
        remoteAddress,
        serverId: target.id,
        fields: {
          name: target.name,
          addr: `${target.host}:${target.port}`,
          key_type: this.#hostKeyType,
          key_fingerprint: String(offered),
          reason: expected === "" ? "unknown" : "changed",
        },
      })
      .catch(() => undefined);
  }
}

function networkWords(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  switch (code) {
    case "ECONNREFUSED":
      return "connection refused";
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return "no route to it";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "its name is not known";
    case "ETIMEDOUT":
      return "no answer";
    case "ECONNRESET":
    case "EPIPE":
      return "it broke the connection";
    default:
      return messageOf(error);
  }
}
