import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "@gatehouse/kernel";
import { filmOf, playedTo, seenAt } from "../../packages/recording/src/testing/films.ts";
import { framesOf, programs } from "../parts/recorded-programs.ts";

const seed = Number(process.env["SEED"] ?? 20_261_127);

// Those whose screens change in most places.
for (const name of ["vim, with colours, a split and scrolling", "tmux with panes"] as const)
  test(`${name}: a film shows at any moment the screen of playing to it`, async (context) => {
    const random = seededRandom(seed);
    const shown = await programs[name](context);
    const frames = framesOf(shown, random, {
      sizes: [
        { at: Math.floor(shown.length / 3), cols: 100, rows: 30 },
        { at: Math.floor(shown.length / 2), cols: 70, rows: 20 },
      ],
    });
    const { bytes, survey } = await filmOf(frames);
    assert.deepEqual([survey.cols, survey.rows], [100, 30]);
    const view = new DataView(random.bytes(4 * 24).buffer);
    const momentsCs = Array.from({ length: 24 }, (_, i) =>
      Math.floor((view.getUint32(4 * i) / 2 ** 32) * survey.durationCs),
    ).sort((a, b) => a - b);
    const played = playedTo(frames, momentsCs, survey);
    let at = 0;
    for (const seen of seenAt(bytes, momentsCs)) {
      const wanted = (await played.next()).value as Uint8Array;
      assert.ok(
        Buffer.from(wanted).equals(seen),
        `seed ${seed}: at ${momentsCs[at]} cs of ${survey.durationCs}`,
      );
      at++;
    }
    assert.equal(at, 24);
    await played.return(undefined);
  });
