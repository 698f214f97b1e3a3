import type { ScalarTag, Tags } from 'yaml';

/** Types of YAML 1.1 that kubectl's reader does not resolve: there `22:22` and `2001-01-01` are strings. */
const foreign: ReadonlySet<string> = new Set(
  ['timestamp', 'omap', 'pairs', 'set', 'binary'].map((name) => `tag:yaml.org,2002:${name}`),
);

/** The scalar types of kubectl's YAML reader, from those of YAML 1.1. */
export function manifestTags(tags: Tags): Tags {
  return tags.flatMap((tag): Tags => {
    if (typeof tag === 'string') return [tag];
    if (foreign.has(tag.tag) || ('format' in tag && tag.format === 'TIME')) return [];
    return tag.tag === 'tag:yaml.org,2002:float' && 'resolve' in tag ? [finite(tag as ScalarTag)] : [tag];
  });
}

/** JSON has no infinity: `12e4567` (a commit's hash, say) stays the string that it was. */
function finite(tag: ScalarTag): ScalarTag {
  return {
    ...tag,
    resolve: (text, onError, options) => {
      const value = tag.resolve?.(text, onError, options);
      return typeof value === 'number' && !Number.isFinite(value) ? text : value;
    },
  };
}
