import { type Clock, GatehouseError, type Random } from "@gatehouse/kernel";
import type { AuditLog } from "../audit/mod.ts";
import type { SshCertificate, SshCertificates, WebSessions } from "../directory/mod.ts";
import { type Identity, type Person, hashOf, seenEveryMs } from "./identity.ts";

/** Who holds the SSH certificates that the gate signs for people. Whoever signs keeps the key; who may hold one is asked here. */
export type CertificateHolders = {
  /**
   * Writes down, and audits, that the person of this session gets a certificate for a key; it ends with the session, if not
   * before. `denied` for what is no session: a program's token must not make what lives without it.
   */
  admit(
    sessionToken: string,
    key: { fingerprint: string; remoteAddress: string },
  ): Promise<{ person: Person; kept: SshCertificate }>;
  /** Whose certificate this is, while it and its session are good and the person is active. */
  bySerial(serial: string): Promise<{ person: Person; fingerprint: string } | undefined>;
  /** Notes its use, once a signature by its key was verified. */
  used(serial: string): Promise<void>;
};

export function createCertificateHolders(options: {
  sshCertificates: Pick<SshCertificates, "create" | "bySerial" | "used">;
  webSessions: Pick<WebSessions, "byHash" | "seen">;
  identity: Pick<Identity, "personById">;
  audit: Pick<AuditLog, "append">;
  clock: Pick<Clock, "nowMs">;
  random: Random;
  lifetimeMs: number;
}): CertificateHolders {
  const { sshCertificates, webSessions, identity, audit, clock, random } = options;
  return {
    async admit(sessionToken, { fingerprint, remoteAddress }) {
      const sessionHash = hashOf(sessionToken);
      const session = await webSessions.byHash(sessionHash);
      const person = session && (await identity.personById(session.userId));
      if (!person)
        throw new GatehouseError({
          code: "denied",
          op: "identity.certificate",
          message: "an SSH certificate is given to somebody who signed in, not to a token",
          hint: "Sign in yourself: gatehouse login.",
        });
      const serial = newSerial(random);
      const expiresAtMs = Math.min(clock.nowMs() + options.lifetimeMs, session.expiresAtMs);
      await audit.append({
        event: "cert.create",
        user: person.name,
        success: true,
        ...(remoteAddress !== "" && { remoteAddress }),
        fields: {
          cert_type: "user",
          owner: person.name,
          serial,
          key_fingerprint: fingerprint,
          expires: new Date(expiresAtMs).toISOString(),
        },
      });
      const kept = await sshCertificates.create({
        serial,
        userId: person.id,
        fingerprint,
        expiresAtMs,
        sessionHash,
      });
      return { person, kept };
    },
    async bySerial(serial) {
      const kept = await sshCertificates.bySerial(serial);
      const person = kept && (await identity.personById(kept.userId));
      if (!person) return undefined;
      const { fingerprint, mfaAtMs } = kept;
      return { person: { ...person, proof: { mfaAtMs } }, fingerprint };
    },
    async used(serial) {
      const kept = await sshCertificates.bySerial(serial);
      // Whoever comes with it is there: the sign-in that it hangs on is not idle.
      if (kept && clock.nowMs() - kept.seenAtMs >= seenEveryMs) await webSessions.seen(kept.sessionHash);
      await sshCertificates.used(serial);
    },
  };
}

/** Random, so that nobody counts what the gate signs; never 0, which means that a certificate has none. */
function newSerial(random: Random): string {
  const bytes = random.bytes(8);
  const serial = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  return String(serial === 0n ? 1n : serial);
}
