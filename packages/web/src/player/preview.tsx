import { useEffect, useRef, useState } from "react";
import { type Keyframe, Playback } from "./playback.ts";
import type { Reel } from "./reel.ts";
import { TerminalScreen } from "./terminal-screen.ts";

const widthPx = 288;

/** A small picture of the screen at a moment: a second playback of the same frames, from the same kept states. */
export function Preview({
  reel,
  startSize,
  keyframes,
  timeUs,
}: {
  reel: Reel;
  startSize: { cols: number; rows: number };
  keyframes: Keyframe[];
  timeUs: number;
}) {
  const host = useRef<HTMLDivElement>(null);
  const playback = useRef<Playback>(undefined);
  const [isReady, setReady] = useState(false);
  const [box, setBox] = useState({ scale: 0, height: 0 });

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    let opened: TerminalScreen | undefined;
    let isGone = false;
    void TerminalScreen.open(element).then((screen) => {
      if (isGone) return screen.dispose();
      opened = screen;
      screen.setFit(false);
      playback.current = new Playback(screen, keyframes);
      setReady(true);
    });
    return () => {
      isGone = true;
      opened?.dispose();
      playback.current = undefined;
    };
  }, [keyframes]);

  useEffect(() => {
    if (!isReady) return;
    playback.current?.feed(reel.frames, startSize);
    void playback.current?.show(timeUs).then(() => {
      const cells = host.current?.querySelector<HTMLElement>(".xterm-screen");
      if (!cells || cells.offsetWidth === 0) return;
      const scale = widthPx / cells.offsetWidth;
      setBox({ scale, height: cells.offsetHeight * scale });
    });
  }, [isReady, reel, startSize, timeUs]);

  return (
    <div
      aria-hidden
      className="overflow-hidden bg-terminal"
      style={{ width: widthPx, height: box.height, visibility: box.scale > 0 ? "visible" : "hidden" }}
    >
      <div ref={host} className="w-max origin-top-left" style={{ transform: `scale(${box.scale || 1})` }} />
    </div>
  );
}
