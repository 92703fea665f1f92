/**
 * How Node is started for a gateway. Bulk data passes through short-lived buffers outside the heap, some 32 KiB for each
 * small object inside. They are freed when the object is, so the young generation must be collected often: with the usual
 * 16 MiB of it, hundreds of megabytes gather outside and V8 answers with full collections, which take two thirds of the CPU
 * time of a transfer. Room in the old generation from the start keeps it from collecting that for the same reason.
 *
 * So small a generation is collected sooner than other threads are woken for it, and buffers that another thread frees have it
 * and this one wait in turn for the allocator's lock: both are left to the thread that made them.
 */
export const gatewayNodeFlags: readonly string[] = [
  "--max-semi-space-size=2",
  "--initial-old-space-size=256",
  "--no-parallel-scavenge",
  "--no-concurrent-array-buffer-sweeping",
];
