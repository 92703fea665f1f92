/**
 * api/rest: the REST API, its reference and the pages, over HTTP.
 *
 * Owns: routes, their declared access, the form of requests, answers and errors, the web session's cookie, the defence
 * against forged requests, and the two listeners: the web port and the administrator's socket.
 * Never: knows how an answer is found, opens a recording, reads the database, or decides by itself who may do what.
 */
export type {
  AccessDoor,
  AuditDoor,
  AuthoritiesDoor,
  Credential,
  HealthDoor,
  IdentityDoor,
  PeopleDoor,
  PlaybackDoor,
  Principal,
  RestDoors,
  SessionsDoor,
  TargetScope,
  TargetsDoor,
} from "../door.ts";
export { type RestOptions, type RestServer, startRest } from "./listen.ts";
