import type { ScalarTag, Tags } from 'yaml';
import { goNumber } from './number.js';

const prefix = 'tag:yaml.org,2002:';
/** Types of YAML 1.1 that kubectl's reader does not resolve: there `22:22` and `2001-01-01` are strings. */
const foreign: ReadonlySet<string> = new Set(['timestamp', 'omap', 'pairs', 'set'].map((name) => prefix + name));
/** Types that it reads in its own way. */
const own: ReadonlySet<string> = new Set(['int', 'float', 'binary'].map((name) => prefix + name));

/** What is no number after all stays the string that it was: `12e4567` (a commit's hash, say), or `.`. */
const numberTag = (name: 'int' | 'float'): ScalarTag => ({
  tag: prefix + name,
  default: true,
  test: /^[-+.0-9]/,
  resolve: (text) => goNumber(text) ?? text,
});

/** The text that the base64 stands for. */
const binaryTag: ScalarTag = {
  tag: `${prefix}binary`,
  resolve: (text) => Buffer.from(text, 'base64').toString('utf8'),
};

/** The scalar types of kubectl's YAML reader, from those of YAML 1.1. */
export function manifestTags(tags: Tags): Tags {
  const kept = tags.filter((tag) => typeof tag === 'string' || !(foreign.has(tag.tag) || own.has(tag.tag)));
  return [...kept, numberTag('int'), numberTag('float'), binaryTag];
}
