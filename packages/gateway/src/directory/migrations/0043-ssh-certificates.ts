import type { Migration } from "./migration.ts";

/** Certificates that the gate signed for people's own keys, each vouched for by the session that asked for it. */
export const sshCertificates: Migration = {
  id: "0043-ssh-certificates",
  statements: [
    `create table ssh_certificates (
      serial text primary key,
      user_id text not null references users (id),
      session_hash text not null,
      fingerprint text not null,
      issued_at bigint not null,
      expires_at bigint not null,
      last_used_at bigint
    )`,
    `create index ssh_certificates_of_user on ssh_certificates (user_id, issued_at)`,
  ],
};
