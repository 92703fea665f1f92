import { hostname } from "node:os";
import type { Clock, Random } from "@gatehouse/kernel";
import type { Decision, Question } from "../../access/mod.ts";
import type { AuditLog } from "../../audit/mod.ts";
import type { Credentials, Keyring } from "../../credentials/mod.ts";
import type { Targets, UserKey, UserKeys, Users } from "../../directory/mod.ts";
import type { CertificateHolders, Identity, Person } from "../../identity/mod.ts";
import type { Sessions } from "../../sessions/mod.ts";
import type { TargetAdministration } from "../door.ts";
import type { SshConfig } from "./config.ts";
import { offerDemo, withdrawDemo } from "./demo/mod.ts";
import { type GateLog, createGate, personCertificate, proveCredential, scanHostKeys } from "./gate/mod.ts";
import {
  type PrivateKey,
  fingerprint,
  generateKey,
  keySigner,
  parsePrivateKey,
  parsePublicKey,
  parsePublicKeyLine,
  publicKeyLine,
  writePrivateKey,
} from "./keys/mod.ts";
import { sshTargets } from "./targets/administration.ts";
import { sshPeople } from "./targets/people.ts";
import { sshTargetsOf } from "./targets/resolve.ts";

export type SshService = {
  listen(): Promise<{ host: string; port: number }>;
  /** No new connections; resolves when all are closed. */
  stop(): Promise<void>;
  readonly administration: TargetAdministration;
  /** Public halves of the authorities, one `authorized_keys` line each. */
  readonly authorities: { sshHost(): Promise<string>; sshUser(): Promise<string> };
  /** Of the first host key, as `ssh` shows it. */
  readonly hostKeyFingerprint: string;
  /** Signs a certificate for a person's own key, as an `authorized_keys` line. */
  certifyPerson(wanted: {
    blob: Uint8Array;
    person: Pick<Person, "id" | "name">;
    serial: string;
    expiresAtMs: number;
    remoteAddress: string;
  }): string;
  /** Takes one line of `authorized_keys` apart. Throws `invalid`. */
  parsePublicKey(line: string): Pick<UserKey, "type" | "blob" | "fingerprint" | "comment">;
  /** Offers the demo target when asked for; otherwise takes away what an earlier start offered. */
  demo(wanted: { owner: string; keys: readonly string[] } | undefined): Promise<Demo | undefined>;
};
export type Demo = { target: string; keys: readonly string[]; stop(): Promise<void> };

/** SSH with its keys, its targets and its gate; not listening yet. */
export async function openSsh(options: {
  config: SshConfig;
  execLimitBytes: number;
  keyring: Pick<Keyring, "protocolKey" | "givenKey">;
  directory: { targets: Targets; users: Pick<Users, "byName">; userKeys: Pick<UserKeys, "add" | "ofUser"> };
  credentials: Pick<Credentials, "withSecret">;
  identity: Pick<Identity, "personByKey" | "personById" | "keyUsed">;
  holders: Pick<CertificateHolders, "bySerial" | "used">;
  sessions: Sessions;
  audit: Pick<AuditLog, "append">;
  decide(question: Question): Decision;
  clock: Clock;
  random: Random;
  log: GateLog;
}): Promise<SshService> {
  const { config, keyring, clock, random } = options;
  const made = async (name: string) =>
    parsePrivateKey(
      (
        await keyring.protocolKey(name, () => writePrivateKey(generateKey("ed25519", name), { random }))
      ).text(),
    );
  const hostKeys: PrivateKey[] = [];
  for (const name of config.host_keys) hostKeys.push(parsePrivateKey((await keyring.givenKey(name)).text()));
  if (hostKeys.length === 0) hostKeys.push(await made("ssh_host_ed25519_key"));
  const hostCa = await made("ssh_host_ca");
  const userCa = await made("ssh_user_ca");
  // Not the one that targets trust: there, a person's name could be the name of an account.
  const personCa = await made("ssh_person_ca");

  const gate = createGate({
    listen: config.listen,
    hostKeys: hostKeys.map(keySigner),
    hostNames: hostNamesOf(config),
    hostCa: keySigner(hostCa),
    userCa: keySigner(userCa),
    people: sshPeople({
      identity: options.identity,
      holders: options.holders,
      authority: personCa.public.blob,
      decide: options.decide,
      nowMs: () => clock.nowMs(),
    }),
    targets: sshTargetsOf({
      targets: options.directory.targets,
      identity: options.identity,
      credentials: options.credentials,
      decide: options.decide,
      env: config.allowed_env,
      execLimitBytes: options.execLimitBytes,
    }),
    sessions: options.sessions,
    audit: options.audit,
    limits: {
      connectionsMax: config.max_connections,
      unauthenticatedMax: config.max_unauthenticated,
      authTimeoutMs: config.handshake.timeout.ms,
      authFailuresMax: config.handshake.attempts,
      keepaliveIntervalMs: config.keepalive.interval.ms,
      keepaliveCountMax: config.keepalive.tries,
    },
    clock,
    random,
    log: options.log,
  });
  return {
    listen: () => gate.listen(),
    stop: () => gate.stop(),
    administration: sshTargets({
      random,
      scan: async (host, port) => (await scanHostKeys({ host, port, clock })).map((key) => key.blob),
      prove: (target, { id, name, remoteAddress }) =>
        proveCredential({
          target,
          by: { person: { id, name }, remoteAddress },
          userCa: keySigner(userCa),
          audit: options.audit,
          clock,
          random,
        }),
    }),
    authorities: {
      sshHost: () => Promise.resolve(publicKeyLine(hostCa.public.blob, "gatehouse host authority")),
      sshUser: () => Promise.resolve(publicKeyLine(userCa.public.blob, "gatehouse user authority")),
    },
    hostKeyFingerprint: hostKeys[0] ? fingerprint(hostKeys[0].public.blob) : "",
    certifyPerson({ blob, person, serial, expiresAtMs, remoteAddress }) {
      const certificate = personCertificate({
        ca: keySigner(personCa),
        key: parsePublicKey(blob),
        person,
        serial: BigInt(serial),
        expiresAtMs,
        sourceAddress: config.certificates.bind_address ? remoteAddress : undefined,
        clock,
        random,
      });
      return publicKeyLine(certificate.blob, `gatehouse:${person.name}`);
    },
    parsePublicKey(line) {
      const { type, blob, comment } = parsePublicKeyLine(line);
      return { type, blob, comment, fingerprint: fingerprint(blob) };
    },
    async demo(wanted) {
      const rooms = { ...options.directory, audit: options.audit };
      if (wanted) return offerDemo({ ...rooms, ...wanted, userCa: userCa.public.blob, clock });
      await withdrawDemo(rooms);
      return undefined;
    },
  };
}

/** What people may have written to reach this gate; `ssh` compares it with the certificate, without the port. */
function hostNamesOf(config: SshConfig): string[] {
  const everyAddress = ["0.0.0.0", "::"].includes(config.listen.host);
  const names = [
    config.public_address?.host,
    everyAddress ? undefined : config.listen.host,
    hostname().toLowerCase(),
    "localhost",
    "127.0.0.1",
    "::1",
  ];
  return [...new Set(names.filter((name) => name !== undefined))];
}
