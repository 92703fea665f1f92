import { test } from "node:test";
import { addPerson, addTarget, startGateway } from "../parts/gateway.ts";
import { startSshd } from "../parts/openssh.ts";
import { killRound } from "./kill-round.ts";

/** `npm run fault` sets more. Each failure names its seed; FAULT_SEED repeats from there. */
const rounds = Number(process.env["FAULT_ROUNDS"] ?? 50);
const firstSeed = Number(process.env["FAULT_SEED"] ?? Date.now() % 1_000_000_007);

test(
  `killed ${rounds} times while bytes flow, the gateway has recorded all that either side saw`,
  { timeout: rounds * 60_000 },
  async (t) => {
    t.diagnostic(`first seed ${firstSeed}`);
    let gateway = await startGateway();
    const first = await addPerson(gateway, "ann");
    const sshd = await startSshd({ trustedUserCa: await gateway.admin.ca.sshUser() });
    try {
      await addTarget(gateway, sshd);
      for (let round = 0; round < rounds; round++)
        gateway = await killRound({ gateway, sshd, person: first, seed: firstSeed + round });
    } finally {
      await gateway.close();
      await sshd.close();
    }
  },
);
