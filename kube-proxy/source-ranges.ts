import type { ServiceSpec } from '../shared/api/generated/types.js';

interface Range {
  readonly first: number;
  readonly bits: number;
}

/**
 * IPv4 networks whose clients may use the load balancer, none inside another (the kernel's set takes no overlaps); undefined:
 * everybody may. Ranges of the other family say nothing about this one, as in the original.
 */
export function sourceRanges(spec: Pick<ServiceSpec, 'loadBalancerSourceRanges'>): string[] | undefined {
  const all = (spec.loadBalancerSourceRanges ?? []).flatMap((text) => parse(text.trim()) ?? []);
  if (all.length === 0 || all.some(({ bits }) => bits === 0)) return undefined;
  const kept: Range[] = [];
  for (const range of all.toSorted((a, b) => a.bits - b.bits))
    if (!kept.some((wider) => network(range.first, wider.bits) === wider.first)) kept.push(range);
  return kept.map(({ first, bits }) => `${[24, 16, 8, 0].map((shift) => (first >>> shift) & 255).join('.')}/${bits}`);
}

function parse(text: string): Range | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!match) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number);
  if ([a, b, c, d].some((byte) => byte > 255) || bits > 32) return undefined;
  return { first: network(((a << 24) | (b << 16) | (c << 8) | d) >>> 0, bits), bits };
}

const network = (address: number, bits: number): number =>
  bits === 0 ? 0 : (address & (0xffffffff << (32 - bits))) >>> 0;
