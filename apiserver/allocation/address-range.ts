/** An IPv4 range in CIDR form, its addresses counted from 0 (the network address). */
export class AddressRange {
  readonly cidr: string;
  readonly #base: number;
  readonly size: number;

  constructor(cidr: string) {
    const parsed = parse(cidr);
    if (!parsed) throw new Error(`${cidr} is not an IPv4 range between /8 and /30`);
    this.cidr = cidr;
    this.size = parsed.size;
    this.#base = parsed.base - (parsed.base % parsed.size);
  }

  /** Whether addresses can be given away from a range. */
  static isUsable(cidr: string): boolean {
    return parse(cidr) !== undefined;
  }

  at(offset: number): string {
    const value = this.#base + offset;
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
  }

  /** The address may be given to a Service: inside, and neither network nor broadcast. */
  has(address: string): boolean {
    const value = addressToNumber(address);
    return value !== undefined && value > this.#base && value < this.#base + this.size - 1;
  }
}

function parse(cidr: string): { base: number; size: number } | undefined {
  const [address = '', bits = ''] = cidr.split('/');
  const length = Number(bits);
  const base = addressToNumber(address);
  const isRange = base !== undefined && /^\d{1,2}$/.test(bits) && length >= 8 && length <= 30;
  return isRange ? { base, size: 2 ** (32 - length) } : undefined;
}

function addressToNumber(address: string): number | undefined {
  const parts = address.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}
