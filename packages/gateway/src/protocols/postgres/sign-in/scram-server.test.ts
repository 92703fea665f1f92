import assert from "node:assert/strict";
import { test } from "node:test";
import { isGatehouseError, systemRandom } from "@gatehouse/kernel";
import { scramTerms } from "../../../identity/mod.ts";
import { verifierOf } from "../../../identity/connection-secret.ts";
import { type ChannelBinding, ScramClient } from "./scram.ts";
import { ScramServer } from "./scram-server.ts";

const binding = Buffer.from("the certificate's hash");
const bound: ChannelBinding = { type: "tls-server-end-point", data: binding };
const begin = (clients: ChannelBinding = bound, servers: Uint8Array | undefined = binding) => ({
  client: new ScramClient({ binding: clients, random: systemRandom }),
  server: new ScramServer({ binding: servers, random: systemRandom }),
});
const broken = (error: unknown) => isGatehouseError(error, "protocol");

test("who has the secret proves it, with and without a binding, and is proved to that the server has it", async () => {
  const { storedKey, serverKey } = await verifierOf("the secret");
  for (const clients of [bound, { type: "unable" } as const]) {
    const { client, server } = begin(clients);
    server.final(
      await client.final(server.first(client.mechanism, client.first(), scramTerms), "the secret"),
    );
    assert.equal(server.proves((await verifierOf("another")).storedKey), false);
    assert.equal(server.proves(storedKey), true);
    client.verify(server.verification(serverKey));
    assert.equal(client.verified, true);
  }
});

test("who has another secret, another channel or other terms does not", async () => {
  const { storedKey } = await verifierOf("the secret");
  const wrong = begin();
  const first = (pair: ReturnType<typeof begin>) =>
    pair.server.first(pair.client.mechanism, pair.client.first(), scramTerms);
  wrong.server.final(await wrong.client.final(first(wrong), "another"));
  assert.equal(wrong.server.proves(storedKey), false);
  const between = begin({ type: "tls-server-end-point", data: Buffer.from("another certificate") });
  const said = await between.client.final(first(between), "the secret");
  assert.throws(() => between.server.final(said), broken);
  const struck = begin({ type: "not-offered" });
  assert.throws(() => first(struck), broken, "it could bind, and was told that it cannot");
  const { server } = begin();
  for (const [mechanism, text] of [
    ["SCRAM-SHA-1", "n,,n=,r=abc"],
    ["SCRAM-SHA-256-PLUS", "n,,n=,r=abc"],
    ["SCRAM-SHA-256", "p=tls-server-end-point,,n=,r=abc"],
    ["SCRAM-SHA-256-PLUS", "p=tls-unique,,n=,r=abc"],
    ["SCRAM-SHA-256", "n,a=root,n=,r=abc"],
    ["SCRAM-SHA-256", "n,,m=x,n=,r=abc"],
    ["SCRAM-SHA-256", `n,,n=,r=${"a".repeat(257)}`],
    ["SCRAM-SHA-256", ""],
  ] as const)
    assert.throws(() => server.first(mechanism, text, scramTerms), broken, text);
  const replayed = begin();
  first(replayed);
  for (const text of ["", "c=biws,r=abc,p=AAAA", `c=biws,r=abc,p=${"A".repeat(43)}=`])
    assert.throws(() => replayed.server.final(text), broken, text);
});
