import type { Certificate as CertificateWords } from "@gatehouse/contracts/rest";
import type { Clock } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { Tables } from "./schema.ts";
import { goodSession } from "./sign-ins.ts";

/** What a certificate opens. What is absent is not limited. */
export type CertificateScope = {
  kind: CertificateWords["kind"];
  targetId?: string;
  login?: string;
  /** The only address that it is good from, where the certificate itself cannot say so. */
  sourceAddress?: string;
};

/** A certificate that the gate signed for a person's own key. */
export type Certificate = CertificateScope & {
  /** 64 bits, decimal. */
  serial: string;
  userId: string;
  /** Of the certified key, `SHA256:...`. */
  fingerprint: string;
  issuedAtMs: number;
  expiresAtMs: number;
  lastUsedAtMs?: number;
};

export type Certificates = {
  /** `sessionHash`: the session that asked; the certificate ends with it. */
  create(
    certificate: Omit<Certificate, "issuedAtMs" | "lastUsedAtMs"> & { sessionHash: string },
  ): Promise<Certificate>;
  /**
   * Only one that has not expired, and whose session has not ended; with when that session last gave a second factor, and
   * the session, to note that it is used.
   */
  bySerial(
    serial: string,
  ): Promise<(Certificate & { mfaAtMs?: number; sessionHash: string; seenAtMs: number }) | undefined>;
  /** Those that are good now, newest first. */
  ofUser(userId: string): Promise<readonly Certificate[]>;
  used(serial: string): Promise<void>;
  /** False when there was none. */
  remove(userId: string, serial: string): Promise<boolean>;
};

export function certificatesIn({
  database,
  clock,
  sessionIdleMs,
}: {
  database: Kysely<Tables>;
  clock: Pick<Clock, "nowMs">;
  sessionIdleMs: number | undefined;
}): Certificates {
  const good = () => {
    const nowMs = clock.nowMs();
    return database
      .selectFrom("certificates")
      .innerJoin("web_sessions", "web_sessions.hash", "certificates.session_hash")
      .selectAll("certificates")
      .where("certificates.expires_at", ">", nowMs)
      .where((builder) => goodSession(builder, nowMs, sessionIdleMs));
  };
  return {
    async create({ serial, userId, fingerprint, expiresAtMs, sessionHash, ...scope }) {
      const nowMs = clock.nowMs();
      const row = {
        serial,
        kind: scope.kind,
        user_id: userId,
        session_hash: sessionHash,
        target_id: scope.targetId ?? null,
        login: scope.login ?? null,
        source_address: scope.sourceAddress ?? null,
        fingerprint,
        issued_at: nowMs,
        expires_at: expiresAtMs,
        last_used_at: null,
      };
      await database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("certificates").where("expires_at", "<=", nowMs).execute();
        await transaction.insertInto("certificates").values(row).execute();
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
        .where("certificates.user_id", "=", userId)
        .orderBy("issued_at", "desc")
        .orderBy("serial")
        .execute();
      return rows.map(certificateOf);
    },
    async used(serial) {
      await database
        .updateTable("certificates")
        .set({ last_used_at: clock.nowMs() })
        .where("serial", "=", serial)
        .execute();
    },
    async remove(userId, serial) {
      const { numDeletedRows } = await database
        .deleteFrom("certificates")
        .where("user_id", "=", userId)
        .where("serial", "=", serial)
        .executeTakeFirstOrThrow();
      return numDeletedRows > 0n;
    },
  };
}

function certificateOf(row: Selectable<Tables["certificates"]>): Certificate {
  return {
    serial: row.serial,
    kind: row.kind as Certificate["kind"],
    userId: row.user_id,
    fingerprint: row.fingerprint,
    issuedAtMs: row.issued_at,
    expiresAtMs: row.expires_at,
    ...(row.target_id !== null && { targetId: row.target_id }),
    ...(row.login !== null && { login: row.login }),
    ...(row.source_address !== null && { sourceAddress: row.source_address }),
    ...(row.last_used_at !== null && { lastUsedAtMs: row.last_used_at }),
  };
}
