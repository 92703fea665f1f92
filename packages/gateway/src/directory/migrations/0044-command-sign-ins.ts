import type { Migration } from "./migration.ts";

/** Sign-ins of the command line that wait for somebody to approve them in a browser. */
export const commandSignIns: Migration = {
  id: "0044-command-sign-ins",
  statements: [
    `create table command_sign_ins (
      id text primary key,
      challenge text not null,
      client text not null,
      remote_address text not null,
      user_code text unique,
      callback text,
      state text not null,
      user_id text references users (id),
      code_hash text,
      approved_from text,
      asked_at bigint,
      interval_ms bigint not null,
      created_at bigint not null,
      expires_at bigint not null
    )`,
  ],
};
