import { rmSync } from "node:fs";
import { test } from "node:test";
import { addPerson, addTarget, startGateway } from "../parts/gateway.ts";
import { startSshd } from "../parts/openssh.ts";
import { killRound } from "./kill-round.ts";

/** `npm run fault` sets more. Each failure names its seed; FAULT_SEED repeats from there. */
const rounds = Number(process.env["FAULT_ROUNDS"] ?? 6);
const firstSeed = Number(process.env["FAULT_SEED"] ?? Date.now() % 1_000_000_007);
/** Gateways side by side: most of a round is a start, which uses one core. */
const lanes = Math.min(2, rounds);

test(
  `killed ${rounds} times while bytes flow, the gateway has recorded all that either side saw`,
  { timeout: 60_000 + rounds * 60_000 },
  async (t) => {
    t.diagnostic(`first seed ${firstSeed}`);
    let seed = firstSeed;
    await Promise.all(
      Array.from({ length: lanes }, async () => {
        let gateway = await startGateway();
        const { dataDir } = gateway;
        const sshd = await startSshd({ trustedUserCa: await gateway.admin.ca.sshUser() });
        try {
          const person = await addPerson(gateway, "ann");
          await addTarget(gateway, sshd);
          while (seed < firstSeed + rounds)
            gateway = await killRound({ gateway, sshd, person, seed: seed++ });
        } finally {
          await gateway.close();
          await sshd.close();
        }
        rmSync(dataDir, { recursive: true, force: true });
      }),
    );
  },
);
