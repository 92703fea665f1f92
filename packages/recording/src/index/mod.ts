/**
 * index: what was derived of a terminal recording so that nobody has to play it from the start.
 *
 * Owns: the format of an index (`docs/index-format.md`): keyframes, small pictures, the text with its times, events; how it is
 * encrypted, and how a part of it is read without the rest.
 * Never: draws a terminal (making an index is `indexing/`), is part of what is signed, or holds anything that was typed and not
 * shown. It can be made again of the recording at any time.
 */
export { type IndexDirectory, encodeDirectory, indexMaker } from "./directory.ts";
export { type IndexEvent, encodeEvents, eventCharsMax, eventsPerBlock } from "./index-event.ts";
export { IndexSealer, indexKeyPurpose, indexLimits, indexName, indexNamePattern } from "./index-layout.ts";
export { type ReadRange, type RecordingIndex, openIndex } from "./index-reader.ts";
export { type AsciiLine, type IndexedLine, LinesWriting, lineCharsMax } from "./indexed-line.ts";
export { type Keyframe, encodeKeyframe } from "./keyframe.ts";
export { idleAfterUs, isSeen } from "./seen.ts";
export { type Picture, encodePictures, pictureMax, picturesPerBlock } from "./picture.ts";
