import type { Migration } from "./migration.ts";

/**
 * What narrows a search over all recordings. `main` is of what was shown and run, `input` of what was typed; both are bits that
 * nobody reads without the gateway's key.
 */
export const searchFilters: Migration = {
  id: "0052-search-filters",
  statements: [
    `create table search_filters (
      session_id text primary key references sessions (id) on delete cascade,
      version integer not null,
      key_id text not null,
      made_at bigint not null,
      main bytea not null,
      input bytea
    )`,
  ],
};
