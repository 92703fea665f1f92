import type { Watched } from "@gatehouse/contracts/watch-session";
import { type Clock, type Timer, fromUtf8 } from "@gatehouse/kernel";
import { formatMoment } from "./moment.ts";
import type { PlayFrame } from "./play-source.ts";
import { createScreen, lastRows } from "./screen.ts";
import { statusLine } from "./status-line.ts";
import type { TerminalStage } from "./terminal-stage.ts";

export type WatchSource = {
  /** One line for the status: who, where. */
  readonly title: string;
  /** The terminal's size until a frame says otherwise. */
  readonly size: { readonly cols: number; readonly rows: number };
  /** What has to stand over all that is shown. */
  readonly watermark?: string;
  watched(signal: AbortSignal): AsyncIterable<Watched>;
};

export type WatchOutcome = {
  endedBy: "end" | "quit" | "abort";
  /** The rows of the last screen, styled. */
  lastScreen: readonly string[];
  /** What the session's own last frame said, where it was seen. */
  end: { reason: string; detail: string | undefined } | undefined;
};

const drawEveryMs = 33;
/** How long a status over the recording's last row stays. */
const statusMs = 4_000;
/** Frames are not taken in faster than the screen takes them. */
const pendingBytesMax = 1 << 20;

/**
 * Shows a live session as it goes on, to its end or until the person has seen enough. What they type goes nowhere but here:
 * there is no way from this to the session.
 */
export async function watch(
  options: TerminalStage & { source: WatchSource; clock: Clock; signal: AbortSignal },
): Promise<WatchOutcome> {
  const { source, viewport, clock, signal } = options;
  const gone = new AbortController();
  const screen = createScreen(source.size);
  const state = { quit: false, paused: "", lost: false, behindUs: 0, watchers: 0 };
  /** Where the session is, and since when by our own clock. */
  let place = { elapsedUs: 0, atUs: clock.monotonicUs() };
  let statusUntilUs = clock.monotonicUs() + statusMs * 1000;
  let end: WatchOutcome["end"];
  let timer: Timer | undefined;
  let dirty = true;
  let drawnAtUs = -Infinity;
  let over = false;

  const stop = () => gone.abort();
  signal.addEventListener("abort", stop, { once: true });
  options.onKey((key) => {
    showStatus();
    if (key.act === "quit") {
      state.quit = true;
      stop();
    }
    if (key.act === "suspend") {
      options.suspend();
      viewport.forget();
    }
  });
  options.onResize(() => {
    viewport.forget();
    dirty = true;
  });

  function showStatus(): void {
    statusUntilUs = clock.monotonicUs() + statusMs * 1000;
    dirty = true;
  }
  function draw(): void {
    const hasRoom = viewport.rows > screen.rows;
    const matters =
      source.watermark !== undefined ||
      state.paused !== "" ||
      state.lost ||
      clock.monotonicUs() < statusUntilUs;
    viewport.draw(screen, hasRoom || matters ? statusOf() : undefined);
  }
  function statusOf(): string {
    const elapsedUs = place.elapsedUs + (clock.monotonicUs() - place.atUs);
    const how = state.lost
      ? "connection lost, trying again"
      : state.behindUs > 0
        ? `${Math.ceil(state.behindUs / 1_000_000)} s behind`
        : "live";
    const paused = state.paused === "" ? "" : `  paused by ${state.paused}`;
    const others = state.watchers > 1 ? `  ${state.watchers} look on` : "";
    return statusLine(
      source.watermark,
      ` ${how}  ${formatMoment(elapsedUs)}  ${source.title}${paused}${others}  (q quits, the session goes on)`,
    );
  }
  function tick(): void {
    // Once a second in any case, for the time in the status.
    const isDue = clock.monotonicUs() - drawnAtUs >= 1_000_000;
    if (dirty || isDue) {
      dirty = false;
      drawnAtUs = clock.monotonicUs();
      void screen.settled().then(() => {
        if (!over) draw();
      });
    }
    timer = clock.after(drawEveryMs, tick);
  }
  tick();

  try {
    for await (const one of source.watched(gone.signal)) {
      state.lost = one.what === "lost";
      if (one.what === "now") {
        state.behindUs = one.now.behindUs;
        place = { elapsedUs: one.now.elapsedUs, atUs: clock.monotonicUs() };
      }
      if (one.what === "frame") {
        const { frame } = one;
        screen.apply(frame);
        place = { elapsedUs: Math.max(place.elapsedUs, frame.timeUs), atUs: clock.monotonicUs() };
        if (note(frame)) showStatus();
        if (screen.pendingBytes > pendingBytesMax) await screen.settled();
      }
      dirty = true;
    }
    await screen.settled();
    draw();
  } finally {
    over = true;
    timer?.cancel();
    signal.removeEventListener("abort", stop);
  }
  const lastScreen = lastRows(screen);
  screen.dispose();
  return { endedBy: state.quit ? "quit" : signal.aborted ? "abort" : "end", lastScreen, end };

  /** What a frame says about the session itself; true where it is worth a look at the status. */
  function note({ kind, data }: PlayFrame): boolean {
    switch (kind) {
      case "pause":
        state.paused = userIn(data);
        return true;
      case "resume":
        state.paused = "";
        return true;
      case "join":
        state.watchers++;
        return true;
      case "leave":
        state.watchers = Math.max(0, state.watchers - 1);
        return true;
      case "session.end": {
        const { reason, detail } = jsonIn(data);
        end = { reason: String(reason), detail: typeof detail === "string" ? detail : undefined };
        return true;
      }
      default:
        return false;
    }
  }
}

function jsonIn(data: Uint8Array): Record<string, unknown> {
  try {
    return JSON.parse(fromUtf8(data)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
function userIn(data: Uint8Array): string {
  return (jsonIn(data)["user"] as { name?: string } | undefined)?.name ?? "somebody";
}
