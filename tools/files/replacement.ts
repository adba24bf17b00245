import * as v from "valibot";

/** How a model names a file. */
export const FilePath = v.pipe(
  v.string(),
  v.minLength(1),
  v.description("The file, relative to the workspace or absolute"),
);

/** How a model says that one piece of a file becomes another. */
export const ReplacementFields = {
  old_string: v.pipe(v.string(), v.description("The piece to be replaced")),
  new_string: v.pipe(v.string(), v.description("What shall be there instead")),
  replace_all: v.optional(v.pipe(v.boolean(), v.description("Whether every occurrence is replaced"))),
  expected_replacements: v.optional(
    v.pipe(
      v.number(),
      v.integer(),
      v.minValue(1),
      v.description("How many occurrences are replaced, if not one"),
    ),
  ),
};
