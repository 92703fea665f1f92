/**
 * session-words: what people are told of a session, the same by the pages and by the command line.
 *
 * Owns: a rule as a sentence, who took part, and which moment of the recording a time of day is, out of what the gateway answered.
 * Never: asks a gateway, or knows of how it is shown.
 */
export { momentWithin } from "./moment-within.ts";
export { type Participant, participantsIn } from "./participants.ts";
export { ruleWords } from "./rule-words.ts";
