/**
 * ssh/demo: a target for the first two minutes, so that a first session needs no server.
 *
 * Owns: an SSH server on loopback that takes the gate's own user certificates only, and the small make-believe machine
 * behind it.
 * Never: touches the host: no process, no file and no network of the real machine is behind any of its commands. It is
 * off unless the configuration asks for it, and a production configuration cannot.
 */
export { offerDemo, withdrawDemo } from "./offer.ts";
export { type DemoTarget, startDemoTarget } from "./server.ts";
