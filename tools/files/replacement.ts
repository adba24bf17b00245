import * as v from "valibot";

/** Input schema of a file path. */
export const FilePath = v.pipe(
  v.string(),
  v.minLength(1),
  v.description("The path of the file, relative to the workspace or absolute"),
);

/** Input schemas of one replacement in a file. */
export const ReplacementFields = {
  old_string: v.pipe(v.string(), v.description("The string to replace")),
  new_string: v.pipe(v.string(), v.description("The string to insert instead")),
  replace_all: v.optional(v.pipe(v.boolean(), v.description("Replace every occurrence"))),
  expected_replacements: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.description("The number of occurrences to replace, if not one"),
    ),
  ),
};
