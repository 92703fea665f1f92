import { createContext, useContext, useId } from "react";

/** Who looks, and when they asked; undefined where the policy demands no watermark. */
export const WatermarkWords = createContext<string | undefined>(undefined);

/**
 * The viewer's name over what they see, again and again, so that no part of a picture taken of it is without. Stands in whatever is
 * positioned; grey, so that it can be read on dark and on light. It keeps an honest viewer honest: whoever has the right to the
 * frames could draw them without it.
 */
export function Watermark() {
  const words = useContext(WatermarkWords);
  const id = useId();
  if (words === undefined) return null;
  const width = 40 + words.length * 8;
  return (
    <svg
      aria-hidden
      data-testid="watermark"
      className="pointer-events-none absolute inset-0 z-10 size-full opacity-40 select-none"
    >
      <pattern
        id={id}
        width={width}
        height={110}
        patternUnits="userSpaceOnUse"
        patternTransform="rotate(-20)"
      >
        {[
          [0, 30],
          [-width / 2, 85],
          [width / 2, 85],
        ].map(([x, y]) => (
          <text key={`${x} ${y}`} x={x} y={y} fontSize={13} fill="#808a96">
            {words}
          </text>
        ))}
      </pattern>
      <rect width="100%" height="100%" fill={`url(#${id})`} />
    </svg>
  );
}
