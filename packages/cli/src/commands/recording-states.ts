import type { Session } from "@gatehouse/contracts/rest";

type RecordingState = Session["recording"]["state"];

/** Written out, so that no command waits for the schemas; the type holds it complete. */
const all: Record<RecordingState, true> = {
  recording: true,
  shipping: true,
  stored: true,
  held: true,
  interrupted: true,
  corrupt: true,
  expired: true,
};
export const recordingStates = Object.keys(all) as readonly RecordingState[];
