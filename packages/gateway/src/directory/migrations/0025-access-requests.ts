import type { Migration } from "./migration.ts";

/** What people asked for, what others said to it, and until when it holds. */
export const accessRequests: Migration = {
  id: "0025-access-requests",
  statements: [
    `create table access_requests (
      id text primary key,
      user_id text not null references users (id),
      kind text not null,
      target_id text,
      target_name text,
      logins text not null,
      session_id text,
      reason text not null,
      duration_ms bigint not null,
      approvals integer not null,
      at_expiry text not null,
      state text not null,
      created_at bigint not null,
      ends_at bigint not null
    )`,
    `create index access_requests_of_user on access_requests (user_id, state)`,
    `create index access_requests_by_end on access_requests (state, ends_at)`,
    `create table access_reviews (
      request_id text not null references access_requests (id),
      reviewer_id text not null,
      reviewer_name text not null,
      verdict text not null,
      comment text not null,
      reviewed_at bigint not null,
      primary key (request_id, reviewer_id)
    )`,
  ],
};
