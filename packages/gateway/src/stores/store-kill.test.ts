/** A real gateway is killed when the store has an object and the gateway does not know it yet: nothing is lost or stored twice. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { BlobServiceClient } from "@azure/storage-blob";
import { startAzurite } from "../../../../test/parts/azurite.ts";
import { startFaultProxy } from "../../../../test/parts/fault-proxy.ts";
import { startGateway } from "../../../../test/parts/gateway.ts";
import { awaitSession, awaitStored, eventually, recorded } from "../../../../test/parts/sessions.ts";
import { startStage } from "../../../../test/parts/stage.ts";

const container = "recordings";

test("killed between an upload and its answer: the next start finds what is stored, sends the rest, and releases only then", async () => {
  const azurite = await startAzurite();
  const account = BlobServiceClient.fromConnectionString(azurite.connectionString());
  await account.getContainerClient(container).create();
  const proxy = await startFaultProxy(azurite.accountUrl);
  const accountUrl = proxy.endpoint + new URL(azurite.accountUrl).pathname;
  const options = {
    config: {
      recording: { journal: { capacity: "16 MiB" }, segment: { age: "100ms" } },
      store: { type: "azure", container, account_url: accountUrl },
    },
    env: { AZURE_STORAGE_CONNECTION_STRING: azurite.connectionString(accountUrl) },
  };
  const stage = await startStage({ gateway: options });
  const { dataDir } = stage.gateway;
  let gateway = stage.gateway;
  const spooled = (id: string) =>
    readdirSync(join(dataDir, "recording/spool"), { recursive: true })
      .map(String)
      .filter((name) => name.includes(id));
  const stored = async (id: string) => {
    const names: string[] = [];
    for await (const blob of account.getContainerClient(container).listBlobsFlat())
      if (blob.name.includes(id)) names.push(blob.name.split("/").at(-1) as string);
    return names.sort();
  };
  try {
    await proxy.set({ kind: "hold answer", path: ".seg" });
    const ran = await stage.ssh([stage.address, "echo seen by both"]);
    assert.equal(ran.stdout.toString(), "seen by both\n");
    const { id } = await awaitSession(gateway, ({ state }) => state === "ended");
    // The store has it, the gateway has not heard.
    await eventually(
      "an object in the store",
      async () => (await stored(id)).includes("000000.seg") || undefined,
    );
    assert.ok(proxy.met > 0);
    await gateway.kill("SIGKILL");
    assert.ok(
      spooled(id).some((name) => name.endsWith("000000.seg")),
      "the local copy is still there",
    );

    await proxy.set(undefined);
    gateway = await startGateway({ ...options, dataDir });
    const session = await awaitStored(gateway, (one) => one.id === id);
    const { bytes } = await recorded(gateway, session);
    assert.equal(bytes("stdout").toString(), "seen by both\n");
    const verified = await gateway.admin.recordings.verify(id);
    assert.equal(verified.ok, true, verified.firstFault ?? "");
    const words = await gateway.admin.recordings.get(id);
    assert.equal((await stored(id)).filter((name) => name.endsWith(".seg")).length, words.segments);
    assert.deepEqual(spooled(id), []);
  } finally {
    await gateway.kill("SIGKILL");
    await stage.close();
    await proxy.close();
    await azurite.close();
  }
});
