import type { Migration } from "./migration.ts";

/**
 * Passwords, as the hash that says how it was made; attempts to sign in, by a hash of the account or the address that they
 * came from; and web sessions that know how they began. Those that are open end here: nobody knows how they began.
 */
export const passwords: Migration = {
  id: "0040-passwords",
  statements: [
    `create table passwords (
      user_id text primary key references users (id),
      stored text not null,
      changed_at bigint not null
    )`,
    `create table sign_in_attempts (
      about text primary key,
      failures bigint not null,
      last_at bigint not null,
      shut_until bigint not null
    )`,
    `create index sign_in_attempts_by_time on sign_in_attempts (last_at)`,
    `drop table web_sessions`,
    `create table web_sessions (
      id text primary key,
      hash text not null unique,
      user_id text not null references users (id),
      method text not null,
      remote_address text not null,
      user_agent text not null,
      created_at bigint not null,
      last_seen_at bigint not null,
      expires_at bigint not null,
      mfa_at bigint,
      revoked integer not null default 0
    )`,
    `create index web_sessions_of_user on web_sessions (user_id, id)`,
  ],
};
