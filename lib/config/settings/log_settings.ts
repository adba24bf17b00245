import * as v from "valibot";
import { LOG_COMPONENTS, LOG_LEVELS, type LogComponent, type LogLevel } from "../../base/log_components.ts";
import { withForm } from "../json_form.ts";
import { integer, oneOf, onOff, type Schema, text } from "../schemas.ts";

/** Settings for the log and the files of the operator, part of the table in `settings.ts`. */
export const LOG_SETTINGS = {
  LOG_LEVEL: {
    flag: "--log-level",
    reload: true,
    schema: (): Schema<string, LogLevel> => oneOf(LOG_LEVELS),
    default: "info",
    text: "Minimum log level: debug, info, warn, error or off",
  },
  LOG_COMPONENTS: {
    flag: "--log-components",
    reload: true,
    schema: (): Schema<string, ReadonlyMap<LogComponent, LogLevel>> => componentLevels(),
    text:
      "Log levels of components, such as `tool=debug,request=off`: request, tool, upstream, limits, gateway",
  },
  LOG_FORMAT: {
    flag: "--log-format",
    reload: true,
    schema: (): Schema<string, "json" | "pretty"> => oneOf(["json", "pretty"]),
    default: "json",
    text: "Format of the log: json, or pretty for people",
  },
  LOG_DIR: {
    flag: "--log-dir",
    schema: (): Schema<string, string> => text("the path of a folder"),
    text: "Folder of the files of errors and bodies; unset: the last errors are kept in memory",
  },
  LOG_RETENTION: {
    flag: "--log-retention",
    schema: (): Schema<string | number, number> => integer(1, 366),
    default: "7",
    text: "Days after which files in `LOG_DIR` are removed",
  },
  LOG_BODIES: {
    flag: "--log-bodies",
    schema: (): Schema<string | boolean, "on" | "off"> => onOff(),
    default: "off",
    text: "Storage of prompts and answers in `LOG_DIR`, redacted: on or off",
  },
  RECORD_DIR: {
    flag: "--record-dir",
    schema: (): Schema<string, string> => text("the path of a folder"),
    text:
      "Folder for recordings of messages and upstream answers, redacted, for `replay`; unset: no recordings",
  },
} as const;

/** Parses levels of components, separated by commas. */
function componentLevels(): Schema<string, ReadonlyMap<LogComponent, LogLevel>> {
  const allowed = `expected levels of components such as "tool=debug,request=off"; components are ${
    LOG_COMPONENTS.join(", ")
  }`;
  const Component = v.picklist(LOG_COMPONENTS);
  const Level = v.picklist(LOG_LEVELS);
  const schema = v.pipe(
    v.string(allowed),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const levels = new Map<LogComponent, LogLevel>();
      for (const word of dataset.value.split(",")) {
        const [component, level, ...rest] = word.split("=").map((part) => part.trim().toLowerCase());
        if (!v.is(Component, component) || !v.is(Level, level) || rest.length > 0) {
          addIssue({ message: allowed });
          return NEVER;
        }
        levels.set(component, level);
      }
      return levels;
    }),
  );
  return withForm(schema, { type: "string" });
}
