import type { Clock, Random } from "@gatehouse/kernel";
import type { AuditLog } from "../../../audit/door.ts";
import type { SessionAccess } from "../../../directory/mod.ts";
import type { Sessions } from "../../../sessions/session.ts";
import type { Certificate, HostTrust, PublicKey, SignatureFlags, Signer } from "../keys/door.ts";

/**
 * What the gate needs of the rest of the gateway, each as narrow as its use. `createGate` takes them; nothing here is
 * implemented in this room.
 */

/** Somebody the gateway knows. */
export type Person = {
  readonly id: string;
  readonly name: string;
  /** When the sign-in that their certificate hangs on last gave a second factor. A key alone gives none. */
  readonly mfaAtMs?: number;
};

export type PersonAttempt = {
  /** What the client wrote before the @. The key alone decides who somebody is. */
  readonly userName: string;
  readonly key: PublicKey;
  /** Its own signature is verified; whether its CA, principals and dates are good is asked here. */
  readonly certificate: Certificate | undefined;
  /** What a security key attested. */
  readonly flags: SignatureFlags | undefined;
  /** False: the client only asks whether this key is worth signing with. */
  readonly signed: boolean;
  readonly remoteAddress: string;
};

export type People = {
  /**
   * Who this is, or undefined. Rejects with `denied`, and says why, for a certificate that is not good: the client may try
   * another key. Rejects otherwise when it cannot be known now, and then nobody gets in. Success and failure are audited by
   * the gate.
   */
  authenticate(attempt: PersonAttempt): Promise<Person | undefined>;
  /** Why somebody who proved who they are is let in nowhere for now, in words for them; undefined where nothing stands against it. */
  shutOut(person: Person, remoteAddress: string): Promise<string | undefined>;
};

/** How the gate proves itself to a target. Secrets are opened only when a connection is made. */
export type TargetCredential =
  | { readonly type: "key"; open(): Promise<Signer> }
  | { readonly type: "password"; open(): Promise<string> }
  /** A certificate of the gate's own user CA, made for this connection and good for minutes. */
  | { readonly type: "userCa" };

export type SshTarget = {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The account on the target: what the person asked for, or the target's own. */
  readonly login: string;
  readonly hostTrust: HostTrust;
  readonly credential: TargetCredential;
  readonly policy: TargetPolicy;
  /** Why this person may open it. */
  readonly access: SessionAccess;
};

export type TargetPolicy = {
  readonly agentForward: boolean;
  readonly x11Forward: boolean;
  /** -L and -D. */
  readonly localForward: boolean;
  /** -R. */
  readonly remoteForward: boolean;
  /** Variables that a client may set; a name may end in `*`. */
  readonly env: readonly string[];
  /** Of each stream of a command without a terminal, recorded byte by byte; beyond it its digest is. */
  readonly execLimitBytes: number;
};

export type Targets = {
  /**
   * The target as this person may use it. Rejects with `not_found` and one message, whether there is no such target, no such
   * account, or no right to either: whoever may not use a target does not learn that it exists. Rejects with `denied`, and
   * says why, when they may use it, but not now.
   */
  resolve(wanted: {
    person: Person;
    /** Absent: the target's own login, if it has a single one. */
    login: string | undefined;
    targetName: string;
    remoteAddress: string;
  }): Promise<SshTarget>;
};

export type GateLimits = {
  /** Connections at one time, and of these the ones whose person is not known yet: all together and from one address. */
  connectionsMax: number;
  unauthenticatedMax: number;
  unauthenticatedPerAddressMax: number;
  /** Identification, key exchange and authentication, each. */
  handshakeTimeoutMs: number;
  authTimeoutMs: number;
  authFailuresMax: number;
  /** To the target: TCP, and then the handshake and authentication, each. */
  dialTimeoutMs: number;
  keepaliveIntervalMs: number;
  keepaliveCountMax: number;
  /** Sessions and forwards at one time on one connection. */
  channelsMax: number;
  /** How often a stream that is only digested says where it stands. */
  digestIntervalMs: number;
  digestIntervalBytes: number;
};

export const gateLimits: GateLimits = {
  connectionsMax: 4096,
  unauthenticatedMax: 256,
  unauthenticatedPerAddressMax: 128,
  handshakeTimeoutMs: 20_000,
  authTimeoutMs: 60_000,
  authFailuresMax: 6,
  dialTimeoutMs: 10_000,
  keepaliveIntervalMs: 30_000,
  keepaliveCountMax: 3,
  channelsMax: 256,
  digestIntervalMs: 5_000,
  digestIntervalBytes: 64 * 1024 * 1024,
};

export type GateOptions = {
  listen: { host: string; port: number };
  /** Shown to clients that connect to the gate itself. */
  hostKeys: readonly Signer[];
  /** What people call the gate itself: its host keys are certified for these. Empty: they are shown plain. */
  hostNames: readonly string[];
  /** Signs the host certificates of the gate's own names, and those that `ssh -J` sees for inner names. */
  hostCa: Signer;
  /** Signs the certificates that targets see. */
  userCa: Signer;
  people: People;
  targets: Targets;
  sessions: Sessions;
  audit: Pick<AuditLog, "append">;
  limits?: Partial<GateLimits>;
  clock: Clock;
  random: Random;
  /** Operational log. What is told there is no secret and no substitute for the audit log. */
  log: GateLog;
};

export type GateLog = {
  info(message: string, fields: Record<string, string | number>): void;
  warn(message: string, fields: Record<string, string | number>): void;
};

export type Gate = {
  /** Resolves when clients can connect; with the port, for a configuration that says 0. */
  listen(): Promise<{ host: string; port: number }>;
  /** No new connections from now on; resolves when all are closed. Sessions are ended by their own room before. */
  stop(): Promise<void>;
  readonly connectionCount: number;
};
