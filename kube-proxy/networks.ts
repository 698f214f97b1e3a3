/** An IPv4 network, in numbers. */
interface Network {
  readonly first: number;
  readonly bits: number;
}

/** The IPv4 networks of `texts` in nft's notation, none inside another: the kernel's sets take no overlaps. Other texts are left out. */
export function disjointNetworks(texts: readonly string[]): string[] {
  const all = texts.flatMap((text) => parse(text.trim()) ?? []);
  const kept: Network[] = [];
  for (const network of all.toSorted((a, b) => a.bits - b.bits))
    if (!kept.some((wider) => firstOf(network.first, wider.bits) === wider.first)) kept.push(network);
  return kept.map(({ first, bits }) => `${[24, 16, 8, 0].map((shift) => (first >>> shift) & 255).join('.')}/${bits}`);
}

function parse(text: string): Network | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
  if (!match) return undefined;
  const [a = 0, b = 0, c = 0, d = 0, bits = 0] = match.slice(1).map(Number);
  if ([a, b, c, d].some((byte) => byte > 255) || bits > 32) return undefined;
  return { first: firstOf(((a << 24) | (b << 16) | (c << 8) | d) >>> 0, bits), bits };
}

const firstOf = (address: number, bits: number): number =>
  bits === 0 ? 0 : (address & (0xffffffff << (32 - bits))) >>> 0;
