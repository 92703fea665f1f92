/**
 * transcript: what a session showed, as text.
 *
 * Owns: what each frame does to a screen, and the text that a screen held before it scrolled away, was cleared or left.
 * Never: draws, keeps more than a screen and a little of what scrolled off, or is part of the format: it is derived, and can
 * be derived again. Its own door, so that who only reads recordings does not load a terminal.
 */
export { type Shown, type ShownFrame, boundedSize, printable, shownBy } from "./shown.ts";
export { transcribe } from "./transcribe.ts";
export { unseenTerminal } from "./unseen-terminal.ts";
