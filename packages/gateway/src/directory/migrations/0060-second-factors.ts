import type { Migration } from "./migration.ts";

/**
 * Second factors, recovery codes as hashes, what is begun and not done yet of a sign-in; and when a second factor was given
 * for what a web session handed on.
 */
export const secondFactors: Migration = {
  id: "0060-second-factors",
  statements: [
    `create table factors (
      id text primary key,
      user_id text not null references users (id),
      kind text not null,
      name text not null,
      envelope text,
      last_step bigint,
      credential_id text unique,
      public_key text,
      sign_count bigint,
      transports text,
      rp_id text,
      created_at bigint not null,
      last_used_at bigint
    )`,
    `create index factors_of_user on factors (user_id, id)`,
    `create table recovery_codes (
      hash text primary key,
      user_id text not null references users (id),
      created_at bigint not null
    )`,
    `create index recovery_codes_of_user on recovery_codes (user_id)`,
    `create table sign_in_steps (
      hash text primary key,
      kind text not null,
      user_id text references users (id),
      facts text not null,
      expires_at bigint not null
    )`,
    `alter table command_sign_ins add column mfa_at bigint`,
    `alter table connection_secrets add column mfa_at bigint`,
  ],
};
