import type { RecordingPictures } from "@gatehouse/contracts/rest";
import { fromBase64 } from "@gatehouse/kernel";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { queries } from "../gateway.ts";
import type { Tape } from "./showing.ts";
import { TerminalScreen } from "./terminal-screen.ts";

const widthPx = 288;

/** A small picture of the screen at a moment: the recording once more, on a screen of its own. */
export function TerminalPreview({ tape, timeUs }: { tape: Tape; timeUs: number }) {
  const host = useRef<HTMLDivElement>(null);
  const showing = useRef<ReturnType<Tape["showOn"]>>(undefined);
  const [readyTape, setReadyTape] = useState<Tape>();
  const isReady = readyTape === tape;
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
      showing.current = tape.showOn(screen);
      setReadyTape(tape);
    });
    return () => {
      isGone = true;
      opened?.dispose();
      showing.current = undefined;
    };
  }, [tape]);

  useEffect(() => {
    if (!isReady) return;
    void showing.current?.show(timeUs).then(() => {
      const cells = host.current?.querySelector<HTMLElement>(".xterm-screen");
      if (!cells || cells.offsetWidth === 0) return;
      const scale = widthPx / cells.offsetWidth;
      setBox({ scale, height: cells.offsetHeight * scale });
    });
  }, [isReady, timeUs]);

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

type Picture = RecordingPictures["pictures"][number];

/** The picture that the index kept last before a moment. */
export function IndexPreview({ sessionId, timeUs }: { sessionId: string; timeUs: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const { data } = useQuery(queries.pictures(sessionId));
  const picture = data?.pictures.findLast((one) => one.timeUs <= timeUs);
  useEffect(() => {
    if (picture && canvas.current) draw(canvas.current, picture);
  }, [picture]);
  if (!picture) return null;
  return (
    <canvas
      ref={canvas}
      aria-hidden
      data-testid="picture"
      className="block bg-terminal"
      style={{ width: widthPx, imageRendering: "pixelated" }}
    />
  );
}

/** A cell is twice as high as it is wide. A byte a cell: red, green and blue in 3, 3 and 2 bits. */
function draw(canvas: HTMLCanvasElement, { cols, rows, cells }: Picture): void {
  canvas.width = cols;
  canvas.height = rows * 2;
  const context = canvas.getContext("2d");
  if (!context) return;
  const image = context.createImageData(cols, rows * 2);
  const bytes = fromBase64(cells);
  for (let row = 0; row < rows * 2; row++)
    for (let col = 0; col < cols; col++) {
      const cell = bytes[Math.floor(row / 2) * cols + col] ?? 0;
      const rgb = [((cell >> 5) & 7) * 36, ((cell >> 2) & 7) * 36, (cell & 3) * 85, 255];
      image.data.set(rgb, 4 * (row * cols + col));
    }
  context.putImageData(image, 0, 0);
}
