/**
 * How Node is started for a gateway. Bulk data passes through short-lived buffers outside the heap, some 32 KiB for each
 * small object inside. They are freed when the object is, so the young generation must be collected often: with the usual
 * 16 MiB of it, hundreds of megabytes gather outside and V8 answers with full collections, which take two thirds of the CPU
 * time of a transfer. Room in the old generation from the start keeps it from collecting that for the same reason.
 */
export const gatewayNodeFlags: readonly string[] = [
  "--max-semi-space-size=2",
  "--initial-old-space-size=256",
];
