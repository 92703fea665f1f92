/**
 * The SSH gate with in-memory parts around it: people, targets and sessions are a few lines each, the clients and the
 * servers are real OpenSSH. What was recorded is kept, to compare with what both sides saw.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GatehouseError, concatBytes, newId, systemClock, systemRandom } from "@gatehouse/kernel";
import {
  type FileOperation,
  type FrameKind,
  type SessionFacts,
  decodeFileOperation,
} from "@gatehouse/recording";
import type { AuditRecord } from "../../packages/gateway/src/audit/door.ts";
import {
  type GateLimits,
  type SshTarget,
  type TargetPolicy,
  createGate,
} from "../../packages/gateway/src/protocols/ssh/gate/mod.ts";
import {
  type PrivateKey,
  generateKey,
  keySigner,
  publicKeyLine,
  writePrivateKey,
} from "../../packages/gateway/src/protocols/ssh/keys/mod.ts";
import { InputGate } from "../../packages/gateway/src/sessions/input-gate.ts";
import type {
  InputState,
  ReviewOutcome,
  Session,
  SessionEnding,
  SessionNotice,
  SessionRequest,
} from "../../packages/gateway/src/sessions/session.ts";
import { type Sshd, type SshdOptions, startSshd } from "./openssh.ts";

export type KeptFrame = { kind: FrameKind; stream: number; data: Uint8Array };

/** A session that keeps its frames, and can be made to end or to fail. */
export class KeptSession implements Session {
  readonly id: string;
  readonly facts: SessionFacts;
  readonly frames: KeptFrame[] = [];
  readonly events: { event: string; fields: Record<string, unknown>; success: boolean }[] = [];
  readonly ended: Promise<Parameters<Session["end"]>[0]>;
  readonly #end: (outcome: Parameters<Session["end"]>[0]) => void;
  congested = false;
  /** Milliseconds until a frame is durable. */
  commitMs = 0;
  /** From now on nothing can be recorded. */
  broken = false;
  readonly input = new InputGate(systemClock);
  /** Bytes that the engine dropped while input was paused. */
  discardedBytes = 0;
  #listener: ((ending: SessionEnding) => void) | undefined;
  #notice: ((notice: SessionNotice) => void) | undefined;

  constructor(request: SessionRequest) {
    this.id = newId(Date.now(), systemRandom);
    this.facts = {
      ...request,
      sessionId: this.id,
      startedAt: new Date().toISOString(),
      gatewayId: "test",
    };
    const { promise, resolve } = Promise.withResolvers<Parameters<Session["end"]>[0]>();
    this.ended = promise;
    this.#end = resolve;
  }
  async record(kind: FrameKind, stream: number, data: Uint8Array): Promise<void> {
    if (this.broken) {
      const message = "recording cannot be guaranteed any longer (the disk is gone)";
      queueMicrotask(() => this.stop("recording_unavailable", message));
      throw new GatehouseError({ code: "recording_unavailable", op: "test", message });
    }
    // The bytes are the engine's until they are kept, so they are compared as they are now.
    const kept = Uint8Array.from(data);
    await new Promise((resolve) =>
      this.commitMs > 0 ? setTimeout(resolve, this.commitMs) : setImmediate(resolve),
    );
    this.frames.push({ kind, stream, data: kept });
  }
  ready(): Promise<void> {
    return Promise.resolve();
  }
  active(): void {}
  inputAllowed(): boolean {
    return this.input.state === "allowed";
  }
  whenInputAllowed(limitMs = 60_000): Promise<InputState> {
    return this.input.when(limitMs);
  }
  inputDiscarded(bytes: number): void {
    this.discardedBytes += bytes;
  }
  review(): Promise<ReviewOutcome> {
    return Promise.resolve({ outcome: "late" });
  }
  audit(event: string, fields: Record<string, unknown>, success = true): Promise<void> {
    this.events.push({ event, fields, success });
    return Promise.resolve();
  }
  onEnding(listener: (ending: SessionEnding) => void): void {
    this.#listener = listener;
  }
  onNotice(listener: (notice: SessionNotice) => void): void {
    this.#notice = listener;
  }
  tell(notice: SessionNotice): void {
    this.#notice?.(notice);
  }
  stop(reason: SessionEnding["reason"], message: string, graceMs = 2_000): void {
    if (this.input.state === "ending") return;
    this.input.shut();
    this.#listener?.({ reason, message, graceMs });
  }
  end(outcome: Parameters<Session["end"]>[0]): Promise<void> {
    this.#end(outcome);
    return Promise.resolve();
  }

  /** All bytes of these kinds, in order. */
  bytes(...kinds: FrameKind[]): Buffer {
    return Buffer.from(
      concatBytes(this.frames.filter(({ kind }) => kinds.includes(kind)).map(({ data }) => data)),
    );
  }
  json(kind: FrameKind): unknown[] {
    return this.frames
      .filter((frame) => frame.kind === kind)
      .map(({ data }) => JSON.parse(Buffer.from(data).toString("utf8")) as unknown);
  }
  files(): FileOperation[] {
    return this.frames.filter(({ kind }) => kind === "file").map(({ data }) => decodeFileOperation(data));
  }
}

export type TestGate = {
  readonly port: number;
  readonly sshd: Sshd;
  readonly directory: string;
  readonly sessions: KeptSession[];
  readonly audited: AuditRecord[];
  /** Alice's private key file; Mallory's is nobody's. */
  readonly keyFile: string;
  readonly strangerFile: string;
  readonly hostCaLine: string;
  /** Changes the next resolutions of `web-01`. */
  target: SshTarget;
  /** Other targets, with a login of their own. */
  readonly others: SshTarget[];
  readonly userCaBlob: Uint8Array;
  /** Thrown by the next admissions. */
  refuse: Error | undefined;
  /** Set on sessions as they are admitted. */
  prepare: (session: KeptSession) => void;
  readonly logged: string[];
  close(): Promise<void>;
};

export const openPolicy: TargetPolicy = {
  agentForward: false,
  x11Forward: false,
  localForward: true,
  remoteForward: true,
  env: ["LANG", "LC_*", "GATEHOUSE_*"],
  execLimitBytes: 16 * 1024 * 1024,
};

/** A gate before a real sshd, which trusts the gate's user CA and nobody else. */
export async function startGate(
  options: { sshd?: SshdOptions; limits?: Partial<GateLimits>; policy?: Partial<TargetPolicy> } = {},
): Promise<TestGate> {
  const directory = mkdtempSync(join(tmpdir(), "gatehouse-gate-"));
  const keep = (name: string, key: PrivateKey) => {
    const path = join(directory, name);
    writeFileSync(path, writePrivateKey(key, { random: systemRandom }), { mode: 0o600 });
    return path;
  };
  const alice = generateKey("ed25519");
  const hostCa = generateKey("ed25519");
  const userCa = generateKey("ed25519");
  const sshd = await startSshd({ trustedUserCa: publicKeyLine(userCa.public.blob), ...options.sshd });
  const sessions: KeptSession[] = [];
  const audited: AuditRecord[] = [];
  const logged: string[] = [];
  const gate = createGate({
    listen: { host: "127.0.0.1", port: 0 },
    hostKeys: [keySigner(generateKey("ed25519"))],
    hostNames: [],
    hostCa: keySigner(hostCa),
    userCa: keySigner(userCa),
    people: {
      shutOut: async () => undefined,
      authenticate: ({ key }) =>
        Promise.resolve(
          Buffer.from(key.blob).equals(alice.public.blob) ? { id: "u1", name: "alice" } : undefined,
        ),
    },
    targets: {
      resolve: ({ login, targetName }) => {
        const target = [part.target, ...part.others].find(({ name }) => name === targetName);
        return target && (login === undefined || login === target.login)
          ? Promise.resolve(target)
          : Promise.reject(
              new GatehouseError({
                code: "not_found",
                op: "test",
                message: `there is no target ${targetName} that you may open as ${login}`,
              }),
            );
      },
    },
    sessions: {
      admit: (request) => {
        if (part.refuse) return Promise.reject(part.refuse);
        const session = new KeptSession(request);
        part.prepare(session);
        sessions.push(session);
        return Promise.resolve(session);
      },
    },
    audit: {
      append: (record) => {
        audited.push(record);
        return Promise.resolve();
      },
    },
    ...(options.limits && { limits: options.limits }),
    clock: systemClock,
    random: systemRandom,
    log: {
      info: (message, fields) => void logged.push(`${message} ${JSON.stringify(fields)}`),
      warn: (message, fields) => void logged.push(`${message} ${JSON.stringify(fields)}`),
    },
  });
  const { port } = await gate.listen();
  const part: TestGate = {
    port,
    sshd,
    directory,
    sessions,
    audited,
    logged,
    keyFile: keep("alice", alice),
    strangerFile: keep("mallory", generateKey("ed25519")),
    hostCaLine: publicKeyLine(hostCa.public.blob),
    target: {
      id: "t1",
      name: "web-01",
      host: sshd.host,
      port: sshd.port,
      login: sshd.user,
      hostTrust: { pinned: sshd.hostKeyBlobs, authorities: [] },
      credential: { type: "userCa" },
      policy: { ...openPolicy, ...options.policy },
      access: { rule: "target-allows-person" },
    },
    others: [],
    userCaBlob: userCa.public.blob,
    refuse: undefined,
    prepare: () => undefined,
    async close() {
      await gate.stop();
      await sshd.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return part;
}

/** Options of `ssh` and its family for this gate as Alice; `-p` and `-P` differ, so the port is an option too. */
export function clientOptions(gate: TestGate, keyFile = gate.keyFile): string[] {
  return [
    "-F",
    "none",
    ...[
      "BatchMode=yes",
      "IdentitiesOnly=yes",
      "GlobalKnownHostsFile=/dev/null",
      "UserKnownHostsFile=/dev/null",
      "StrictHostKeyChecking=no",
      "LogLevel=ERROR",
      `IdentityFile=${keyFile}`,
      `Port=${gate.port}`,
    ].flatMap((option) => ["-o", option]),
  ];
}
/** The user and host that reach the sshd through the gate. */
export function address(gate: TestGate): string {
  return `${gate.sshd.user}+web-01@127.0.0.1`;
}
