import {
  type Query,
  type QueryOutcome,
  encodeQuery,
  encodeQueryOutcome,
  encodeQueryRows,
} from "@gatehouse/recording/query";
import { TerminalScript } from "./sample-terminal.ts";

/** An afternoon on a database: looking, a slow report, one that is refused, and one change too many. */
export function databaseSession(): TerminalScript {
  const s = new TerminalScript("");
  let number = 0;
  const run = (
    text: string,
    ms: number,
    {
      values,
      kept,
      ...outcome
    }: Pick<Query, "values"> & Partial<QueryOutcome> & { kept?: (string | null)[][] } = {},
  ) => {
    const query: Query[] =
      values === undefined
        ? [{ statement: ++number, type: "simple", text }]
        : [
            { statement: ++number, type: "prepare", name: "", text, types: [] },
            { statement: ++number, type: "bind", of: number - 1, portal: "", values },
            { statement: ++number, type: "execute", of: number - 1, portal: "" },
          ];
    for (const one of query) s.add("query", encodeQuery(one));
    if (kept)
      s.add(
        "query.rows",
        encodeQueryRows({
          statement: number,
          result: 0,
          from: 0,
          columns: ["id", "email", "created_at"].map((name) => ({ name })),
          rows: kept.map((row) => row.map((text) => (text === null ? { null: true } : { text }))),
        }),
      );
    s.wait(ms).add(
      "query.outcome",
      encodeQueryOutcome({
        statement: number,
        durationUs: ms * 1000,
        final: true,
        results: [],
        ...outcome,
      }),
    );
  };
  const rows = (tag: string, count: number) => ({ results: [{ tag, rows: count }] });
  s.wait(400);
  run("select current_user, version()", 2, rows("SELECT 1", 1));
  s.wait(8_000);
  run("select id, email, created_at\n  from customers\n where email ilike $1\n limit $2", 14, {
    values: [
      { text: "%@example.org", type: "text" },
      { text: "50", type: "int4" },
    ],
    kept: [
      ["4411", "mara@example.org", "2026-03-02"],
      ["4412", "jonas@example.org", null],
    ],
    ...rows("SELECT 50", 50),
  });
  s.wait(31_000);
  run(
    "select date_trunc('day', created_at), sum(total) from orders group by 1 order by 1",
    4_180,
    rows("SELECT 812", 812),
  );
  s.wait(12_000);
  run("select * from payment_cards", 1, {
    error: { severity: "ERROR", code: "42501", message: "permission denied for table payment_cards" },
  });
  s.wait(95_000);
  run("begin", 1, { results: [{ tag: "BEGIN" }] });
  s.wait(1_200);
  run("update orders set status = $1 where customer_id = $2", 37, {
    values: [
      { text: "cancelled", type: "text" },
      { text: "4411", type: "int4" },
    ],
    ...rows("UPDATE 3", 3),
  });
  s.wait(2_500);
  run(
    "delete from audit_notes where created_at < now() - interval '90 days'",
    640,
    rows("DELETE 18402", 18_402),
  );
  s.wait(1_000);
  run("commit", 9, { results: [{ tag: "COMMIT" }] });
  return s.wait(700);
}
