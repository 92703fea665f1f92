import { type Clock, GatehouseError, type Random } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { Certificate, CertificateScope, Certificates, WebSessions } from "../directory/mod.ts";
import { type Identity, type Person, hashOf, seenEveryMs } from "./identity.ts";

/** Who holds the certificates that the gate signs for people. Whoever signs keeps the key; who may hold one is asked here. */
export type CertificateHolders = {
  /**
   * Writes down, and audits, that the person of this session gets a certificate for a key; it ends with the session, if not
   * before. `denied` for what is no session: a program's token must not make what lives without it.
   */
  admit(
    sessionToken: string,
    asked: {
      fingerprint: string;
      remoteAddress: string;
      scope: CertificateScope;
      /** Of the scope's target, for the audit log. */
      targetName?: string;
    },
  ): Promise<{ person: Person; kept: Certificate }>;
  /** Whose certificate of that kind this is, while it and its session are good and the person is active. */
  bySerial(
    kind: Certificate["kind"],
    serial: string,
  ): Promise<{ person: Person; fingerprint: string; scope: CertificateScope } | undefined>;
  /** Notes its use, once a signature by its key was verified. */
  used(serial: string): Promise<void>;
};

export function createCertificateHolders(options: {
  certificates: Pick<Certificates, "create" | "bySerial" | "used">;
  webSessions: Pick<WebSessions, "byHash" | "seen">;
  identity: Pick<Identity, "personById">;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  random: Random;
  lifetimesMs: Readonly<Record<Certificate["kind"], number>>;
}): CertificateHolders {
  const { certificates, webSessions, identity, audit, clock, random } = options;
  return {
    async admit(sessionToken, { fingerprint, remoteAddress, scope, targetName }) {
      const sessionHash = hashOf(sessionToken);
      const session = await webSessions.byHash(sessionHash);
      const person = session && (await identity.personById(session.userId));
      if (!person)
        throw new GatehouseError({
          code: "denied",
          op: "identity.certificate",
          message: "a certificate is given to somebody who signed in, not to a token",
          hint: "Sign in yourself: gatehouse login.",
        });
      const serial = newSerial(random);
      const { kind, targetId, login } = scope;
      const expiresAtMs = Math.min(clock.nowMs() + options.lifetimesMs[kind], session.expiresAtMs);
      await audit.append({
        event: "cert.create",
        user: person.name,
        success: true,
        ...(remoteAddress !== "" && { remoteAddress }),
        ...(targetId !== undefined && { serverId: targetId }),
        fields: {
          cert_type: "user",
          usage: kind,
          owner: person.name,
          serial,
          key_fingerprint: fingerprint,
          expires: new Date(expiresAtMs).toISOString(),
          ...(targetName !== undefined && { server_hostname: targetName }),
          ...(login !== undefined && { login }),
        },
      });
      const kept = await certificates.create({
        ...scope,
        serial,
        userId: person.id,
        fingerprint,
        expiresAtMs,
        sessionHash,
      });
      return { person, kept };
    },
    async bySerial(kind, serial) {
      const kept = await certificates.bySerial(serial);
      // Each kind has an authority of its own; one must not vouch for what another signed.
      const person = kept?.kind === kind ? await identity.personById(kept.userId) : undefined;
      if (!kept || !person) return undefined;
      const { fingerprint, mfaAtMs, targetId, login, sourceAddress } = kept;
      return {
        person: { ...person, proof: { mfaAtMs } },
        fingerprint,
        scope: {
          kind,
          ...(targetId !== undefined && { targetId }),
          ...(login !== undefined && { login }),
          ...(sourceAddress !== undefined && { sourceAddress }),
        },
      };
    },
    async used(serial) {
      const kept = await certificates.bySerial(serial);
      // Whoever comes with it is there: the sign-in that it hangs on is not idle.
      if (kept && clock.nowMs() - kept.seenAtMs >= seenEveryMs) await webSessions.seen(kept.sessionHash);
      await certificates.used(serial);
    },
  };
}

/** Random, so that nobody counts what the gate signs; never 0, which means that a certificate has none. */
function newSerial(random: Random): string {
  const bytes = random.bytes(8);
  const serial = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  return String(serial === 0n ? 1n : serial);
}
