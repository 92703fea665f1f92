import type { Migration } from "./migration.ts";

/** Which recordings have an index beside them, and of which none could be made. */
export const recordingIndexes: Migration = {
  id: "0050-recording-indexes",
  statements: [
    `create table recording_indexes (
      session_id text primary key references sessions (id) on delete cascade,
      made_at bigint not null,
      maker integer not null,
      name text,
      bytes bigint not null,
      fault text
    )`,
  ],
};
