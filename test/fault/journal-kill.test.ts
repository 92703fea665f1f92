import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { journalKillRound } from "./journal-kill.ts";

/** `npm run fault` sets more. Each failure names its seed; FAULT_SEED repeats from there. */
const rounds = Number(process.env["FAULT_ROUNDS"] ?? 3);
const firstSeed = Number(process.env["FAULT_SEED"] ?? Date.now() % 1_000_000_007);

test(
  `killed ${rounds} times while it records, the journal has all that it acknowledged`,
  {
    timeout: rounds * 60_000,
  },
  async (t) => {
    t.diagnostic(`first seed ${firstSeed}`);
    const identity = await generateX25519Identity();
    const recipient = await identityToRecipient(identity);
    let acknowledged = 0;
    for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
      // Some rounds go on in the same directory, so that a journal is recovered that was recovered before.
      const directory = mkdtempSync(join(tmpdir(), "gatehouse-kill-"));
      try {
        for (let again = 0; again < 2; again++) {
          const round = await journalKillRound({ directory, identity, recipient, seed: seed * 2 + again });
          acknowledged += round.acknowledged;
        }
      } catch (error) {
        t.diagnostic(`seed ${seed}`);
        throw error;
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    }
    t.diagnostic(`${acknowledged} acknowledged frames were found again`);
  },
);
