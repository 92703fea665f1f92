/** The operational log, as far as the pipeline needs it. Fields never hold what was recorded. */
export type PipelineLog = {
  info(message: string, fields: Record<string, string | number>): void;
  warn(message: string, fields: Record<string, string | number>): void;
  error(message: string, fields: Record<string, string | number>): void;
};
