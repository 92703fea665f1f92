import { z } from "zod";

/** A name that people type and that stands in audit events. */
export const plainName = z
  .string()
  .min(1)
  .max(64)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    "letters, digits, dot, dash and underscore, beginning with a letter or digit",
  );
