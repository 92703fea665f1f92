import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isGatehouseError, systemClock as clock, systemRandom as random, utf8 } from "@gatehouse/kernel";
import type { SealedEnvelopes } from "../directory/mod.ts";
import { temporaryDirectory, temporaryFolder } from "../directory/testing/temporary.ts";
import { credentialsIn, sealingBy } from "./credentials.ts";
import { openKeyring } from "./keyring.ts";
import { createRekey } from "./rekey.ts";
import { Secret } from "./secret.ts";

/** A gate's keys and database, which can be started again on what another start left. */
async function stand(context: TestContext) {
  const { directory } = await temporaryDirectory(context);
  const folder = join(temporaryFolder(context), "keys");
  const file = join(folder, "credentials.key");
  const start = async (envelopes: SealedEnvelopes = directory.sealedEnvelopes) => {
    const keyring = await openKeyring({ folder, random });
    const keys = keyring.credentialKeys;
    return {
      keys,
      rekey: (shared = false) => createRekey({ keyring, envelopes, shared, random })(),
      credentials: credentialsIn({ sealed: directory.sealedCredentials, keys, clock, random }),
      sealing: sealingBy({ keys, random }),
    };
  };
  return { directory, file, start, keysInFile: () => readFileSync(file, "utf8").trim().split("\n") };
}

test("a run that is cut off loses nothing, and the next one goes on with its key until the old one is gone", async (context) => {
  const { directory, start, keysInFile } = await stand(context);
  const first = await start();
  const ids: string[] = [];
  for (const name of ["a", "b", "c"])
    ids.push(
      await first.credentials.create({ name, kind: "password", secret: Secret.ofText(`secret ${name}`) }),
    );
  const person = await directory.users.create({ name: "ann", roles: ["user"] });
  const factor = { id: "factor-1", kind: "totp" as const };
  await directory.factors.add({
    ...factor,
    userId: person.id,
    name: "phone",
    envelope: first.sealing.seal(utf8("of the app"), factor),
    lastStep: 0,
  });
  const [old] = keysInFile();

  // Killed behind the first replaced row: nothing that came after it happened.
  let replaced = 0;
  const dying = await start({
    ...directory.sealedEnvelopes,
    replace: async (sealed, envelope) => {
      if (replaced++ > 0) throw new Error("killed");
      return directory.sealedEnvelopes.replace(sealed, envelope);
    },
  });
  await assert.rejects(dying.rekey(), /killed/);
  assert.equal(keysInFile().length, 2);
  assert.equal(keysInFile()[1], old);

  const everything = async ({ credentials, sealing }: Awaited<ReturnType<typeof start>>) => {
    for (const [i, name] of ["a", "b", "c"].entries())
      assert.equal(await credentials.withSecret(ids[i] ?? "", (secret) => secret.text()), `secret ${name}`);
    const [kept] = await directory.factors.ofUser(person.id);
    assert.ok(kept?.kind === "totp");
    assert.deepEqual(sealing.open(kept.envelope, factor), utf8("of the app"));
  };
  const second = await start();
  await everything(second);
  const done = await second.rekey();
  assert.deepEqual([done.resealed, done.keysDropped, done.unreadable], [3, 1, []]);
  assert.equal(keysInFile().length, 1);
  assert.notEqual(keysInFile()[0], old);
  await everything(second);
  await everything(await start());
});

test("what cannot be opened keeps the old key, and a file that was changed is not written over", async (context) => {
  const { directory, file, start, keysInFile } = await stand(context);
  const gate = await start();
  const id = await gate.credentials.create({ name: "a", kind: "password", secret: Secret.ofText("a") });
  const [row] = await directory.sealedEnvelopes.page("credentials", "");
  assert.ok(row);
  const damaged = Uint8Array.from(row.envelope);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  await directory.sealedEnvelopes.replace(row, damaged);
  const kept = await gate.rekey();
  assert.deepEqual([kept.unreadable, kept.keysDropped, keysInFile().length], [[id], 0, 2]);
  await directory.sealedEnvelopes.replace({ ...row, envelope: damaged }, row.envelope);
  writeFileSync(file, `${keysInFile().reverse().join("\n")}\n`);
  const refused = (error: unknown) => isGatehouseError(error, "conflict") && /Restart/.test(error.hint ?? "");
  await assert.rejects(gate.rekey(), refused);
  const again = await start();
  assert.equal((await again.rekey()).keysDropped, 1);
  assert.equal(await again.credentials.withSecret(id, (secret) => secret.text()), "a");
});

test("where gateways share a database no key is made, and none is dropped that another may seal with", async (context) => {
  const { file, start, keysInFile } = await stand(context);
  const gate = await start();
  await assert.rejects(gate.rekey(true), (error) => isGatehouseError(error, "conflict"));
  await gate.credentials.create({ name: "a", kind: "password", secret: Secret.ofText("a") });
  writeFileSync(file, `${Buffer.from(random.bytes(32)).toString("base64")}\n${keysInFile().join("\n")}\n`);
  const done = await (await start()).rekey(true);
  assert.deepEqual([done.resealed, done.keysDropped, keysInFile().length], [1, 0, 2]);
});
