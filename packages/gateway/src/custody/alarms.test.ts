import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError, systemRandom } from "@gatehouse/kernel";
import { openAuditLog } from "../audit/mod.ts";
import { temporaryDirectory } from "../directory/testing/temporary.ts";
import { recordingAlarms } from "./mod.ts";

const one = "0199c0de-0000-7000-8000-000000000001";
const two = "0199c0de-0000-7000-8000-000000000002";
const jane = { subject: { name: "jane" }, remoteAddress: "10.0.1.50" };

test("damage that the gateway found is an alarm until somebody is on record with it, and again when it is found anew", async (context) => {
  const { directory, clock } = await temporaryDirectory(context);
  const audit = openAuditLog({
    rows: directory.auditRows,
    probe: () => directory.probe(),
    clock,
    random: systemRandom,
    log: { error() {} },
  });
  const { alarms, acknowledge } = recordingAlarms({ ...directory, audit });
  const find = (sessionId: string, detail: string, user = "system") => {
    clock.advance(1000);
    return audit.append({
      event: "session.recording.corrupted",
      user,
      success: false,
      sessionId,
      fields: { detail },
    });
  };
  const standing = async () => (await alarms()).items.map(({ sessionId, detail }) => [sessionId, detail]);
  assert.deepEqual(await standing(), []);
  await find(one, "segment 3 is absent");
  const foundAt = new Date(clock.nowMs()).toISOString();
  await find(two, "segment 0 is absent");
  await find(two, "segment 1 is absent");
  // Whoever looks at a damaged recording is told; that is no new alarm.
  await find(one, "segment 3 is absent", "jane");
  assert.deepEqual(await standing(), [
    [two, "segment 1 is absent"],
    [one, "segment 3 is absent"],
  ]);
  await acknowledge(jane, one, { reason: "restored from the other site" });
  assert.deepEqual(await standing(), [[two, "segment 1 is absent"]]);
  const [event] = (await audit.list()).items;
  assert.deepEqual(
    [event?.event, event?.user, event?.["reason"], event?.["detail"], event?.["found_at"], event?.["sid"]],
    [
      "session.recording.acknowledge",
      "jane",
      "restored from the other site",
      "segment 3 is absent",
      foundAt,
      one,
    ],
  );
  await assert.rejects(acknowledge(jane, one, { reason: "again" }), (error) =>
    isGatehouseError(error, "conflict"),
  );
  await find(one, "segment 4 is absent");
  assert.deepEqual((await standing())[0], [one, "segment 4 is absent"]);
});
