import type { Migration } from "./migration.ts";

export const first: Migration = {
  id: "0001-first",
  statements: [
    `create table users (
      id text primary key,
      name text not null unique,
      display_name text not null,
      roles text not null,
      disabled integer not null,
      created_at bigint not null
    )`,
    `create table user_keys (
      id text primary key,
      user_id text not null references users (id),
      type text not null,
      blob text not null,
      fingerprint text not null unique,
      comment text not null,
      added_at bigint not null,
      last_used_at bigint
    )`,
    `create index user_keys_of_user on user_keys (user_id, added_at, id)`,
    `create table credentials (
      id text primary key,
      name text not null unique,
      kind text not null,
      envelope text not null,
      created_at bigint not null,
      updated_at bigint not null
    )`,
    `create table targets (
      id text primary key,
      name text not null unique,
      protocol text not null,
      host text not null,
      port integer not null,
      allowed_roles text not null,
      allowed_users text not null,
      policy text not null,
      host_trust text not null,
      demo integer not null,
      created_at bigint not null,
      updated_at bigint not null
    )`,
    `create table target_labels (
      target_id text not null references targets (id) on delete cascade,
      name text not null,
      value text not null,
      primary key (target_id, name)
    )`,
    `create index target_labels_by_value on target_labels (name, value)`,
    `create table target_logins (
      target_id text not null references targets (id) on delete cascade,
      login text not null,
      rank integer not null,
      kind text not null,
      credential_id text references credentials (id),
      primary key (target_id, login)
    )`,
    `create index target_logins_by_credential on target_logins (credential_id)`,
    // No foreign keys: a session outlives its person and its target, and keeps their names.
    `create table sessions (
      id text primary key,
      facts text not null,
      started_at bigint not null,
      user_id text not null,
      user_name text not null,
      target_id text not null,
      target_name text not null,
      login text not null,
      protocol text not null,
      kind text not null,
      haystack text not null,
      state text not null,
      recording_state text not null,
      recording_detail text,
      ended_at bigint,
      end_reason text,
      end_detail text,
      duration_ms bigint,
      exit_status integer,
      exit_signal text,
      frames bigint,
      bytes bigint,
      head_sha256 text
    )`,
    `create index sessions_by_start on sessions (started_at, id)`,
    `create index sessions_of_user on sessions (user_id, started_at, id)`,
    `create index sessions_of_target on sessions (target_id, started_at, id)`,
    `create index sessions_by_state on sessions (state, started_at, id)`,
    `create table audit_events (
      position bigint primary key,
      hash text not null,
      prev_hash text not null unique,
      time_ms bigint not null,
      event text not null,
      code text not null,
      user_name text not null,
      server_id text,
      session_id text,
      success integer not null,
      body text not null
    )`,
    `create index audit_events_by_event on audit_events (event, position)`,
    `create index audit_events_of_user on audit_events (user_name, position)`,
    `create index audit_events_of_session on audit_events (session_id, position)`,
    `create index audit_events_by_time on audit_events (time_ms)`,
    `create table login_links (
      hash text primary key,
      user_id text not null references users (id),
      expires_at bigint not null,
      used_at bigint
    )`,
    `create table web_sessions (
      hash text primary key,
      user_id text not null references users (id),
      created_at bigint not null,
      last_seen_at bigint not null,
      expires_at bigint not null,
      revoked integer not null
    )`,
    `create index web_sessions_of_user on web_sessions (user_id)`,
    `create table settings (name text primary key, value text not null)`,
    `create table probes (id integer primary key, at bigint not null)`,
  ],
};
