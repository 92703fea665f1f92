import type {
  RecordingHits,
  RecordingOverview,
  RecordingPictures,
  RecordingScreen,
  RecordingSearch,
  RecordingText,
} from "@gatehouse/contracts/rest";
import { type Frame } from "@gatehouse/recording";
import { type RecordingIndex, openIndex } from "@gatehouse/recording/index";
import { buildIndex } from "@gatehouse/recording/indexing";
import { nodeSealCrypto, nodeZstd } from "@gatehouse/recording/node";
import { frameKinds } from "../../../../../recording/src/frame.ts";
import { deriveKey } from "../../../../../recording/src/derive-key.ts";
import { overviewOf, picturesOf, screenAt, textOf } from "../../../playback/index-words.ts";
import { textMatcher } from "../../../playback/text-matcher.ts";
import type { Sample } from "./sample-sessions.ts";

const laneKey = new Uint8Array(32).fill(7);

/** Real indexes of samples: made once, when somebody asks for one. */
export function memoryIndexes() {
  const indexes = new Map<string, Promise<RecordingIndex>>();

  async function made({ session, frames }: Sample): Promise<RecordingIndex> {
    const size = { cols: 120, rows: 32 };
    const facts = { ...session, sessionId: session.id, size } as unknown as Parameters<
      typeof buildIndex
    >[0]["facts"];
    const known = frames.filter((frame): frame is Frame => frame.kind in frameKinds);
    const bytes = await buildIndex({
      facts,
      frames: (async function* () {
        yield* known;
      })(),
      laneKey,
      headSha256: "00".repeat(32),
      crypto: nodeSealCrypto,
    });
    return openIndex({
      read: async (start, end) => bytes.subarray(start, end),
      recordingId: session.id,
      deriveKey: (purpose, salt) => deriveKey(laneKey, purpose, salt),
      zstd: nodeZstd,
    });
  }
  function of(sample: Sample): Promise<RecordingIndex> | undefined {
    if (sample.hasIndex && !indexes.has(sample.session.id)) indexes.set(sample.session.id, made(sample));
    return indexes.get(sample.session.id);
  }

  return {
    make(sample: Sample): void {
      sample.hasIndex = true;
    },
    overview: async (sample: Sample): Promise<RecordingOverview> => overviewOf(await of(sample)),
    screen: async (sample: Sample, atUs: number): Promise<RecordingScreen> =>
      screenAt(await of(sample), atUs),
    text: async (sample: Sample, block: number): Promise<RecordingText> => textOf(await of(sample), block),
    pictures: async (sample: Sample): Promise<RecordingPictures> => picturesOf(await of(sample)),
    /** Undefined where there is no index to search. */
    async search(sample: Sample, search: RecordingSearch): Promise<RecordingHits | undefined> {
      const index = await of(sample);
      if (!index) return undefined;
      const matches = textMatcher(search);
      const hits: RecordingHits["hits"] = [];
      for await (const { fromUs, text } of index.lines()) {
        const match = matches(text);
        if (match) hits.push({ timeUs: fromUs, source: "screen", text, at: match.at, length: match.length });
      }
      return {
        hits: hits.toSorted((x, y) => x.timeUs - y.timeUs),
        next: null,
        watermark: null,
        isWhole: true,
      };
    },
  };
}
