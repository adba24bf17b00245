import type { ListedModel } from "./model_list.ts";

/** OpenRouter's name of a Claude model: family, major and minor version. */
const CLAUDE = /^anthropic\/claude-([a-z]+)-(\d{1,2})(?:\.(\d{1,2}))?$/;

/**
 * Finds the model that stands for a Claude model which the upstream does not list: for a name without a minor version
 * (`anthropic/claude-sonnet-5`, which Claude Code's own safety check asks for) the newest listed model of that major
 * version, or else of the family.
 *
 * If the upstream lists no Claude at all, it is the alias `big`, or `small` for Haiku: any Claude name then means the
 * operator's model of that size. Returns `undefined` for other names, and for a version that is not listed although
 * other Claude models are: another version has another price.
 */
export function findClaudeSubstitute(
  name: string,
  listed: readonly Pick<ListedModel, "id">[],
): { model: string } | { alias: "big" | "small" } | undefined {
  const [, family, major, minor] = CLAUDE.exec(name) ?? [];
  if (family === undefined) return undefined;
  const models = listed.flatMap(({ id }) => {
    const [, other, ...version] = CLAUDE.exec(id) ?? [];
    return other === undefined
      ? []
      : [{ id, family: other, version: version.map((part) => Number(part ?? 0)) }];
  });
  if (!listed.some(({ id }) => /claude/i.test(id))) return { alias: family === "haiku" ? "small" : "big" };
  if (minor !== undefined) return undefined;
  const relatives = models.filter((model) => model.family === family);
  const sameMajor = relatives.filter(({ version: [otherMajor] }) => otherMajor === Number(major));
  const newest =
    (sameMajor.length > 0 ? sameMajor : relatives).toSorted((a, b) =>
      (b.version[0] ?? 0) - (a.version[0] ?? 0) || (b.version[1] ?? 0) - (a.version[1] ?? 0)
    )[0];
  return newest && { model: newest.id };
}
