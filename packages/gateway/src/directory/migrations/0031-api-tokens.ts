import type { Migration } from "./migration.ts";

/** What programs sign in with. Only a hash of each is kept. */
export const apiTokens: Migration = {
  id: "0031-api-tokens",
  statements: [
    `create table api_tokens (
      id text primary key,
      hash text not null unique,
      user_id text not null references users (id),
      name text not null,
      scopes text not null,
      created_at bigint not null,
      expires_at bigint not null,
      last_used_at bigint
    )`,
    `create index api_tokens_of_user on api_tokens (user_id, id)`,
  ],
};
