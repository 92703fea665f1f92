import { type Clock, GatehouseError, type Random, newId } from "@gatehouse/kernel";
import type { Kysely, Selectable } from "kysely";
import type { AccessRequest, AccessRequestState, AccessRequests, AccessReview, Wanted } from "./door.ts";
import type { Engine } from "./engine.ts";
import { keyIn, limitOf, pageOf } from "./page.ts";
import { refusing } from "./refusals.ts";
import type { Tables } from "./schema.ts";

type Row = Selectable<Tables["access_requests"]> & { user_name: string };

const open: readonly AccessRequestState[] = ["pending", "approved"];

export function accessRequestsIn({
  database,
  engine,
  clock,
  random,
}: {
  database: Kysely<Tables>;
  engine: Pick<Engine, "alone">;
  clock: Pick<Clock, "nowMs">;
  random: Random;
}): AccessRequests {
  const rowsOf = (from: Kysely<Tables>) =>
    from
      .selectFrom("access_requests")
      .innerJoin("users", "users.id", "access_requests.user_id")
      .selectAll("access_requests")
      .select("users.name as user_name");

  async function one(from: Kysely<Tables>, id: string): Promise<AccessRequest | undefined> {
    const rows = await rowsOf(from).where("access_requests.id", "=", id).execute();
    return (await withReviews(from, rows))[0];
  }

  return {
    async create({ userId, wanted, reason, durationMs, approvals, atExpiry, endsAtMs }) {
      const nowMs = clock.nowMs();
      const id = newId(nowMs, random);
      await database
        .insertInto("access_requests")
        .values({
          id,
          user_id: userId,
          kind: wanted.kind,
          target_id: wanted.kind === "role" ? null : wanted.targetId,
          target_name: wanted.kind === "role" ? null : wanted.targetName,
          logins: JSON.stringify(wanted.kind === "target" ? wanted.logins : []),
          session_id: wanted.kind === "playback" ? wanted.sessionId : null,
          role: wanted.kind === "role" ? wanted.role : null,
          reason,
          duration_ms: durationMs,
          approvals,
          at_expiry: atExpiry,
          state: "pending",
          created_at: nowMs,
          ends_at: endsAtMs,
        })
        .execute();
      return (await one(database, id)) as AccessRequest;
    },
    byId: (id) => one(database, id),
    async list({ userId, state } = {}, page = {}) {
      const limit = limitOf(page);
      let query = rowsOf(database)
        .orderBy("access_requests.id", "desc")
        .limit(limit + 1);
      if (page.after !== undefined)
        query = query.where("access_requests.id", "<", keyIn(page.after, ["string"])[0]);
      if (userId !== undefined) query = query.where("user_id", "=", userId);
      if (state !== undefined) query = query.where("state", "=", state);
      const rows = await query.execute();
      const read = new Map(
        (await withReviews(database, rows.slice(0, limit))).map((item) => [item.id, item]),
      );
      return pageOf(
        rows,
        limit,
        (row) => read.get(row.id) as AccessRequest,
        (row) => [row.id],
      );
    },
    async inForceOf(userId) {
      const rows = await rowsOf(database)
        .where("user_id", "=", userId)
        .where("state", "=", "approved")
        .where("ends_at", ">", clock.nowMs())
        .execute();
      return rows.map((row) => requestOf(row, []));
    },
    async openOfRole(role) {
      const rows = await rowsOf(database)
        .where("role", "=", role)
        .where("state", "in", open)
        .where("ends_at", ">", clock.nowMs())
        .execute();
      return rows.map((row) => requestOf(row, []));
    },
    async due(beforeMs) {
      const rows = await rowsOf(database).where("state", "in", open).orderBy("ends_at").limit(500).execute();
      const over = rows.filter((row) => row.ends_at <= beforeMs);
      return { over: await withReviews(database, over), nextMs: rows[over.length]?.ends_at };
    },
    async review(id, { reviewer, verdict, comment, reviewedAtMs }, settle) {
      return database.transaction().execute(async (transaction) => {
        await engine.alone(transaction, "reviews");
        const request = await one(transaction, id);
        if (request?.state !== "pending")
          throw new GatehouseError({
            code: "conflict",
            op: "requests.review",
            message: `the request is ${request?.state ?? "gone"}; nothing is left to decide`,
          });
        await refusing("conflict", "you have reviewed this request already", () =>
          transaction
            .insertInto("access_reviews")
            .values({
              request_id: id,
              reviewer_id: reviewer.id,
              reviewer_name: reviewer.name,
              verdict,
              comment,
              reviewed_at: reviewedAtMs,
            })
            .execute(),
        );
        const reviewed = (await one(transaction, id)) as AccessRequest;
        const { state, endsAtMs } = settle(reviewed);
        await transaction
          .updateTable("access_requests")
          .set({ state, ends_at: endsAtMs })
          .where("id", "=", id)
          .execute();
        return { ...reviewed, state, endsAtMs };
      });
    },
    async move(id, from, to) {
      const { numUpdatedRows } = await database
        .updateTable("access_requests")
        .set({ state: to })
        .where("id", "=", id)
        .where("state", "in", from)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
  };
}

async function withReviews(from: Kysely<Tables>, rows: readonly Row[]): Promise<AccessRequest[]> {
  if (rows.length === 0) return [];
  const reviews = await from
    .selectFrom("access_reviews")
    .selectAll()
    .where(
      "request_id",
      "in",
      rows.map((row) => row.id),
    )
    .orderBy("reviewed_at")
    .execute();
  return rows.map((row) =>
    requestOf(
      row,
      reviews
        .filter((review) => review.request_id === row.id)
        .map((review) => ({
          reviewer: { id: review.reviewer_id, name: review.reviewer_name },
          verdict: review.verdict as AccessReview["verdict"],
          comment: review.comment,
          reviewedAtMs: review.reviewed_at,
        })),
    ),
  );
}

function wantedIn(row: Row): Wanted {
  const target = { targetId: row.target_id ?? "", targetName: row.target_name ?? "" };
  switch (row.kind as Wanted["kind"]) {
    case "role":
      return { kind: "role", role: row.role ?? "" };
    case "playback":
      return { kind: "playback", sessionId: row.session_id ?? "", ...target };
    case "target":
      return { kind: "target", ...target, logins: JSON.parse(row.logins) as string[] };
  }
}

function requestOf(row: Row, reviews: readonly AccessReview[]): AccessRequest {
  return {
    id: row.id,
    user: { id: row.user_id, name: row.user_name },
    wanted: wantedIn(row),
    reason: row.reason,
    durationMs: row.duration_ms,
    approvals: row.approvals,
    atExpiry: row.at_expiry as AccessRequest["atExpiry"],
    state: row.state as AccessRequestState,
    createdAtMs: row.created_at,
    endsAtMs: row.ends_at,
    reviews,
  };
}
