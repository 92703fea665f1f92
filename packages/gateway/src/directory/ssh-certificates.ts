import type { Clock } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { Tables } from "./schema.ts";
import { goodSession } from "./sign-ins.ts";

/** A certificate that the gate signed for a person's own SSH key. */
export type SshCertificate = {
  /** 64 bits, decimal: `ssh-keygen -L` prints it so. */
  serial: string;
  userId: string;
  /** Of the certified key, as `ssh-keygen -l` prints it. */
  fingerprint: string;
  issuedAtMs: number;
  expiresAtMs: number;
  lastUsedAtMs?: number;
};

export type SshCertificates = {
  /** `sessionHash`: the session that asked; the certificate ends with it. */
  create(
    certificate: Pick<SshCertificate, "serial" | "userId" | "fingerprint" | "expiresAtMs"> & {
      sessionHash: string;
    },
  ): Promise<SshCertificate>;
  /**
   * Only one that has not expired, and whose session has not ended; with when that session last gave a second factor, and
   * the session, to note that it is used.
   */
  bySerial(
    serial: string,
  ): Promise<(SshCertificate & { mfaAtMs?: number; sessionHash: string; seenAtMs: number }) | undefined>;
  /** Those that are good now, newest first. */
  ofUser(userId: string): Promise<readonly SshCertificate[]>;
  used(serial: string): Promise<void>;
  /** False when there was none. */
  remove(userId: string, serial: string): Promise<boolean>;
};

export function sshCertificatesIn({
  database,
  clock,
  sessionIdleMs,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
  sessionIdleMs: number | undefined;
}): SshCertificates {
  const good = () => {
    const nowMs = clock.nowMs();
    return database
      .selectFrom("ssh_certificates")
      .innerJoin("web_sessions", "web_sessions.hash", "ssh_certificates.session_hash")
      .selectAll("ssh_certificates")
      .where("ssh_certificates.expires_at", ">", nowMs)
      .where((builder) => goodSession(builder, nowMs, sessionIdleMs));
  };
  return {
    async create({ serial, userId, fingerprint, expiresAtMs, sessionHash }) {
      const nowMs = clock.nowMs();
      const row = {
        serial,
        user_id: userId,
        session_hash: sessionHash,
        fingerprint,
        issued_at: nowMs,
        expires_at: expiresAtMs,
        last_used_at: null,
      };
      await database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("ssh_certificates").where("expires_at", "<=", nowMs).execute();
        await transaction.insertInto("ssh_certificates").values(row).execute();
      });
      return certificateOf(row);
    },
    async bySerial(serial) {
      const row = await good()
        .select(["web_sessions.mfa_at", "web_sessions.last_seen_at"])
        .where("serial", "=", serial)
        .executeTakeFirst();
      return (
        row && {
          ...certificateOf(row),
          sessionHash: row.session_hash,
          seenAtMs: row.last_seen_at,
          ...(row.mfa_at !== null && { mfaAtMs: row.mfa_at }),
        }
      );
    },
    async ofUser(userId) {
      const rows = await good()
        .where("ssh_certificates.user_id", "=", userId)
        .orderBy("issued_at", "desc")
        .orderBy("serial")
        .execute();
      return rows.map(certificateOf);
    },
    async used(serial) {
      await database
        .updateTable("ssh_certificates")
        .set({ last_used_at: clock.nowMs() })
        .where("serial", "=", serial)
        .execute();
    },
    async remove(userId, serial) {
      const { numDeletedRows } = await database
        .deleteFrom("ssh_certificates")
        .where("user_id", "=", userId)
        .where("serial", "=", serial)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
  };
}

function certificateOf(row: Selectable<Tables["ssh_certificates"]>): SshCertificate {
  return {
    serial: row.serial,
    userId: row.user_id,
    fingerprint: row.fingerprint,
    issuedAtMs: row.issued_at,
    expiresAtMs: row.expires_at,
    ...(row.last_used_at !== null && { lastUsedAtMs: row.last_used_at }),
  };
}
