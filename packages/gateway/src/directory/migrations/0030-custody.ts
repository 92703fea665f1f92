import type { Migration } from "./migration.ts";

/** When each recording was last read again from the store, and what was found; and how many are in which state. */
export const custody: Migration = {
  id: "0030-custody",
  statements: [
    `create index sessions_by_recording_state on sessions (recording_state)`,
    `create table recording_checks (
      session_id text primary key references sessions (id) on delete cascade,
      checked_at bigint not null,
      ok integer not null,
      opened integer not null,
      bytes bigint not null,
      fault text
    )`,
    `create index recording_checks_by_age on recording_checks (checked_at)`,
  ],
};
