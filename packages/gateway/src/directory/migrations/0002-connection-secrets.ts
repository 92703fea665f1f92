import type { Migration } from "./migration.ts";

/** Short-lived secrets with which clients that know only passwords sign in. */
export const connectionSecrets: Migration = {
  id: "0002-connection-secrets",
  statements: [
    `create table connection_secrets (
      hash text primary key,
      user_id text not null references users (id),
      protocol text not null,
      target_id text,
      login text,
      created_at bigint not null,
      expires_at bigint not null
    )`,
    `create index connection_secrets_by_end on connection_secrets (expires_at)`,
  ],
};
