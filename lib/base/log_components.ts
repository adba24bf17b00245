/** Parts of the gateway whose log levels can be set apart from the others. */
export const LOG_COMPONENTS = ["request", "tool", "upstream", "limits", "gateway"] as const;

/** A part of the gateway that logs. */
export type LogComponent = (typeof LOG_COMPONENTS)[number];

/** Minimum levels of a log, from the most lines to none. */
export const LOG_LEVELS = ["debug", "info", "warn", "error", "off"] as const;

/** Minimum log level. */
export type LogLevel = (typeof LOG_LEVELS)[number];
